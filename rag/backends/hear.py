"""A whole reply with when its bits came: what probing and conformance go by."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.protocols import ChatModel
from rag.types import ChatOptions, Message


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply that was heard to its end."""

    bits: Sequence[str]
    seconds: Sequence[float]
    """When each bit came, after the reply was asked for."""
    model: str
    usage: Mapping[str, int] | None
    ended: str

    @property
    def text(self) -> str:
        """The reply."""
        return "".join(self.bits)

    @property
    def read(self) -> int | None:
        """Tokens of the prompt that the server says it read; no prompt has none, so 0 says nothing."""
        return (self.usage or {}).get("prompt_tokens") or None

    @property
    def rate(self) -> float | None:
        """Tokens a second once it had begun; None where there were too few to tell."""
        wrote = (self.usage or {}).get("completion_tokens", 0)
        took = self.seconds[-1] - self.seconds[0] if self.seconds else 0.0
        return (wrote - 1) / took if wrote > 4 and took > 0 else None


def hear(chat: ChatModel, messages: Sequence[Message], options: ChatOptions) -> Heard:
    """Return a whole reply; raises what the model's stream does."""
    bits: list[str] = []
    seconds: list[float] = []
    stream = chat.stream(messages, options)
    began = time.perf_counter()
    try:
        for bit in stream:
            bits.append(bit)
            seconds.append(time.perf_counter() - began)
    finally:
        stream.close()
    return Heard(bits, seconds, stream.model, stream.usage, stream.ended)
