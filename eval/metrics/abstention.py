"""What a confidence is worth: risk by coverage, the area under it, and how it parts two kinds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def risk_coverage(confidence: ArrayLike, wrong: ArrayLike) -> list[tuple[float, float]]:
    """Return (coverage, risk) at each confidence that occurs, the most confident first.

    Coverage is the share of items at least so confident, risk the share of these that is wrong.
    """
    _, faults, ends = _ordered(confidence, wrong)
    if not len(ends):
        return []
    total = np.cumsum(faults)[ends - 1]
    return list(zip((ends / len(faults)).tolist(), (total / ends).tolist(), strict=True))


def aurc(confidence: ArrayLike, wrong: ArrayLike) -> float | None:
    """Return the mean risk over all coverages, lower is better; None without items.

    Geifman et al. 2019, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers". Items of
    equal confidence count as if in random order, so their own order does not matter.
    """
    _, faults, ends = _ordered(confidence, wrong)
    if not len(ends):
        return None
    starts = np.concatenate([[0], ends[:-1]])
    sizes = ends - starts
    total = np.concatenate([[0.0], np.cumsum(faults)])
    rank = np.arange(1, len(faults) + 1)
    first = np.repeat(starts, sizes)
    before, share = (
        np.repeat(total[starts], sizes),
        np.repeat((total[ends] - total[starts]) / sizes, sizes),
    )
    return float(np.mean((before + share * (rank - first)) / rank))


def auroc(confidence: ArrayLike, positive: ArrayLike) -> float | None:
    """Return how often a positive item has more confidence than another, half where they are equal.

    Mann and Whitney 1947. None where all items are of one kind.
    """
    yes = np.asarray(positive, bool)
    ones, zeros = int(yes.sum()), int((~yes).sum())
    if not ones or not zeros:
        return None
    ranks = rankdata(np.asarray(confidence, float))
    return float((ranks[yes].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def selective_risk(answered: Sequence[bool], wrong: Sequence[bool]) -> float | None:
    """Return the share of the given answers that is wrong; None where none was given."""
    given = [bad for said, bad in zip(answered, wrong, strict=True) if said]
    return sum(given) / len(given) if given else None


def _ordered(
    confidence: ArrayLike, wrong: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return confidence and faults, most confident first, and where each run of equals ends."""
    known = np.asarray(confidence, float)
    order = np.argsort(-known, kind="stable")
    known, faults = known[order], np.asarray(wrong, float)[order]
    last = np.flatnonzero(np.diff(known)) + 1
    ends = np.concatenate([last, [len(known)]]) if len(known) else last
    return known, faults, ends
