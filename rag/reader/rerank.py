"""Orders passages by what the reader and the retriever say of them together."""

import math
from collections.abc import Sequence
from dataclasses import replace

from rag.reader.model import Reader
from rag.types import Passage, Reading

DEPTH = 8
"""Passages that are read at most."""
AT_ONCE = 2
"""Passages that are read before it is asked whether one of them surely answers."""
SURE = 0.9
"""The probability from which the rest need not be read."""
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

        They are read in their order, `AT_ONCE` at a time, until one is `SURE` to answer or `depth`
        are read. Those that are not read follow in their order, each with a lower score. The signals
        gain `fused`, the score before, and of what was read `relevance` and `span`.
        """
        ranked: list[Passage] = []
        while len(ranked) < min(len(passages), self.depth) and not any(p.score >= SURE for p in ranked):
            read = passages[len(ranked) : min(len(ranked) + AT_ONCE, self.depth)]
            ranked += map(_scored, read, self._reader.read(question, read))
        rest = passages[len(ranked) :]
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
