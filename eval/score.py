"""A record beside its gold item → one score for each metric.

An item that a metric does not apply to has no score there: None, never 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.anchor import Resolution, resolve
from eval.ask import Record
from eval.gold import GoldItem
from eval.metrics import answers, grounding, retrieval, words
from eval.metrics.grounding import Claim, Judge
from eval.metrics.retrieval import Target
from rag.protocols import Encoder

SCORING = 1
"""Raised whenever the same answer would now get another score: such runs do not compare."""
BUDGET = 500
"""Tokens of passages at which evidence is measured whatever the size of chunks."""
SHORT = 20
"""Tokens; a gold answer whose every wording is longer is a reference text, not words to be found."""

Scores = dict[str, float | None]
Texts = Mapping[str, str]
Similarity = Callable[[str, Sequence[str]], float | None]


@dataclass(frozen=True, slots=True)
class Anchored:
    """A gold item with its evidence found in the documents of today."""

    item: GoldItem
    rows: Sequence[Resolution]
    groups: Sequence[Sequence[Target]]
    """By group, where its alternatives stand."""
    held: bool
    """Whether every group has a row that still stands as it was written."""

    @property
    def relevant(self) -> dict[str, int]:
        """The documents that hold evidence, with their grades."""
        grades: dict[str, int] = {}
        for row in self.item.evidence:
            grades[row.doc] = max(row.grade, grades.get(row.doc, 0))
        return grades

    @property
    def is_reference(self) -> bool:
        """Whether some answer is a text to compare with rather than words to find."""
        return any(
            all(len(words.tokens(wording)) > SHORT for wording in answer.accepted)
            for answer in self.item.answers
        )


@dataclass(frozen=True, slots=True)
class Scored:
    """An item with what was answered and what that is worth."""

    gold: Anchored
    record: Record
    scores: Scores
    stage: str

    @property
    def would_be_wrong(self) -> bool | None:
        """Whether the answer is wrong if it is not withheld; None where words cannot tell."""
        if not self.gold.item.answerable:
            return True
        right = is_right(self.gold, self.record, self.record["withheld"] or said(self.record))
        return None if right is None else not right


def anchored(item: GoldItem, texts: Texts) -> Anchored:
    """Find an item's evidence in the documents."""
    accepted = [wording for answer in item.answers for wording in answer.accepted]
    rows = [resolve(row, texts, accepted) for row in item.evidence]
    of_group: dict[str, list[Target]] = {}
    for row, found in zip(item.evidence, rows, strict=True):
        group = of_group.setdefault(row.group, [])
        if found.settled and row.quote is None:
            group.append(Target(found.doc, 0, len(texts[found.doc]), whole=True))
        elif found.settled:
            group.append(Target(found.doc, found.start or 0, found.end or 0))
    groups = list(of_group.values())
    return Anchored(item, rows, groups, all(groups))


def said(record: Record) -> str:
    """Return the words of an answer without its markers; nothing where it abstained."""
    return " ".join(sentence["text"] for sentence in record["sentences"])


def scored(gold: Anchored, record: Record, texts: Texts, judge: Judge, similar: Similarity) -> Scores:
    """Return every metric's score of one item."""
    return {
        **_retrieval(gold, record, texts),
        **_answers(gold, record, similar),
        **_grounding(record, texts, judge),
        **_abstention(gold, record),
    }


def is_right(gold: Anchored, record: Record, prediction: str) -> bool | None:
    """Tell whether a prediction answers: all answers are in it, or there is none to be given.

    None where words cannot decide: no gold answer, or a reference text.
    """
    item = gold.item
    if not item.answerable:
        return bool(record["abstained"])
    if not item.answers or gold.is_reference:
        return None
    return answers.fact_recall(prediction, [each.accepted for each in item.answers]) == 1


def similarity(encoder: Encoder) -> Similarity:
    """Return the cosine of a prediction with the accepted answer that is nearest to it."""

    def similar(prediction: str, accepted: Sequence[str]) -> float | None:
        if not prediction or not accepted:
            return None
        vectors = encoder.encode_queries([prediction, *accepted])
        return round(float(np.max(vectors[1:] @ vectors[0])), 4)

    return similar


