"""A chat model behind HTTP; what a server's interface has of its own is left to a subclass."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rag.backends.http.complaint import Complaint
from rag.backends.http.events import Event
from rag.backends.http.reading import Heard
from rag.backends.http.server import Server
from rag.backends.http.stream import HTTPStream
from rag.text import token_estimate
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message, Notice


class HTTPChat(ABC):
    """One model of one server. Safe to share between threads; nothing is sent before it is asked."""

    path: ClassVar[str]
    """Where below the base URL it is asked."""
    optional: ClassVar[Mapping[str, str]] = {}
    """Parameters that are left out for a server that refuses them, each with what that costs."""

    def __init__(
        self, server: Server, model: str, context_tokens: int | None = None, streams: bool = True
    ) -> None:
        self.name = server.name
        self.model = model
        self.server = server
        self._context_tokens = context_tokens
        self._streams = streams
        self._without: frozenset[str] = frozenset()

    @property
    def context_tokens(self) -> int | None:
        """What the settings say; None where they do not, as most interfaces do not tell."""
        return self._context_tokens

    def count(self, text: str) -> int:
        """Return an estimate; the server's tokenizer is not at hand."""
        return token_estimate(text)

    def stream(self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS) -> HTTPStream:
        """Begin a reply; it is asked for when its first bit is."""
        return HTTPStream(self, messages, options)

    @abstractmethod
    def body(self, messages: Sequence[Message], options: ChatOptions) -> dict[str, Any]:
        """Return the JSON that would ask for all; `stream` in it says whether bits are asked for."""

    @abstractmethod
    def heard(self, event: Event) -> Heard:
        """Return what an event that is no error says; raises `Unusable`."""

    def learn(self, sent: Mapping[str, Any], complaint: Complaint) -> bool:
        """Take note of what a server refused of what was sent; False where nothing of it can go.

        What is learned is never unlearned, so asking again comes to an end.
        """
        for parameter in self.optional:
            if parameter in sent and complaint.names(parameter):
                self._without |= {parameter}
                return True
        return False

    def request(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> tuple[dict[str, Any], Sequence[Notice]]:
        """Return the body with what the server is known to take, and what is lost by the rest."""
        body = self.body(messages, options)
        dropped = [name for name in body if name in self.optional and name in self._without]
        costs = [self.optional[name] for name in dropped if self.optional[name]]
        sent = {name: value for name, value in body.items() if name not in dropped}
        return sent, [Notice("option_dropped", f"{self.name} {cost}.") for cost in costs]
