"""A gold set against today's documents: what still holds, what does not, and the patch."""

from eval.check.patch import patch
from eval.check.run import check
from eval.check.show import check_json, show
from eval.check.values import Checked, CheckReport, Row, Warned

__all__ = ["CheckReport", "Checked", "Row", "Warned", "check", "check_json", "patch", "show"]