def _retrieval(gold: Anchored, record: Record, texts: Texts) -> Scores:
    places = [(doc, start, end) for doc, start, end in record["ranking"]]
    docs = list(dict.fromkeys(doc for doc, _, _ in places))
    relevant = gold.relevant
    shown = [(p["doc"], p["start"], p["end"]) for p in record["passages"]]
    few = retrieval.within_budget([(p, texts[p[0]][p[1] : p[2]]) for p in shown], BUDGET)
    groups = gold.groups if gold.held else []
    return {
        "success@1": retrieval.success_at(docs, relevant, 1),
        "success@3": retrieval.success_at(docs, relevant, 3),
        "recall@3": retrieval.recall_at(docs, relevant, 3),
        "recall@10": retrieval.recall_at(docs, relevant, 10),
        "rr@10": retrieval.reciprocal_rank(docs, relevant, 10),
        "ndcg@3": retrieval.ndcg_at(docs, relevant, 3),
        "ndcg@10": retrieval.ndcg_at(docs, relevant, 10),
        "all_evidence@1": retrieval.all_evidence(places[:1], groups),
        "all_evidence@3": retrieval.all_evidence(places[:3], groups),
        "all_evidence@context": retrieval.all_evidence(shown, groups),
        "evidence_recall@3": retrieval.evidence_recall(places[:3], groups),
        "evidence_precision@3": retrieval.evidence_precision(places[:3], groups),
        "evidence_recall@500_tokens": retrieval.evidence_recall(few, groups),
        "evidence_precision@500_tokens": retrieval.evidence_precision(few, groups),
    }


def _answers(gold: Anchored, record: Record, similar: Similarity) -> Scores:
    item, whole = gold.item, said(record)
    right = is_right(gold, record, whole)
    exact = record["short"]["text"] if record["short"] else whole
    wordings = [wording for answer in item.answers for wording in answer.accepted]
    single = wordings if len(item.answers) <= 1 else [", ".join(a.text for a in item.answers)]
    judged = not item.answerable or bool(item.answers)
    return {
        "correct": None if right is None else float(right),
        "fact_recall": None
        if gold.is_reference
        else answers.fact_recall(whole, [each.accepted for each in item.answers]),
        "exact_match": answers.exact_match(exact, single) if judged else None,
        "f1": answers.f1(exact, single) if judged else None,
        "numeric_match": answers.numeric_match(exact, single),
        "rouge_l": answers.rouge_l(whole, single),
        "cosine": similar(whole, single),
    }


def _grounding(record: Record, texts: Texts, judge: Judge) -> Scores:
    quotes = {each["n"]: each["quote"] or "" for each in record["citations"]}
    claims = [
        Claim(sentence["text"], [quotes[n] for n in sentence["citations"]])
        for sentence in record["sentences"]
        if sentence["verdict"] != "no_claim"
    ]
    verbatim = [
        each["doc"] is not None and texts[each["doc"]][each["start"] : each["end"]] == each["quote"]
        for each in record["citations"]
    ]
    verified = [s["verdict"] == "verified" for s in record["sentences"] if s["verdict"] != "no_claim"]
    return {
        "citation_recall": grounding.citation_recall(claims, judge),
        "citation_precision": grounding.citation_precision(claims, judge),
        "verified": _share(verified),
        "quotes_verbatim": _share(verbatim),
        "unsupported_numbers": grounding.unsupported_number_rate(claims),
        "unsupported_names": grounding.unsupported_name_rate(claims),
    }


def _abstention(gold: Anchored, record: Record) -> Scores:
    abstained = float(record["abstained"])
    answerable = gold.item.answerable
    right = is_right(gold, record, said(record))
    return {
        "abstained_unanswerable": None if answerable else abstained,
        "false_abstention": abstained if answerable else None,
        "coverage": 1 - abstained,
        "selective_risk": None if abstained or right is None else float(not right),
    }


def _share(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None
