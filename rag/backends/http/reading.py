"""What a reply's events say, put together: its text, and whether it is whole."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.backends.http.thinking import Thinking
from rag.errors import BackendError

REFUSAL = "refusal"
"""How a reply has `ended` that declines to answer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one event of a reply says."""

    text: str = ""
    thought: bool = False
    """Whether the model reasoned in it, which is a sign of life but no answer."""
    ended: str | None = None
    """Why the reply is finished, where this event says that it is."""
    last: bool = False
    """Whether nothing comes after it."""
    model: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)


def counts(usage: Any, **names: str) -> Mapping[str, int]:
    """Return the whole numbers of a usage, each under our name for it where `names` gives one."""
    if not isinstance(usage, Mapping):
        return {}
    found = {name: n for name, n in usage.items() if type(n) is int}
    return (
        {ours: found[theirs] for ours, theirs in names.items() if theirs in found} if names else found
    )


class Reading:
    """Takes one reply's events in."""

    def __init__(self) -> None:
        self.ended: str | None = None
        self.last = False
        self.spoke = False
        self._thought = False
        self._thinking = Thinking()
        # Some servers cut a character that JSON writes as two into two events.
        self._halves = codecs.getincrementaldecoder("utf-16-le")("replace")

    def take(self, heard: Heard) -> str:
        """Return the answer's text in it, without what the model thinks aloud."""
        self._thought = self._thought or heard.thought
        self.ended = self.ended or heard.ended
        self.last = self.last or heard.last
        return self._said(heard.text)

    def rest(self) -> str:
        """Return text that was held back as it might have been something else."""
        said = self._thinking.add(self._halves.decode(b"", True)) + self._thinking.close()
        self.spoke = self.spoke or bool(said)
        return said

    @property
    def whole(self) -> bool:
        """Whether the server said that the reply is finished."""
        return self.ended is not None or self.last

    def check(self, name: str) -> None:
        """Raise `BackendError` where a reply that is finished holds no answer."""
        if self.spoke:
            return
        if self._thought or self._thinking.thought:
            raise BackendError(
                f"{name} reasoned and gave no answer; raise RAG_REPLY_TOKENS, or have it reason less."
            )
        if self.ended is None:
            raise BackendError(f"{name} replied with nothing at all.")
        if self.ended == REFUSAL:
            raise BackendError(f"{name} declined to answer.")
        if self.ended != "stop":
            raise BackendError(f"{name} gave no answer; its reply ended by {self.ended[:40]!r}.")

    def _said(self, text: str) -> str:
        said = self._thinking.add(self._halves.decode(text.encode("utf-16-le", "surrogatepass")))
        self.spoke = self.spoke or bool(said)
        return said
