"""Rankings against ir-measures, and evidence counted by hand."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.retrieval import (
    Place,
    Target,
    all_evidence,
    evidence_precision,
    evidence_recall,
    ndcg_at,
    recall_at,
    reciprocal_rank,
    success_at,
    within_budget,
)


@pytest.mark.parametrize("seed", range(40))
def test_rankings_agree_with_ir_measures_where_scores_tie(seed: int) -> None:
    rng = np.random.default_rng(seed)
    docs = [f"d{n}" for n in range(30)]
    relevant = {doc: int(rng.integers(1, 4)) for doc in docs if rng.random() < 0.2} or {"d0": 1}
    relevant["never retrieved"] = 2
    scores = {doc: int(rng.integers(0, 6)) for doc in docs}  # six values, thirty documents
    ranked = sorted(docs, key=lambda doc: (-scores[doc], doc))
    strict = {"q": {doc: float(len(docs) - at) for at, doc in enumerate(ranked)}}
    theirs = ir_measures.calc_aggregate(
        [
            ir_measures.parse_measure(m)
            for m in ("R@3", "R@10", "Success@1", "RR@10", "nDCG@3", "nDCG@10")
        ],
        {"q": relevant},
        strict,
    )
    ours = {
        "R@3": recall_at(ranked, relevant, 3),
        "R@10": recall_at(ranked, relevant, 10),
        "Success@1": success_at(ranked, relevant, 1),
        "RR@10": reciprocal_rank(ranked, relevant, 10),
        "nDCG@3": ndcg_at(ranked, relevant, 3),
        "nDCG@10": ndcg_at(ranked, relevant, 10),
    }
    assert ours == pytest.approx({str(measure): value for measure, value in theirs.items()})


def test_without_relevant_documents_there_is_no_score() -> None:
    for metric in (recall_at, success_at, reciprocal_rank, ndcg_at):
        assert metric(["a"], {}, 10) is None


def test_of_no_ranking_the_score_is_zero() -> None:
    for metric in (recall_at, success_at, reciprocal_rank, ndcg_at):
        assert metric([], {"a": 1}, 10) == 0


GROUPS = [
    [Target("a", 10, 20), Target("b", 0, 5)],  # either of these
    [Target("a", 100, 140)],
]


@pytest.mark.parametrize(
    ("places", "found", "recall", "precision"),
    [
        ([("a", 0, 200)], 1, 1, 50 / 200),
        ([("b", 0, 5), ("a", 100, 140)], 1, 1, 1),
        ([("a", 0, 20)], 0, 10 / 50, 10 / 20),
        ([("a", 0, 120)], 0, 30 / 50, 30 / 120),
        ([("a", 0, 15), ("a", 12, 20), ("a", 100, 140)], 1, 1, 50 / 60),  # together, none alone
        ([("a", 0, 50), ("a", 0, 50)], 0, 10 / 50, 10 / 50),  # said twice, counted once
        ([("c", 0, 200)], 0, 0, 0),
        ([], 0, 0, None),
    ],
)
def test_evidence_by_hand(
    places: list[Place], found: float, recall: float, precision: float | None
) -> None:
    assert all_evidence(places, GROUPS) == found
    assert evidence_recall(places, GROUPS) == pytest.approx(recall)
    assert evidence_precision(places, GROUPS) == pytest.approx(precision)


def test_a_document_as_such_is_found_by_any_passage_and_has_no_characters_to_count() -> None:
    groups = [[Target("a", 0, 1000, whole=True)], [Target("b", 0, 900, whole=True)]]
    assert all_evidence([("a", 0, 10)], groups) == 0
    assert all_evidence([("a", 0, 10), ("b", 50, 60)], groups) == 1
    assert evidence_recall([("a", 0, 10)], groups) is None
    assert evidence_precision([("a", 0, 10)], groups) is None


def test_without_evidence_there_is_no_score() -> None:
    assert all_evidence([("a", 0, 10)], []) is None
    assert evidence_recall([("a", 0, 10)], []) is None
    assert evidence_precision([("a", 0, 10)], []) is None


places = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.integers(1, 40)).map(
        lambda p: (p[0], p[1], p[1] + p[2])
    ),
    min_size=1,
    max_size=6,
)


@given(places, places)
def test_evidence_shares_are_those_of_sets_of_characters(
    found: list[Place], wanted: list[Place]
) -> None:
    groups = [[Target(*place)] for place in wanted]
    held = {(doc, at) for doc, start, end in found for at in range(start, end)}
    evidence = {(doc, at) for doc, start, end in wanted for at in range(start, end)}
    assert evidence_precision(found, groups) == pytest.approx(len(held & evidence) / len(held))
    each = [[(doc, at) in held for at in range(start, end)] for doc, start, end in wanted]
    flat = [hit for group in each for hit in group]
    assert evidence_recall(found, groups) == pytest.approx(sum(flat) / len(flat))
    assert all_evidence(found, groups) == float(all(flat))


def test_a_budget_cuts_the_passage_that_goes_over_it() -> None:
    passages = [(("a", 100, 111), "one two, x."), (("b", 0, 9), "four five")]
    assert within_budget(passages, 100) == [("a", 100, 111), ("b", 0, 9)]
    assert within_budget(passages, 6) == [("a", 100, 111), ("b", 0, 4)]
    assert within_budget(passages, 5) == [("a", 100, 111)]
    assert within_budget(passages, 2) == [("a", 100, 107)]
    assert within_budget(passages, 0) == []
