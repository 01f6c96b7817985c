"""The scores of all items → each metric with its interval, and what degenerate systems would score."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from eval import stats
from eval.measures import MEASURES, Measure
from eval.metrics import abstention
from eval.metrics.grounding import Judge
from eval.references import REFERENCES
from eval.score import Scored, Texts, scored

Columns = tuple[Sequence[float], Sequence[bool]]


def totals(results: Sequence[Scored], texts: Texts, judge: Judge) -> dict[str, Any]:
    """Return every metric with its interval, how many items it rests on, and its references."""
    ordered = sorted(results, key=lambda result: result.gold.item.id)
    references = {name: _reference(name, ordered, texts, judge) for name in REFERENCES}
    return {
        measure.name: {
            "group": measure.group,
            "title": measure.title,
            "about": measure.about,
            "better": measure.better,
            **_measured(measure, ordered),
            "references": {name: values.get(measure.name) for name, values in references.items()},
        }
        for measure in MEASURES
    }


def _measured(measure: Measure, results: Sequence[Scored]) -> dict[str, Any]:
    if measure.name in _WHOLE:
        usable, columns, statistic = _WHOLE[measure.name]
        rows = [result for result in results if usable(result)]
        clusters = [result.gold.item.cluster for result in rows]
        first, second = columns(rows)
        value = statistic(first, second)
        found = stats.resampled(statistic, first, second, clusters)
    else:
        rows = [result for result in results if result.scores[measure.name] is not None]
        values = [result.scores[measure.name] or 0.0 for result in rows]
        value = _mean(values)
        found = stats.interval(values, [result.gold.item.cluster for result in rows])
    return {
        "value": rounded(value),
        "low": rounded(found.low) if found else None,
        "high": rounded(found.high) if found else None,
        "interval": found.method if found else None,
        "n": len(rows) if value is not None else 0,
        "na": len(results) - (len(rows) if value is not None else 0),
    }


def _is_judged(result: Scored) -> bool:
    return result.would_be_wrong is not None


def _faults(results: Iterable[Scored]) -> Columns:
    """Return the confidence of every item, and whether its answer is wrong if not withheld."""
    rows = [(result.record["confidence"], bool(result.would_be_wrong)) for result in results]
    return [confidence for confidence, _ in rows], [wrong for _, wrong in rows]


def _kinds(results: Sequence[Scored]) -> Columns:
    confidence = [result.record["confidence"] for result in results]
    return confidence, [result.gold.item.answerable for result in results]


_WHOLE: Mapping[
    str,
    tuple[
        Callable[[Scored], bool],
        Callable[[Sequence[Scored]], Columns],
        Callable[[Sequence[float], Sequence[bool]], float | None],
    ],
] = {
    "aurc": (_is_judged, _faults, abstention.aurc),
    "auroc": (lambda result: True, _kinds, abstention.auroc),
}
"""Metrics of a whole set: the items that count, what is looked at, and the value."""


def _reference(
    name: str, results: Sequence[Scored], texts: Texts, judge: Judge
) -> dict[str, float | None]:
    """Return what a degenerate system would score on the same items."""
    answer = REFERENCES[name]

    def nothing(prediction: str, accepted: Sequence[str]) -> None:
        return None

    rows = []
    for result in results:
        record = answer(result.gold, result.record, texts)
        scores = scored(result.gold, record, texts, judge, nothing)
        rows.append(Scored(result.gold, record, scores, ""))
    found = {
        measure.name: rounded(_mean([row.scores[measure.name] for row in rows]))
        for measure in MEASURES
        if measure.name not in _WHOLE and not (name == "whole context" and measure.group == "retrieval")
    }
    for metric, (usable, columns, statistic) in _WHOLE.items():
        found[metric] = rounded(statistic(*columns([row for row in rows if usable(row)])))
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def risk_coverage(results: Iterable[Scored]) -> list[list[float]]:
    """Return (coverage, risk) at each confidence, had no answer been withheld."""
    points = abstention.risk_coverage(*_faults(filter(_is_judged, results)))
    return [[round(value, 6) for value in point] for point in points]


def rounded(value: float | None) -> float | None:
    """Return a number as reports hold it."""
    return None if value is None else round(value, 6)
