"""Orders passages by what the reader and the retriever say of them together."""

import math
from collections.abc import Sequence
from dataclasses import replace

from rag.reader.model import Reader
from rag.types import Passage, Reading

DEPTH = 8
"""Passages that are read."""
BIAS = -15.5
RELEVANCE = 0.72
WORTH = 0.05
FUSED = 16.0
"""What the logarithm of the odds that a passage answers is made of: a logistic regression over the
passages of 250 questions of two articles that the reader was not trained on."""

_FAR = 25.0


class ReadingReranker:
    """The default reranker. Safe to share between threads."""

    depth = DEPTH

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.languages = reader.languages

    def rerank(self, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
        """Return the passages, best first; the score is the probability that one answers.

        Those past `depth` are not read; they follow in their order, each with a lower score. The
        signals gain `fused`, the score before, and what the reader said: `relevance` and `span`.
        """
        read, rest = passages[: self.depth], passages[self.depth :]
        readings = self._reader.read(question, read)
        ranked = [_scored(each, said) for each, said in zip(read, readings, strict=True)]
        ranked.sort(key=lambda each: -each.score)
        if not rest:
            return ranked
        floor, top = ranked[-1].score, max(rest[0].score, 1e-9)
        return [*ranked, *(_after(each, floor * min(1.0, each.score / top)) for each in rest)]


def _scored(passage: Passage, said: Reading) -> Passage:
    worth = max(-_FAR, min(_FAR, said.worth))
    logit = BIAS + RELEVANCE * said.relevance + WORTH * worth + FUSED * passage.score
    score = 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))
    signals = {
        **passage.signals,
        "fused": passage.score,
        "relevance": said.relevance,
        "span": said.worth,
    }
    return replace(passage, score=score, signals=signals)


def _after(passage: Passage, score: float) -> Passage:
    return replace(passage, score=score, signals={**passage.signals, "fused": passage.score})
