"""Sentences by name, and without the mark of a list."""

import hashlib

import regex

from rag.text import sentences, squeeze
from rag.types import Span

_LIST_MARK = regex.compile(r"(?:[-*+•>|]|\d{1,3}[.)]|#{1,6})\s+")


def sentence_digests(text: str) -> list[str]:
    """Return 8 hexadecimal digits of the sha256 of each sentence on one line, in order."""
    return [sentence_digest(text[slice(*span)]) for span in sentences(text)]


def sentence_digest(sentence: str) -> str:
    """Return 8 hexadecimal digits of the sha256 of a sentence on one line."""
    data = squeeze(sentence).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:8]


def unmarked(text: str, span: Span) -> Span:
    """Return the span of a sentence without the mark of a list or heading before it."""
    mark = _LIST_MARK.match(text, *span)
    return (mark.end() if mark else span[0]), span[1]
