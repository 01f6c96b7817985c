"""How sure a number is, and whether a difference could be chance. All of it seeded.

Questions about one document are no independent witnesses, so whatever is drawn or turned at random
is a cluster: all items that hang on one document.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm, t

DRAWS = 2000
SEED = 20260101
LEVEL = 0.05
_EXACT = 14
"""Clusters up to which all ways of turning them are gone through."""
_Z = float(norm.ppf(1 - LEVEL / 2))

Floats = NDArray[np.float64]
Statistic = Callable[[Any, Any], float | None]
"""Of two columns, one value for each item: a number, or None where it is not defined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval and how it was found."""

    low: float
    high: float
    method: str


def interval(values: Sequence[float], clusters: Sequence[str]) -> Interval | None:
    """Return the interval of a mean: Wilson's where all values are 0 or 1, else a bootstrap."""
    if not values:
        return None
    if set(values) <= {0.0, 1.0}:
        return wilson(int(sum(values)), len(values))
    return _of_mean(values, clusters)


def wilson(k: int, n: int) -> Interval | None:
    """Return the score interval of k of n (Wilson 1927); None where n is 0."""
    if not n:
        return None
    found = binomtest(k, n).proportion_ci(1 - LEVEL, method="wilson")
    return Interval(float(found.low), float(found.high), "wilson")


def resampled(
    statistic: Statistic, first: Sequence[float], second: Sequence[bool], clusters: Sequence[str]
) -> Interval | None:
    """Return the cluster bootstrap's interval of a statistic that is no mean.

    None where it is not defined, on all items or on too many of the draws.
    """
    one, other = np.asarray(first, float), np.asarray(second, bool)
    value = statistic(one, other)
    if value is None:
        return None
    members = _members(clusters)
    rng = np.random.default_rng(SEED)

    def of(chosen: Sequence[int]) -> float:
        rows = np.concatenate([members[at] for at in chosen]) if len(chosen) else np.zeros(0, int)
        found = statistic(one[rows], other[rows])
        return np.nan if found is None else found

    count = len(members)
    draws = np.array([of(rng.integers(0, count, count).tolist()) for _ in range(DRAWS // 2)])
    left_out = np.array([of([at for at in range(count) if at != out]) for out in range(count)])
    known = draws[~np.isnan(draws)]
    if len(known) < len(draws) / 2:
        return None
    return _interval(value, known, left_out, count)


def paired_mean(differences: Sequence[float], clusters: Sequence[str]) -> Interval | None:
    """Return the interval of the mean of paired differences in -1..1; None without pairs.

    Where no pair differs there is nothing to draw from, and what their number alone can tell is
    `paired_proportion` with nothing lost or won.
    """
    if not any(differences):
        return paired_proportion(0, 0, len(differences))
    return _of_mean(differences, clusters)


def paired_proportion(lost: int, won: int, n: int) -> Interval | None:
    """Return the interval of (won - lost) / n, two paired shares' difference; None where n is 0.

    Bonett and Price 2012, "Adjusted Wald Confidence Interval for a Difference of Binomial
    Proportions Based on Paired Data".
    """
    if not n:
        return None
    up, down = (won + 1) / (n + 2), (lost + 1) / (n + 2)
    half = _Z * np.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return Interval(float(max(-1, up - down - half)), float(min(1, up - down + half)), "bonett-price")


def mcnemar(lost: int, won: int) -> float:
    """Return the exact two-sided p that as many were lost and won by chance (McNemar 1947)."""
    return float(binomtest(lost, lost + won).pvalue) if lost + won else 1.0


def permutation(differences: Sequence[float], clusters: Sequence[str]) -> float:
    """Return the two-sided p of a paired difference, by turning the sign of clusters at random.

    All ways are gone through where few clusters differ (Fisher 1935), else `DRAWS` * 5 of them with
    the observed one among them (Phipson and Smyth 2010).
    """
    sums = _sums(np.asarray(differences, float), clusters)[0]
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    least = abs(sums.sum()) - 1e-9
    if len(sums) <= _EXACT:
        turns = np.array(np.meshgrid(*[[-1.0, 1.0]] * len(sums))).reshape(len(sums), -1).T
        return float(np.mean(abs(turns @ sums) >= least))
    rng = np.random.default_rng(SEED)
    turned = (float(rng.choice((-1.0, 1.0), len(sums)) @ sums) for _ in range(5 * DRAWS))
    extreme = sum(bool(abs(total) >= least) for total in turned)
    return (1 + extreme) / (1 + 5 * DRAWS)


def holm(p: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number, in their order (Holm 1979)."""
    adjusted = [0.0] * len(p)
    reached = 0.0
    for rank, at in enumerate(sorted(range(len(p)), key=lambda at: p[at])):
        reached = max(reached, min(1.0, (len(p) - rank) * p[at]))
        adjusted[at] = reached
    return adjusted


def least_detectable(n: int, tests: int) -> float | None:
    """Return the smallest share that, lost with nothing won, could not be chance among n items.

    It is the smallest that `paired_proportion` holds off 0, or that McNemar's test finds after
    Holm's correction for `tests`; None where even the loss of all is neither.
    """
    for lost in range(1, n + 1):
        found = paired_proportion(lost, 0, n)
        if (found and found.high < 0) or mcnemar(lost, 0) * tests < LEVEL:
            return lost / n
    return None


def _of_mean(values: Sequence[float], clusters: Sequence[str]) -> Interval | None:
    sums, sizes = _sums(np.asarray(values, float), clusters)
    rng = np.random.default_rng(SEED)
    chosen = rng.integers(0, len(sums), (DRAWS, len(sums)))
    draws = sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    rest = sizes.sum() - sizes
    left_out = (sums.sum() - sums) / np.where(rest > 0, rest, np.nan)
    return _interval(float(sums.sum() / sizes.sum()), draws, left_out, len(sums))


def _interval(value: float, draws: Floats, left_out: Floats, count: int) -> Interval | None:
    """Return the BCa interval (Efron 1987), or the percentile one where that is not defined.

    A single cluster tells nothing of how others would be: None.

    The levels are widened as for Student's t over so many clusters (Hesterberg 2015, "What Teachers
    Should Know about the Bootstrap", section 5.3); plain levels are too narrow where there are few.
    """
    if count < 2:
        return None
    if np.ptp(draws) < 1e-12:
        return Interval(value, value, "constant")
    z = np.sqrt(count / (count - 1)) * t.ppf([LEVEL / 2, 1 - LEVEL / 2], count - 1)
    shift = norm.ppf(np.mean(draws < value) + np.mean(draws == value) / 2)
    gaps = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    spread = float((gaps**2).sum() ** 1.5)
    skew = float((gaps**3).sum()) / (6 * spread) if spread else np.nan
    levels = norm.cdf(shift + (shift + z) / (1 - skew * (shift + z)))
    usable = np.isfinite(levels).all() and (1 - skew * (shift + z) > 0).all()
    low, high = np.quantile(draws, levels if usable else norm.cdf(z))
    return Interval(float(low), float(high), "bca" if usable else "percentile")


def _members(clusters: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the items of each cluster."""
    found: dict[str, list[int]] = {}
    for at, name in enumerate(clusters):
        found.setdefault(name, []).append(at)
    return [np.array(rows, np.int64) for rows in found.values()]


def _sums(values: Floats, clusters: Sequence[str]) -> tuple[Floats, Floats]:
    """Return each cluster's sum and its size."""
    members = _members(clusters)
    return (
        np.array([values[rows].sum() for rows in members], float),
        np.array([len(rows) for rows in members], float),
    )
