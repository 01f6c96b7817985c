"""Two rankings → one, and how much each of them counts for one question."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieve.fusion import USUAL, convex_fusion
from rag.types import Scores

SIGNALS = st.integers(1, 20).flatmap(
    lambda n: st.tuples(*[st.lists(st.floats(0, 1, width=32), min_size=n, max_size=n)] * 2)
)


def scores(*values: float) -> Scores:
    return np.array(values, np.float32)


@given(SIGNALS, st.floats(0, 1), st.floats(0, 2))
def test_scores_and_weight_stay_within_0_and_1(
    signals: tuple[list[float], list[float]], alpha: float, most: float
) -> None:
    dense, lexical = (scores(*values) for values in signals)
    fused, weight = convex_fusion(dense, lexical, alpha, most)
    assert 0 <= weight <= 1
    assert (fused >= 0).all()
    assert (fused <= 1.0001).all()


@given(SIGNALS)
def test_all_or_nothing_stays_all_or_nothing(signals: tuple[list[float], list[float]]) -> None:
    dense, lexical = (scores(*values) for values in signals)
    assert convex_fusion(dense, lexical, 1.0, 1.0)[1] == 1.0
    assert convex_fusion(dense, lexical, 0.0, 1.0)[1] == 0.0


def test_alpha_is_the_weight_where_nothing_speaks_for_either() -> None:
    signal = scores(0, 1, 2)
    fused, weight = convex_fusion(signal, 5 * signal, 0.5, most=10 / USUAL)
    assert weight == pytest.approx(0.5)
    assert fused == pytest.approx([0, 0.5, 1])


def test_odds_of_the_dense_double_with_each_third_that_the_words_fall_short() -> None:
    signal = scores(0, 1, 2)
    odds = [w / (1 - w) for w in (convex_fusion(signal, signal, 0.5, most)[1] for most in (2, 3, 6))]
    assert odds == pytest.approx([1 / 4, 1 / 2, 1])
    assert convex_fusion(signal, scores(0, 0, 0), 0.5, 6)[1] == pytest.approx(2 / 3)


def test_what_a_few_stand_out_in_counts_for_more() -> None:
    clear, vague = scores(0, 0, 0, 0, 0, 0, 0, 1), scores(0, 1, 0, 1, 0, 1, 0, 1)
    usual = 1 / USUAL
    assert convex_fusion(clear, vague, 0.5, usual)[1] == pytest.approx(0.6019, abs=1e-4)
    assert convex_fusion(vague, clear, 0.5, usual)[1] == pytest.approx(0.3981, abs=1e-4)


def test_nothing_found_is_nothing_fused() -> None:
    fused, weight = convex_fusion(scores(), scores(), 0.5, 0.0)
    assert len(fused) == 0
    assert weight == pytest.approx(2 / 3)
