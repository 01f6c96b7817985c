import copy
from typing import Any

import pytest

from eval.compare import compare
from eval.errors import NotComparableError

Report = dict[str, Any]


def report(right: int = 100, of: int = 100) -> Report:
    """A run in which the first `right` items are right; each rests on a document of its own."""
    items = [item(n, n < right) for n in range(of)]
    metrics = ("correct", "success@1", "ndcg@3", "citation_recall")
    return {
        "schema": 1,
        "scoring": 1,
        "gold": {"name": "made", "digest": "g", "items": of, "of": of, "tags": [], "limit": None},
        "system": {
            "index": "i",
            "encoder": "e",
            "encoder_fingerprint": "e",
            "backend": "b",
            "models": ["m"],
            "prompt": "p",
            "calibration": "c",
            "settings": {"top_k": 8},
            "code": "x",
            "judge": "lexical-1",
        },
        "metrics": {name: {"title": name} for name in metrics},
        "documents": {f"d{n}": {"sha256": "s", "sentences": []} for n in range(of)},
        "items": items,
    }


def item(n: int, right: bool) -> dict[str, Any]:
    return {
        "id": f"q{n:03}",
        "question": f"What is {n}?",
        "history": [],
        "filter": None,
        "digest": "d",
        "evidence": [{"doc": f"d{n}"}],
        "near": None,
        "citations": [],
        "passages": [{"doc": f"d{n}"}],
        "answer": "yes" if right else "no",
        "scores": {"correct": float(right), "success@1": 1.0, "ndcg@3": 1.0, "citation_recall": None},
        "stage": "right" if right else "answered wrong",
    }


def gate(comparison: dict[str, Any], metric: str) -> dict[str, Any]:
    return next(each for each in comparison["gates"] if each["metric"] == metric)


def test_twelve_of_a_hundred_is_a_regression() -> None:
    found = compare(report(), report(88))
    assert found["verdict"] == "FAIL"
    right = gate(found, "correct")
    assert (right["lost"], right["won"], right["n"]) == (12, 0, 100)
    assert right["high"] < 0
    assert right["p_holm"] < 0.05


def test_two_of_a_hundred_is_inconclusive_and_says_what_could_be_seen() -> None:
    found = compare(report(), report(98))
    assert found["verdict"] == "INCONCLUSIVE"
    right = gate(found, "correct")
    assert right["low"] < -found["margin"] < right["difference"] < 0 < right["high"]
    assert right["least_detectable"] >= 0.06


def test_the_same_run_passes_however_small() -> None:
    assert compare(report(3, 3), report(3, 3))["verdict"] == "PASS"


def test_few_items_without_a_loss_prove_little_once_something_changed() -> None:
    edited = report(20, 20)
    edited["system"]["code"] = "y"
    assert compare(report(20, 20), edited)["verdict"] == "INCONCLUSIVE"


def test_a_hundred_items_without_a_loss_pass() -> None:
    edited = report()
    edited["system"]["code"] = "y"
    found = compare(report(), edited)
    assert found["verdict"] == "PASS"
    assert found["changed"] == [{"kind": "code", "said": "code was x, is y"}]


def test_a_gain_passes() -> None:
    assert compare(report(80), report(95))["verdict"] == "PASS"


def test_as_many_won_as_lost_is_no_loss() -> None:
    new = report()
    for n in range(10):
        new["items"][n] = item(n, False)
    base = report(90)
    found = compare(base, new)
    assert gate(found, "correct")["difference"] == 0
    assert found["verdict"] == "INCONCLUSIVE"
    assert len(found["flips"]) == 20
    assert [flip["direction"] for flip in found["flips"]] == ["lost"] * 10 + ["won"] * 10


