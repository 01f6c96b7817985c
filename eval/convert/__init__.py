"""Question sets of other forms → gold and its corpus, every span verified; what fails is listed."""

from eval.convert.run import FORMS, convert
from eval.convert.values import Converted, Failure
from eval.convert.write import write

__all__ = ["FORMS", "Converted", "Failure", "convert", "write"]
