"""Risk and coverage by hand, and what must not depend on the order of items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from eval.metrics.abstention import aurc, auroc, risk_coverage, selective_risk


def test_aurc_by_hand() -> None:
    # from the most confident on: right, wrong, right, wrong → risks 0, 1/2, 1/3, 2/4
    confidence, wrong = [0.9, 0.8, 0.7, 0.6], [False, True, False, True]
    assert aurc(confidence, wrong) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert risk_coverage(confidence, wrong) == [
        pytest.approx(point) for point in [(0.25, 0), (0.5, 0.5), (0.75, 1 / 3), (1, 0.5)]
    ]


def test_equal_confidence_counts_as_random_order() -> None:
    # both orders of the two equal items: risks 0, 1/2 and 1, 1/2
    assert aurc([0.5, 0.5], [True, False]) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert risk_coverage([0.5, 0.5], [True, False]) == [(1.0, 0.5)]


def test_a_confidence_that_parts_right_from_wrong_has_the_least_risk() -> None:
    wrong = [False] * 6 + [True] * 2
    best = aurc(np.linspace(1, 0, 8), wrong)
    worst = aurc(np.linspace(0, 1, 8), wrong)
    assert best == pytest.approx((1 / 7 + 2 / 8) / 8)
    assert best is not None
    assert worst is not None
    assert best < aurc([0.5] * 8, wrong) < worst  # type: ignore[operator]
    assert aurc([0.5] * 8, wrong) == pytest.approx(2 / 8)


def test_without_items_or_kinds_there_is_no_score() -> None:
    assert aurc([], []) is None
    assert risk_coverage([], []) == []
    assert auroc([0.1, 0.9], [True, True]) is None
    assert auroc([], []) is None
    assert selective_risk([False], [True]) is None


def test_auroc_by_hand() -> None:
    assert auroc([0.9, 0.8, 0.2], [True, True, False]) == 1
    assert auroc([0.9, 0.5, 0.5], [True, False, True]) == pytest.approx(0.75)
    assert selective_risk([True, True, False], [True, False, True]) == 0.5


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30), st.randoms())
def test_the_order_of_items_does_not_matter(rows: list[tuple[int, bool]], random: object) -> None:
    turned = rows[:]
    random.shuffle(turned)  # type: ignore[attr-defined]
    for metric in (aurc, auroc, risk_coverage):
        first = metric([c for c, _ in rows], [w for _, w in rows])
        second = metric([c for c, _ in turned], [w for _, w in turned])
        assert first == second or first == pytest.approx(second)
    kinds = [w for _, w in rows]
    if len(set(kinds)) == 2:
        assert auroc([c for c, _ in rows], kinds) == pytest.approx(
            roc_auc_score(kinds, [c for c, _ in rows])
        )