def test_a_flip_is_attributed_to_the_document_it_rests_on_and_to_no_other() -> None:
    new = report()
    new["items"][7] = item(7, False)
    for doc in ("d7", "d50"):
        new["documents"][doc] = {"sha256": "t", "sentences": []}
    found = compare(report(), new)
    (flip,) = found["flips"]
    assert flip["causes"] == [{"kind": "seeds", "said": "d7 was edited"}]
    assert flip["edited"] is True
    assert gate(found, "correct")["edited"] == {"n": 2, "base": 1.0, "new": 0.5, "lost": 1, "won": 0}
    assert gate(found, "correct")["untouched"]["lost"] == 0
    assert gate(found, "correct")["untouched"]["n"] == 98


def test_a_document_that_only_pushed_in_is_the_cause_where_evidence_is_untouched() -> None:
    new = report()
    new["items"][7] = {**item(7, False), "passages": [{"doc": "new"}, {"doc": "d7"}]}
    new["documents"]["new"] = {"sha256": "n", "sentences": []}
    (flip,) = compare(report(), new)["flips"]
    assert flip["causes"] == [{"kind": "seeds", "said": "new was added"}]
    assert flip["edited"] is False


def test_an_edit_elsewhere_still_is_a_cause_where_nothing_else_changed() -> None:
    new = report(99)
    new["documents"]["d3"] = {"sha256": "t", "sentences": []}
    (flip,) = compare(report(), new)["flips"]
    assert [cause["kind"] for cause in flip["causes"]] == ["seeds"]


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("prompt", "prompt"),
        ("backend", "model"),
        ("models", "model"),
        ("encoder_fingerprint", "model"),
        ("reader", "model"),
        ("calibration", "calibration"),
        ("code", "code"),
    ],
)
def test_a_flip_is_attributed_to_what_differs(part: str, kind: str) -> None:
    new = report(99)
    new["system"][part] = ["other"] if part == "models" else "other"
    (flip,) = compare(report(), new)["flips"]
    assert [cause["kind"] for cause in flip["causes"]] == [kind]


def test_a_setting_is_named_with_both_values() -> None:
    new = report(99)
    new["system"]["settings"] = {"top_k": 3}
    (flip,) = compare(report(), new)["flips"]
    assert flip["causes"] == [{"kind": "settings", "said": "top_k was 8, is 3"}]


def test_changed_gold_is_the_cause_of_its_own_item_alone() -> None:
    new = report(98)
    new["items"][98]["digest"] = "other"
    new["system"]["code"] = "y"
    one, other = compare(report(), new)["flips"]
    assert [cause["kind"] for cause in one["causes"]] == ["gold", "code"]
    assert [cause["kind"] for cause in other["causes"]] == ["code"]


def test_a_question_that_was_worded_anew_is_another_item() -> None:
    new = report()
    new["items"][4]["question"] = "What on earth is 4?"
    found = compare(report(), new)
    assert found["paired"] == 99
    assert found["only_base"] == found["only_new"] == ["q004"]


def test_the_order_of_items_does_not_matter() -> None:
    base, new = report(), report(91)
    turned = copy.deepcopy(new)
    turned["items"].reverse()
    assert compare(base, turned) == compare(base, new)


def test_items_without_a_score_are_left_out() -> None:
    new = report()
    for each in new["items"][:30]:
        each["scores"]["correct"] = None
    assert gate(compare(report(), new), "correct")["n"] == 70


@pytest.mark.parametrize("change", ["scoring", "judge", "items"])
def test_what_cannot_be_compared_says_why(change: str) -> None:
    new = report()
    if change == "scoring":
        new["scoring"] = 2
    elif change == "judge":
        new["system"]["judge"] = "embedding"
    else:
        for each in new["items"]:
            each["id"] = f"other-{each['id']}"
    with pytest.raises(NotComparableError, match=r"\.$") as caught:
        compare(report(), new)
    assert caught.value.exit_code == 4


def test_a_continuous_loss_fails_too() -> None:
    new = report()
    for n, each in enumerate(new["items"][:40]):
        each["scores"]["ndcg@3"] = 0.5 + 0.001 * n
    found = compare(report(), new)
    assert gate(found, "ndcg@3")["verdict"] == "FAIL"
    assert gate(found, "correct")["verdict"] == "PASS"
    assert found["verdict"] == "FAIL"
