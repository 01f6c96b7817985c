"""Where an item failed, of all the rooms that its question went through."""

from collections.abc import Callable

from eval.ask import Record
from eval.metrics import retrieval
from eval.score import Anchored, Scores

STAGES = (
    "right",
    "stale gold",
    "not indexed",
    "not retrieved",
    "cut from the context",
    "answered wrong",
    "uncited",
    "wrongly abstained",
    "wrongly answered",
    "not judged",
)


def stage(gold: Anchored, record: Record, scores: Scores, unindexed: Callable[[str], bool]) -> str:
    """Return where an item failed, `right` where it did not, `not judged` where words cannot tell."""
    if scores["correct"] is None:
        return "not judged"
    if scores["correct"]:
        cited = any(each["verdict"] == "verified" for each in record["citations"])
        return "right" if cited or record["abstained"] else "uncited"
    if not gold.item.answerable:
        return "wrongly answered"
    if any(unindexed(row.doc) for row in gold.item.evidence):
        return "not indexed"
    if not gold.held:
        return "stale gold"
    shown = [(p["doc"], p["start"], p["end"]) for p in record["passages"]]
    if gold.groups and not retrieval.all_evidence(shown, gold.groups):
        dropped = any(notice["code"] == "passages_dropped" for notice in record["warnings"])
        ranked = [(doc, start, end) for doc, start, end in record["ranking"]]
        cut = dropped and retrieval.all_evidence(ranked, gold.groups)
        return "cut from the context" if cut else "not retrieved"
    return "wrongly abstained" if record["abstained"] else "answered wrong"
