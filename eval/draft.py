"""What all gold lines that we write have in common: where a quote stands, and ids one can read."""

import unicodedata
from typing import Any

import regex

from eval.check.mend import CONTEXT
from eval.gold import digest_of
from rag.text import fold
from rag.types import Span

Line = dict[str, Any]
"""A gold item as it is written."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_WORDS = 7
_LENGTH = 48
"""Characters of an id before its digest, at most."""
_DIGEST = 6


def readable_id(question: str, *more: Any) -> str:
    """Return the first words of a question and a short digest of it and of what it is asked with."""
    folded = fold(question).text
    words = _WORD.findall(unicodedata.normalize("NFC", folded))[:_WORDS]
    slug = "-".join(words)[:_LENGTH].strip("-") or "question"
    return f"{slug}-{digest_of([folded, *more])[:_DIGEST]}"


def quoting(group: str, doc: str, text: str, span: Span) -> Line:
    """Return the evidence row that quotes a span of a document's text."""
    start, end = span
    return {
        "group": group,
        "doc": doc,
        "quote": text[start:end],
        "start": start,
        "end": end,
        "prefix": text[max(0, start - CONTEXT) : start],
        "suffix": text[end : end + CONTEXT],
    }


def trimmed(text: str, span: Span) -> Span:
    """Return a span without the white space at its ends."""
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
