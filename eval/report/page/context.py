"""Where citations and evidence stand: windows of the documents' text, each kept once.

Our offsets are code points and a browser counts UTF-16 units; what is handed to it is counted here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from eval.report.shown import Json
from rag.types import Span

AROUND = 240
"""Characters that are shown on either side."""
_WORD = 24
"""Characters by which a window may shrink so that it begins and ends with whole words."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A cited span, with the numbers of the citations that quote it."""

    start: int
    end: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document with what is cited and what is evidence in it."""

    doc: str
    start: int
    end: int
    marks: Sequence[Mark]
    evidence: Sequence[Span]

    def runs(self) -> list[tuple[int, int, bool, int]]:
        """Return `(start, end, is evidence, number of its mark or -1)` from begin to end."""
        spans = [(mark.start, mark.end) for mark in self.marks] + list(self.evidence)
        cuts = sorted({self.start, self.end, *(at for span in spans for at in span)})
        return [
            (start, end, _holding(self.evidence, start) >= 0, _holding(spans[: len(self.marks)], start))
            for start, end in pairwise(cuts)
        ]


def windows(item: Json, texts: Mapping[str, str]) -> list[Window]:
    """Return what an item's citations and evidence stand in, the first citation's window first."""
    cited = [(each["doc"], each["start"], each["end"], each["n"]) for each in item["citations"]]
    proved = [(each["doc"], each["start"], each["end"]) for each in item["evidence"]]
    found = []
    for doc in dict.fromkeys(place[0] for place in (*cited, *proved)):
        if doc in texts:
            marks = _marks((Mark(s, e, (n,)) for d, s, e, n in cited if d == doc and _is_span(s, e)))
            evidence = _joined((s, e) for d, s, e in proved if d == doc and _is_span(s, e))
            found += _around(doc, texts[doc], marks, evidence)
    return sorted(found, key=lambda window: window.marks[0].numbers[0] if window.marks else 1_000_000)


class Pieces:
    """The text of all windows, overlapping ones joined, so that nothing is stored twice."""

    def __init__(self, windows: Iterable[Window], texts: Mapping[str, str]) -> None:
        spans: dict[str, list[Span]] = {}
        for window in windows:
            spans.setdefault(window.doc, []).append((window.start, window.end))
        self._texts = texts
        self._places = [(doc, *span) for doc, each in sorted(spans.items()) for span in _joined(each)]
        self._of: dict[str, list[int]] = {}
        for at, (doc, _, _) in enumerate(self._places):
            self._of.setdefault(doc, []).append(at)

    @property
    def texts(self) -> list[str]:
        """The pieces, by number."""
        return [self._texts[doc][start:end] for doc, start, end in self._places]

    def placed(self, window: Window) -> dict[str, Any]:
        """Return a window as the page takes it: all lengths in UTF-16 units."""
        number = next(at for at in self._of[window.doc] if self._places[at][2] >= window.end)
        text, begin = self._texts[window.doc], self._places[number][1]
        return {
            "piece": number,
            "at": utf16(text[begin : window.start]),
            "before": window.start > 0,
            "after": window.end < len(text),
            "marks": [mark.numbers for mark in window.marks],
            "runs": [(utf16(text[s:e]), int(proof), mark) for s, e, proof, mark in window.runs()],
        }


def utf16(text: str) -> int:
    """Return the length of a text as JavaScript counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _around(doc: str, text: str, marks: Sequence[Mark], evidence: Sequence[Span]) -> list[Window]:
    spans = [(mark.start, mark.end) for mark in marks] + list(evidence)
    whole = [(_begin(text, start), _end(text, end)) for start, end in spans if end <= len(text)]
    return [
        Window(
            *(doc, start, end),
            [mark for mark in marks if start <= mark.start and mark.end <= end],
            [span for span in evidence if start <= span[0] and span[1] <= end],
        )
        for start, end in _joined(whole)
    ]


def _begin(text: str, start: int) -> int:
    """Return where a window begins: before a whole word where one is near."""
    at = max(0, start - AROUND)
    gap = text.find(" ", at, min(start, at + _WORD)) if at else -1
    return gap + 1 if gap >= 0 else at


def _end(text: str, end: int) -> int:
    at = min(len(text), end + AROUND)
    gap = text.rfind(" ", max(end, at - _WORD), at) if at < len(text) else -1
    return gap if gap >= 0 else at


def _marks(marks: Iterable[Mark]) -> list[Mark]:
    """Return the marks in order, overlapping ones as one with all their numbers."""
    found: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.start, mark.end)):
        if found and mark.start < found[-1].end:
            last = found.pop()
            numbers = tuple(dict.fromkeys((*last.numbers, *mark.numbers)))
            mark = Mark(last.start, max(last.end, mark.end), numbers)
        found.append(mark)
    return found


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, overlapping and touching ones as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            start, end = found[-1][0], max(found.pop()[1], end)
        found.append((start, end))
    return found


def _holding(spans: Sequence[Span], at: int) -> int:
    return next((n for n, (start, end) in enumerate(spans) if start <= at < end), -1)


def _is_span(start: int | None, end: int | None) -> bool:
    return start is not None and end is not None and start < end
