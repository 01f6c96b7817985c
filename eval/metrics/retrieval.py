"""Rankings against gold: of documents as trec_eval scores them, and of the evidence's characters.

A ranking is a sequence without repetitions, best first, so there are no ties to break.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log2
from typing import NamedTuple

import regex

from rag.types import Span

Place = tuple[str, int, int]
"""Document, start and end."""
_TOKEN = regex.compile(r"\w+|[^\w\s]")


class Target(NamedTuple):
    """Where evidence stands."""

    doc: str
    start: int
    end: int
    whole: bool = False
    """Whether the document as such is the evidence: any passage of it will do."""


Groups = Sequence[Sequence[Target]]
"""All groups are needed; the targets of one are alternatives."""


def success_at(docs: Sequence[str], relevant: Mapping[str, int], k: int) -> float | None:
    """Return 1 where one of the first k documents is relevant."""
    return float(any(doc in relevant for doc in docs[:k])) if relevant else None


def recall_at(docs: Sequence[str], relevant: Mapping[str, int], k: int) -> float | None:
    """Return the share of the relevant documents among the first k."""
    return len(relevant.keys() & set(docs[:k])) / len(relevant) if relevant else None


def reciprocal_rank(docs: Sequence[str], relevant: Mapping[str, int], k: int) -> float | None:
    """Return 1 / rank of the first relevant document, 0 where it is not among the first k."""
    if not relevant:
        return None
    return next((1 / rank for rank, doc in enumerate(docs[:k], 1) if doc in relevant), 0.0)


def ndcg_at(docs: Sequence[str], relevant: Mapping[str, int], k: int) -> float | None:
    """Return the discounted gain of the first k documents over that of the best order.

    Järvelin and Kekäläinen 2002, with trec_eval's linear gain and log2(rank + 1).
    """
    if not relevant:
        return None
    best = _gain(sorted(relevant.values(), reverse=True)[:k])
    return _gain(relevant.get(doc, 0) for doc in docs[:k]) / best


def all_evidence(places: Sequence[Place], groups: Groups) -> float | None:
    """Return 1 where of every group one target is wholly held by the places together."""
    if not groups:
        return None
    return float(all(any(_held(places, target) for target in group) for group in groups))


def evidence_recall(places: Sequence[Place], groups: Groups) -> float | None:
    """Return the share of the quotes' characters that the places hold.

    Of a group that alternative counts which they hold most of. None where a group names documents
    alone.
    """
    spans = [[target for target in group if not target.whole] for group in groups]
    if not spans or not all(spans):
        return None
    covered, wanted = 0, 0
    for group in spans:
        held = [(_covered(places, target), target.end - target.start) for target in group]
        best = max(held, key=lambda each: each[0] / each[1])
        covered, wanted = covered + best[0], wanted + best[1]
    return covered / wanted


def evidence_precision(places: Sequence[Place], groups: Groups) -> float | None:
    """Return the share of the places' characters that are evidence; None without either."""
    targets = [target for group in groups for target in group]
    if not places or not targets or any(target.whole for target in targets):
        return None
    by_doc: dict[str, list[Span]] = {}
    for doc, start, end in places:
        by_doc.setdefault(doc, []).append((start, end))
    size = sum(_length(spans) for spans in by_doc.values())
    both = 0
    for doc, spans in by_doc.items():
        evidence = [(target.start, target.end) for target in targets if target.doc == doc]
        both += _length(spans) + _length(evidence) - _length([*spans, *evidence])
    return both / size if size else None


def within_budget(passages: Iterable[tuple[Place, str]], budget: int) -> list[Place]:
    """Return the places of the first `budget` words and marks; the last passage is cut there."""
    kept: list[Place] = []
    for (doc, start, end), text in passages:
        stops = [match.end() for match in _TOKEN.finditer(text)]
        if len(stops) > budget:
            end = start + stops[budget - 1] if budget else start
        if end > start:
            kept.append((doc, start, end))
        budget = max(0, budget - len(stops))
        if not budget:
            break
    return kept


def _gain(grades: Iterable[int]) -> float:
    return sum(grade / log2(rank + 1) for rank, grade in enumerate(grades, 1))


def _held(places: Sequence[Place], target: Target) -> bool:
    if target.whole:
        return any(doc == target.doc for doc, _, _ in places)
    return _covered(places, target) == target.end - target.start


def _covered(places: Sequence[Place], target: Target) -> int:
    """Return how many of a target's characters lie in one of the places."""
    cut = [
        (max(start, target.start), min(end, target.end))
        for doc, start, end in places
        if doc == target.doc and start < target.end and end > target.start
    ]
    return _length(cut)


def _length(spans: Sequence[Span]) -> int:
    """Return how many characters lie in at least one span."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
