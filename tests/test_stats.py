"""Intervals and tests against hand-worked and independent results."""

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import bootstrap, norm

from eval import stats
from eval.metrics.abstention import auroc

APART = [f"c{n}" for n in range(1000)]


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (3, 10), (81, 263)])
def test_wilson_by_its_formula(k: int, n: int) -> None:
    z, p = norm.ppf(0.975), k / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = stats.wilson(k, n)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(middle - half), pytest.approx(middle + half))
    assert stats.interval([1.0] * k + [0.0] * (n - k), APART[:n]) == found


def test_of_nothing_there_is_no_interval() -> None:
    assert stats.wilson(0, 0) is None
    assert stats.interval([], []) is None
    assert stats.paired_mean([], []) is None
    assert stats.paired_proportion(0, 0, 0) is None
    assert stats.resampled(auroc, [], [], []) is None


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (6, 0, 2 / 2**6),
        (0, 6, 2 / 2**6),
        (12, 2, 2 * sum(comb(14, k) for k in range(3)) / 2**14),
        (7, 1, 2 * (1 + 8) / 2**8),
    ],
)
def test_mcnemar_by_hand(lost: int, won: int, p: float) -> None:
    assert stats.mcnemar(lost, won) == pytest.approx(p)


def test_bonett_and_price_by_hand() -> None:
    found = stats.paired_proportion(12, 0, 100)
    assert found is not None
    up, down = 1 / 102, 13 / 102
    half = norm.ppf(0.975) * np.sqrt((up + down - (up - down) ** 2) / 102)
    assert (found.low, found.high) == (
        pytest.approx(up - down - half),
        pytest.approx(up - down + half),
    )


def test_holm_by_hand() -> None:
    # Holm 1979: .01 * 4, then .02 * 3, then the larger of .03 * 2 and what came before
    assert stats.holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert stats.holm([0.6, 0.7]) == [1.0, 1.0]
    assert stats.holm([]) == []


def test_bca_agrees_with_scipy_on_independent_items() -> None:
    values = np.random.default_rng(7).beta(2, 5, 200)
    found = stats.interval(values.tolist(), APART[:200])
    theirs = bootstrap((values,), np.mean, n_resamples=20000, rng=3).confidence_interval
    assert found is not None
    assert found.method == "bca"
    assert found.low == pytest.approx(theirs.low, abs=0.004)
    assert found.high == pytest.approx(theirs.high, abs=0.004)


def test_items_of_one_document_are_no_independent_witnesses() -> None:
    values = np.repeat(np.random.default_rng(1).random(20), 50)
    documents = [f"d{n // 50}" for n in range(1000)]
    together, apart = stats.interval(values.tolist(), documents), stats.interval(values.tolist(), APART)
    assert together is not None
    assert apart is not None
    assert together.high - together.low > 5 * (apart.high - apart.low)


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(300):
        shared = rng.normal(0.5, 0.1, 12)
        values = np.concatenate([rng.normal(mean, 0.1, 6) for mean in shared])
        found = stats.interval(values.tolist(), [f"d{n // 6}" for n in range(72)])
        assert found is not None
        covered += found.low <= 0.5 <= found.high
    assert 0.91 < covered / 300 < 0.985


def test_where_bca_is_not_defined_something_else_is_given_and_named() -> None:
    assert stats.interval([0.5] * 9, APART[:9]) == stats.Interval(0.5, 0.5, "constant")
    one_sided = stats.interval([0.5] * 60 + [0.2], APART[:61])
    assert one_sided is not None
    assert np.isfinite([one_sided.low, one_sided.high]).all()
    assert stats.interval([0.5, 0.2], ["same", "same"]) is None


def test_pairs_that_do_not_differ_say_no_more_than_their_number_can() -> None:
    assert stats.paired_mean([0.0] * 50, APART[:50]) == stats.paired_proportion(0, 0, 50)


def test_a_statistic_that_is_no_mean_has_an_interval_too() -> None:
    rng = np.random.default_rng(2)
    kinds = (rng.random(200) < 0.5).tolist()
    confidence = [rng.normal(1.0 if kind else 0.0) for kind in kinds]
    found = stats.resampled(auroc, confidence, kinds, APART[:200])
    value = auroc(confidence, kinds)
    assert found is not None
    assert value is not None
    assert value - 0.1 < found.low < value < found.high < value + 0.1
    assert found == stats.resampled(auroc, confidence, kinds, APART[:200])


def test_permutation_goes_through_all_ways_where_there_are_few() -> None:
    differences = [-0.4, -0.1, 0.2, -0.3, -0.05]
    observed = abs(sum(differences))
    ways = [
        abs(sum(sign * each for sign, each in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=5)
    ]
    expected = np.mean([way >= observed - 1e-9 for way in ways])
    assert stats.permutation(differences, APART[:5]) == pytest.approx(expected)
    assert stats.permutation([*differences, 0.0], APART[:6]) == pytest.approx(expected)


def test_permutation_turns_documents_not_items() -> None:
    differences = [-0.1] * 40
    assert stats.permutation(differences, APART[:40]) < 0.001
    assert stats.permutation(differences, ["d1"] * 20 + ["d2"] * 20) == 0.5
    assert stats.permutation([0.0] * 9, APART[:9]) == 1.0


def test_permutation_by_draws_agrees_with_the_normal_law() -> None:
    differences = np.random.default_rng(3).normal(-0.02, 0.1, 80)
    z = abs(differences.sum()) / np.sqrt((differences**2).sum())
    assert stats.permutation(differences.tolist(), APART[:80]) == pytest.approx(
        2 * norm.sf(z), abs=0.02
    )


@pytest.mark.parametrize(("n", "least"), [(3, None), (20, 6 / 20), (100, 6 / 100), (204, 5 / 204)])
def test_the_least_loss_that_could_be_seen(n: int, least: float | None) -> None:
    found = stats.least_detectable(n, 4)
    assert found == (None if least is None else pytest.approx(least, abs=1.01 / n))
    if found is not None:
        lost = round(found * n)
        held = stats.paired_proportion(lost, 0, n), stats.paired_proportion(lost - 1, 0, n)
        assert held[0] is not None
        assert held[1] is not None
        assert held[0].high < 0 <= held[1].high
