"""Tells whoever follows an answer what they have not heard yet."""

import re

from rag.protocols import Follower
from rag.stop import Stop
from rag.types import Answer, Retrieval

_WORD = re.compile(r"\s*\S+")


class Following:
    """Tells a follower, if there is one, what it has not heard yet."""

    def __init__(self, follower: Follower | None) -> None:
        self._follower = follower
        self.heard = False
        self.stop = follower.stop if follower else Stop()

    def found(self, retrieval: Retrieval) -> None:
        """Tell of the passages; raises `StoppedError`."""
        self.stop.check()
        if self._follower:
            self._follower.found(retrieval)

    def said(self, text: str) -> None:
        """Tell of a bit of the answer; raises `StoppedError`."""
        self.stop.check()
        if self._follower and text:
            self.heard = True
            self._follower.said(text)

    def ended(self, answer: Answer) -> None:
        """Say an answer that was written at one stroke, word by word, now that it may be given."""
        if self._follower and not self.heard and not answer.abstained:
            for word in _WORD.findall(answer.answer):
                self.said(word)
