"""Answer text → verified citations.

A citation's quote is verbatim: `document.text[c.start:c.end] == c.quote`.
"""

from rag.cite.check import Checker, Support
from rag.cite.citer import Cited, Citer, cite
from rag.cite.judge import open_judge

__all__ = ["Checker", "Cited", "Citer", "Support", "cite", "open_judge"]
