"""What became of the texts that an answer rests on: each is traced in the index as it is now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

import regex

from rag import text
from rag.receipt.form import ReceiptCitation, ReceiptPassage
from rag.receipt.make import sha256
from rag.types import Span

State: TypeAlias = Literal["unchanged", "moved", "changed", "gone"]
"""`moved`: the same text at another place; `gone`: the document is not in the index any more."""

_TRIED = 1000
"""Places at which a moved passage is looked for: those nearest to where it stood."""
_READ = 4000
"""Sentences among which is looked for what a quote has become: those nearest to where it stood."""
_ALIKE = 0.6
"""The least `SequenceMatcher.ratio` of a quote and what it has become."""
_BULLET = regex.compile(r"(?:[-*+•>|#]+|\d{1,3}[.)])\s+")
"""What begins a line and is left out of a quote."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A span of a document as it was, and what became of it."""

    doc: str
    start: int
    end: int
    state: State
    now: Span | None
    """Where its text stands now, or what has taken its place; None where nothing has."""
    text: str | None = None
    """What stands there now, where that is known to be another text."""


def trace_passage(passage: ReceiptPassage, document: str | None) -> Traced:
    """Return what became of a passage, of whose text the receipt keeps only the digest.

    `document` is the whole text as it is now, None where there is none any more.
    """
    length = passage.end - passage.start

    def stands(text: str, at: int) -> bool:
        return sha256(text[at : at + length]) == passage.sha256

    return _traced(passage.doc, (passage.start, passage.end), passage.begins, stands, document)


def trace_quote(citation: ReceiptCitation, document: str | None) -> Traced | None:
    """Return what became of a citation's quote; None where its marker named no passage."""
    doc, start, end, quote = citation.doc, citation.start, citation.end, citation.quote
    if doc is None or start is None or end is None or quote is None:
        return None

    def stands(text: str, at: int) -> bool:
        return text.startswith(quote, at)

    traced = _traced(doc, (start, end), quote, stands, document)
    if traced.state != "changed" or document is None:
        return traced
    now = _successor(quote, document, start, end)
    return replace(traced, now=now, text=document[slice(*now)] if now else None)


def _traced(
    doc: str, span: Span, begins: str, stands: Callable[[str, int], bool], document: str | None
) -> Traced:
    start, end = span
    if document is None:
        return Traced(doc, start, end, "gone", None)
    if stands(document, start):
        return Traced(doc, start, end, "unchanged", span)
    places = sorted(_places(begins, document), key=lambda at: abs(at - start))[:_TRIED]
    at = next((at for at in places if stands(document, at)), None)
    if at is None:
        return Traced(doc, start, end, "changed", None)
    return Traced(doc, start, end, "moved", (at, at + end - start))


def _places(begins: str, document: str) -> Iterator[int]:
    at = document.find(begins) if begins else -1
    while at >= 0:
        yield at
        at = document.find(begins, at + 1)


def _successor(quote: str, document: str, start: int, end: int) -> Span | None:
    """Return as many sentences as the quote has that read most like it, else what stands there."""
    spans = text.sentences(document)
    size = max(1, len(text.sentences(quote)))
    runs = [(spans[at][0], spans[at + size - 1][1]) for at in range(len(spans) - size + 1)]
    near = sorted(runs, key=lambda run: abs(run[0] - start))[:_READ]
    best, alike = None, _ALIKE
    matcher = SequenceMatcher(b=quote, autojunk=False)
    for run in near:
        matcher.set_seq1(document[slice(*run)])
        if matcher.real_quick_ratio() > alike and matcher.quick_ratio() > alike:
            ratio = matcher.ratio()
            best, alike = (run, ratio) if ratio > alike else (best, alike)
    found = best or _there(spans, start, end)
    bullet = _BULLET.match(document, found[0]) if found and not _BULLET.match(quote) else None
    return (bullet.end(), found[1]) if found and bullet else found


def _there(spans: Sequence[Span], start: int, end: int) -> Span | None:
    touched = [span for span in spans if span[0] < end and start < span[1]]
    return (touched[0][0], touched[-1][1]) if touched else None
