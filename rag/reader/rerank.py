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
SURE = 0.8
"""The probability from which the rest need not be read."""
BIAS, RELEVANCE, FUSED = -7.25, 0.34, 8.6
"""What the logarithm of the odds that a passage answers is made of, fitted on four sets that weigh
alike: questions about articles that the reader was not trained on, about abstracts of medicine, about
news, and in conversation. The two count as 1 to 25: on none of them is the order worse by then."""
UNREAD_BIAS, UNREAD_FUSED = -8.0, 9.2
"""The same of the search's score alone, over the passages from the third place on."""

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
        are read. What is not read stays below the best of what is. The signals gain `fused`, the
        score before, and of what was read `relevance` and `span`, the worth of its best span.
        """
        read: list[Passage] = []
        while len(read) < min(len(passages), self.depth) and not any(map(_is_sure, read)):
            some = passages[len(read) : min(len(read) + AT_ONCE, self.depth)]
            read += map(_scored, some, self._reader.read(question, some))
        best = max((each.score for each in read), default=1.0)
        unread = [_unread(each, best) for each in passages[len(read) :]]
        return sorted([*read, *unread], key=lambda each: -each.score)


def _is_sure(passage: Passage) -> bool:
    return passage.score >= SURE and passage.signals["span"] > 0


def _scored(passage: Passage, said: Reading) -> Passage:
    worth = max(-_FAR, min(_FAR, said.worth))
    signals = {"fused": passage.score, "relevance": said.relevance, "span": worth}
    logit = BIAS + RELEVANCE * said.relevance + FUSED * passage.score
    return replace(passage, score=_odds(logit), signals={**passage.signals, **signals})


def _unread(passage: Passage, best: float) -> Passage:
    """Return a passage that was not read with the odds that its score alone gives, below the best."""
    score = min(_odds(UNREAD_BIAS + UNREAD_FUSED * passage.score), 0.999 * best)
    return replace(passage, score=score, signals={**passage.signals, "fused": passage.score})


def _odds(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))
