"""Two rankings of the same chunks → one."""

import numpy as np

from rag.types import Scores

USUAL = 1 / 3
"""Share of what a question's words can score at most at which `alpha` counts as it is."""
TILT = 3.0
"""How far the dense signal's odds turn, in doublings, between a share of 0 and a share of 1."""


def convex_fusion(
    dense: Scores, lexical: Scores, alpha: float, most: float | None = None
) -> tuple[Scores, float]:
    """Return `w * dense + (1 - w) * lexical` over min-max scores of the same candidates, and `w`.

    Each signal is scaled to 0..1 over all candidates, those that only the other search brought
    among them. Bruch et al. 2023, "An Analysis of Fusion Functions for Hybrid Retrieval", section 4.

    `w` is `alpha` as this one question needs it. The signal that a few candidates stand out in is
    spread less than the other and counts for more, as if both were scaled to one deviation; and the
    dense counts for more the smaller a share of `most`, a bound of all lexical scores, the best
    candidate's words reach. An `alpha` of 0 or 1 remains what it is, and so does any without `most`.
    """
    near, said = _min_max(dense), _min_max(lexical)
    weight = alpha
    if most is not None:
        odds = _spread(said, near) * 2 ** (TILT * (USUAL - _share(lexical, most)))
        weight = alpha * odds / (alpha * odds + (1 - alpha))
    return weight * near + (1 - weight) * said, weight


def _spread(one: Scores, other: Scores) -> float:
    """Return how many times as widely as the other the one is spread; 1 where either is not."""
    if len(one) == 0:
        return 1.0
    wide, base = float(one.std(dtype=np.float64)), float(other.std(dtype=np.float64))
    return wide / base if wide > 0 and base > 0 else 1.0


def _share(lexical: Scores, most: float) -> float:
    return min(1.0, float(lexical.max()) / most) if len(lexical) and most > 0 else 0.0


def _min_max(scores: Scores) -> Scores:
    """Scale to 0..1; where all are alike they are 1, or 0 if nothing speaks for any."""
    if len(scores) == 0:
        return scores
    low, high = scores.min(), scores.max()
    alike = np.full_like(scores, high > 0)
    scaled: Scores = (scores - low) / (high - low) if high > low else alike
    return scaled
