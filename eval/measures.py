"""What each metric is called, what it says, and which way is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Group = Literal["retrieval", "answers", "grounding", "abstention"]
Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric as reports show it."""

    name: str
    group: Group
    title: str
    about: str
    better: Better | None = "higher"


MEASURES: Sequence[Measure] = (
    Measure("success@1", "retrieval", "Success@1", "The first document holds evidence."),
    Measure("success@3", "retrieval", "Success@3", "One of the first three documents holds evidence."),
    Measure("ndcg@3", "retrieval", "nDCG@3", "How high the documents with evidence stand, among 3."),
    Measure("ndcg@10", "retrieval", "nDCG@10", "How high the documents with evidence stand, among 10."),
    Measure("rr@10", "retrieval", "RR@10", "One over the rank of the first document with evidence."),
    Measure("recall@3", "retrieval", "R@3", "Share of the evidence's documents among the first 3."),
    Measure("recall@10", "retrieval", "R@10", "Share of the evidence's documents among the first 10."),
    Measure("all_evidence@1", "retrieval", "All evidence@1", "The first passage holds all quotes."),
    Measure("all_evidence@3", "retrieval", "All evidence@3", "Three passages hold all quotes needed."),
    Measure(
        "all_evidence@context",
        "retrieval",
        "All evidence in context",
        "The passages that the answer was written from hold all quotes needed.",
    ),
    Measure(
        "evidence_recall@3",
        "retrieval",
        "Evidence recall@3",
        "Share of the characters of the quotes needed that three passages hold.",
    ),
    Measure(
        "evidence_precision@3",
        "retrieval",
        "Evidence precision@3",
        "Share of the characters of three passages that are evidence.",
    ),
    Measure(
        "evidence_recall@500_tokens",
        "retrieval",
        "Evidence recall, 500 tokens",
        "The same of the first 500 tokens of passages, whatever the size of chunks.",
    ),
    Measure(
        "evidence_precision@500_tokens",
        "retrieval",
        "Evidence precision, 500 tokens",
        "The same of the first 500 tokens of passages.",
    ),
    Measure(
        "correct",
        "answers",
        "Right",
        "The answer holds every required fact, or abstains where there is none.",
    ),
    Measure("fact_recall", "answers", "Fact recall", "Share of the required facts in the answer."),
    Measure("exact_match", "answers", "Exact match", "SQuAD 2.0; an abstention is the empty answer."),
    Measure("f1", "answers", "Token F1", "SQuAD 2.0, over multisets of tokens."),
    Measure(
        "numeric_match",
        "answers",
        "Numeric match",
        "The answer's numbers are by value those of the gold answer, and no others.",
    ),
    Measure("rouge_l", "answers", "ROUGE-L", "Longest common subsequence with the gold answer."),
    Measure("cosine", "answers", "Cosine", "Nearness to the gold answer by the bundled encoder."),
    Measure(
        "citation_recall",
        "grounding",
        "Citation recall",
        "Share of sentences that their quotes support together (ALCE, by the judge named).",
    ),
    Measure(
        "citation_precision",
        "grounding",
        "Citation precision",
        "Share of citations that their sentence needs (ALCE, by the judge named).",
    ),
    Measure("verified", "grounding", "Verified", "Share of sentences that the answer calls verified."),
    Measure("quotes_verbatim", "grounding", "Verbatim", "Share of quotes that stand there exactly."),
    Measure(
        "unsupported_numbers",
        "grounding",
        "Unsupported numbers",
        "Share of sentences with numbers where one is not in what they cite.",
        "lower",
    ),
    Measure(
        "unsupported_names",
        "grounding",
        "Unsupported names",
        "Share of sentences with names where one is not in what they cite.",
        "lower",
    ),
    Measure(
        "abstained_unanswerable",
        "abstention",
        "Abstained, rightly",
        "Share of the unanswerable questions that were not answered.",
    ),
    Measure(
        "false_abstention",
        "abstention",
        "Abstained, wrongly",
        "Share of the answerable questions that were not answered.",
        "lower",
    ),
    Measure("coverage", "abstention", "Coverage", "Share of all questions that were answered.", None),
    Measure(
        "selective_risk",
        "abstention",
        "Selective risk",
        "Share of the given answers that are wrong.",
        "lower",
    ),
    Measure(
        "aurc",
        "abstention",
        "AURC",
        "Area under the risk-coverage curve, had every question been answered.",
        "lower",
    ),
    Measure(
        "auroc",
        "abstention",
        "AUROC",
        "How often an answerable question has more confidence than an unanswerable one.",
    ),
)

HEADLINE = (
    "correct",
    "success@1",
    "ndcg@3",
    "citation_recall",
    "abstained_unanswerable",
    "false_abstention",
)
"""Shipped sets are small, so what stands first and is all there counts, not R@10."""

GATED = {
    "correct": "binary",
    "success@1": "binary",
    "ndcg@3": "continuous",
    "citation_recall": "continuous",
}
"""Metrics whose loss fails a comparison, and how their differences are tested."""
