"""Two rankings of the same chunks → one."""

import numpy as np

from rag.types import Scores


def convex_fusion(dense: Scores, lexical: Scores, alpha: float) -> Scores:
    """Return `alpha * dense + (1 - alpha) * lexical` over min-max scores of the same candidates.

    Each signal is scaled to 0..1 over all candidates, those that only the other search brought
    among them. Bruch et al. 2023, "An Analysis of Fusion Functions for Hybrid Retrieval", section 4.
    """
    return alpha * _min_max(dense) + (1 - alpha) * _min_max(lexical)


def _min_max(scores: Scores) -> Scores:
    """Scale to 0..1; where all are alike they are 1, or 0 if nothing speaks for any."""
    if len(scores) == 0:
        return scores
    low, high = scores.min(), scores.max()
    alike = np.full_like(scores, high > 0)
    scaled: Scores = (scores - low) / (high - low) if high > low else alike
    return scaled
