"""Systems that nobody wants, scored beside ours: what a metric gives them is what it is worth.

A score that "always abstain", "whole context" or "random passage" reaches can be gamed; what
"oracle evidence" does not reach, the metric or the gold cannot give.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from eval.ask import DEPTH, Record
from eval.gold import digest_of
from eval.metrics.retrieval import Place
from eval.score import Anchored, Texts

PASSAGE = 800
"""Characters of a random passage."""

Reference = Callable[[Anchored, Record, Texts], Record]


def always_abstain(gold: Anchored, record: Record, texts: Texts) -> Record:
    """Answer nothing, find nothing."""
    return _record([], [], confidence=0.0)


def whole_context(gold: Anchored, record: Record, texts: Texts) -> Record:
    """Say all that was retrieved, each passage citing itself."""
    shown = [(p["doc"], p["start"], p["end"]) for p in record["passages"]]
    return {**_saying(shown, texts), "ranking": record["ranking"]}


def random_passage(gold: Anchored, record: Record, texts: Texts) -> Record:
    """Say a passage that the item's id alone decides."""
    rng = np.random.default_rng(int(digest_of(gold.item.id), 16))
    docs = sorted(texts)
    chosen = [docs[at] for at in rng.permutation(len(docs))[:DEPTH]]
    places = [(doc, *_window(len(texts[doc]), rng)) for doc in chosen]
    return {**_saying(places[:1], texts), "ranking": [list(place) for place in places]}


def oracle_evidence(gold: Anchored, record: Record, texts: Texts) -> Record:
    """Say the gold evidence of each group, and nothing where there is none."""
    places = [group[0][:3] for group in gold.groups if group]
    if not gold.item.answerable or not places:
        return _record([], [], confidence=0.0)
    ranking = [list(target[:3]) for group in gold.groups for target in group]
    return {**_saying(places, texts), "ranking": ranking}


REFERENCES: Mapping[str, Reference] = {
    "always abstain": always_abstain,
    "whole context": whole_context,
    "random passage": random_passage,
    "oracle evidence": oracle_evidence,
}


def _saying(places: Sequence[Place], texts: Texts) -> Record:
    said = [(place, texts[place[0]][place[1] : place[2]]) for place in places]
    citations = [
        {"n": n, "doc": doc, "start": start, "end": end, "quote": text, "verdict": "verified"}
        for n, ((doc, start, end), text) in enumerate(said, 1)
    ]
    sentences = [
        {"text": text, "citations": [n], "verdict": "verified"} for n, (_, text) in enumerate(said, 1)
    ]
    return _record(sentences, citations, confidence=1.0)


def _record(
    sentences: Sequence[Mapping[str, Any]], citations: Sequence[Mapping[str, Any]], confidence: float
) -> Record:
    return {
        "answer": " ".join(each["text"] for each in sentences),
        "abstained": not sentences,
        "withheld": "",
        "confidence": confidence,
        "short": None,
        "sentences": sentences,
        "citations": citations,
        "passages": [{"doc": c["doc"], "start": c["start"], "end": c["end"]} for c in citations],
        "ranking": [],
        "warnings": [],
    }


def _window(length: int, rng: np.random.Generator) -> tuple[int, int]:
    start = int(rng.integers(0, max(1, length - PASSAGE)))
    return start, min(length, start + PASSAGE)
