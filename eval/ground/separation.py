"""How well scores part what is supported from what is not, and by how much better than others do."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval import stats
from eval.metrics.abstention import auroc
from eval.metrics.words import tokens
from eval.totals import rounded


def overlap(claim: str, passage: str) -> float:
    """Return the share of the claim's tokens that are in the passage; 0 without tokens."""
    said, held = tokens(claim), set(tokens(passage))
    return sum(token in held for token in said) / len(said) if said else 0.0


def shortness(claim: str, passage: str) -> float:
    """Return the more the fewer tokens the claim has, whatever the passage says."""
    return -float(len(tokens(claim)))


BASELINES = {"overlap": overlap, "shortness": shortness}
"""What anyone could score without reading."""


def separation(
    scores: Mapping[str, Sequence[float]], supported: Sequence[bool], clusters: Sequence[str]
) -> dict[str, Any]:
    """Return each score's AUROC, and the first one's lead over each other, with 95 % intervals.

    Equal scores count half; intervals are of a bootstrap that draws clusters, and that of a lead is
    paired: both scores are of the same items in every draw.
    """
    first = next(iter(scores))
    return {
        name: {
            **area(column, supported, clusters),
            "lead": None
            if name == first
            else _interval(_lead(scores[first], column), supported, clusters),
        }
        for name, column in scores.items()
    }


def area(column: Sequence[float], supported: Sequence[bool], clusters: Sequence[str]) -> dict[str, Any]:
    """Return the AUROC of one score with its interval."""
    return _interval(_area(column), supported, clusters)


def decisions(said: Sequence[bool], supported: Sequence[bool]) -> dict[str, Any]:
    """Return accuracy, and precision and recall of what was called supported; None where undefined."""
    both = sum(a and b for a, b in zip(said, supported, strict=True))
    right = sum(a == b for a, b in zip(said, supported, strict=True))
    return {
        "n": len(said),
        "positives": sum(supported),
        "accuracy": _share(right, len(said)),
        "precision": _share(both, sum(said)),
        "recall": _share(both, sum(supported)),
        "false_accepts": _share(sum(said) - both, len(said) - sum(supported)),
    }


def rate(k: int, n: int) -> dict[str, Any]:
    """Return a share with its counts and Wilson's interval."""
    found = stats.wilson(k, n)
    return {
        "k": k,
        "n": n,
        "rate": _share(k, n),
        "low": rounded(found.low) if found else None,
        "high": rounded(found.high) if found else None,
    }


def _area(column: Sequence[float]) -> stats.Statistic:
    values = np.asarray(column, float)
    return lambda rows, supported: auroc(values[rows.astype(int)], supported)


def _lead(first: Sequence[float], other: Sequence[float]) -> stats.Statistic:
    ours, theirs = _area(first), _area(other)

    def lead(rows: Any, supported: Any) -> float | None:
        one, two = ours(rows, supported), theirs(rows, supported)
        return None if one is None or two is None else one - two

    return lead


def _interval(
    statistic: stats.Statistic, supported: Sequence[bool], clusters: Sequence[str]
) -> dict[str, Any]:
    rows = [float(row) for row in range(len(supported))]
    found = stats.resampled(statistic, rows, supported, clusters)
    return {
        "value": rounded(statistic(np.asarray(rows), np.asarray(supported, bool))),
        "low": rounded(found.low) if found else None,
        "high": rounded(found.high) if found else None,
    }


def _share(k: int, n: int) -> float | None:
    return rounded(k / n) if n else None
