"""Ranked chunks → passages: hits of one document that overlap are one passage."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.store import Snapshot
from rag.types import Passage, Place, Rows, Scores


@dataclass(slots=True, eq=False)
class _Span:
    """A hit, widened by what overlaps it; `at` is the place of its best chunk in the ranking."""

    chunk: Any
    at: int
    start: int
    end: int
    text: int
    text_end: int
    hits: int = 1

    @classmethod
    def of(cls, chunk: Any, at: int) -> "_Span":
        start, end = int(chunk["start"]), int(chunk["end"])
        return cls(chunk, at, start, end, int(chunk["text"]), int(chunk["text_end"]))

    def touches(self, other: "_Span") -> bool:
        return self.start < other.end and other.start < self.end

    def absorb(self, other: "_Span") -> None:
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)
        self.text, self.text_end = min(self.text, other.text), max(self.text_end, other.text_end)
        self.hits += other.hits


def merged(snapshot: Snapshot, rows: Rows, signals: Mapping[str, Scores], top_k: int) -> list[Passage]:
    """Return passages, best first; hits of one document that overlap become the best one's."""
    of_document: dict[int, list[_Span]] = {}
    count = 0
    for at, row in enumerate(rows.tolist()):
        span = _Span.of(snapshot.chunks[row], at)
        near = of_document.setdefault(int(span.chunk["doc"]), [])
        touched = [other for other in near if other.touches(span)]
        if not touched and count == top_k:
            break
        if touched and at >= top_k:
            continue  # late hits would widen it, in a short document to the whole text
        count += 1 - len(touched)
        first, *others = [*touched, span]
        for other in others:
            first.absorb(other)
        near[:] = [other for other in near if other not in touched] + [first]
    spans = sorted((span for near in of_document.values() for span in near), key=lambda s: s.at)
    return [_passage(snapshot, span, signals) for span in spans]


def _passage(snapshot: Snapshot, span: _Span, signals: Mapping[str, Scores]) -> Passage:
    document = snapshot.document(int(span.chunk["doc"]))
    values = {name: float(each[span.at]) for name, each in signals.items() if name != "score"}
    return Passage(
        doc=document.id,
        start=span.start,
        end=span.end,
        text=snapshot.slice(span.text, span.text_end),
        score=float(signals["score"][span.at]),
        signals={**values, "rank": span.at + 1, "hits": span.hits},
        title=document.title,
        heading=document.headings[int(span.chunk["heading"])],
        places=_reached(document.places, span.start, span.end),
    )


def _reached(places: Sequence[Place], start: int, end: int) -> Sequence[Place]:
    """Return the places that a span reaches over."""
    starts = [at for at, _ in places]
    return places[max(0, bisect_right(starts, start) - 1) : bisect_left(starts, end)]
