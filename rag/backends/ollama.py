"""Ollama by its own interface, which makes as much room for a prompt as it needs."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import httpx

from rag.backends.http import (
    Event,
    Heard,
    HTTPChat,
    Limits,
    Server,
    Unusable,
    ask,
    counts,
)
from rag.errors import BackendError
from rag.types import ChatOptions, Message

if TYPE_CHECKING:
    from rag.config import Settings

_SLACK = 256
"""Tokens of the chat's template, and for an estimate that was too low."""
_STEP, _LEAST = 1024, 2048
"""Room is made in steps, as the server loads the model anew for each other size."""
_SHOW_SECONDS = 2.0
_FORGET_SECONDS = 30.0
"""Time after which a server that did not tell its model's context is asked again."""


class OllamaChat(HTTPChat):
    """One model of one Ollama server."""

    path = "/api/chat"

    def __init__(
        self,
        model: str,
        base_url: str = "http://127.0.0.1:11434",
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
        context_tokens: int | None = None,
        streams: bool = True,
    ) -> None:
        server = Server(
            name=f"ollama:{model}",
            base_url=base_url,
            url_setting="RAG_OLLAMA_BASE_URL",
            absent=f"run `ollama pull {model}`, or check RAG_OLLAMA_BASE_URL",
            limits=limits or Limits(),
            transport=transport,
        )
        super().__init__(server, model, context_tokens, streams)
        self._asking = threading.Lock()
        self._asked_at: float | None = None

    @classmethod
    def open(cls, model: str, settings: "Settings") -> "OllamaChat":
        """Return the chat of the settings' server; nothing is sent yet."""
        return cls(
            model,
            settings.ollama_base_url,
            Limits.of(settings),
            context_tokens=settings.model_context_tokens,
            streams=settings.stream,
        )

    @property
    def context_tokens(self) -> int | None:
        """The settings' number, or else the model's own as the server tells it; None if it does not.

        It takes two seconds at most, and the server is asked once.
        """
        with self._asking:
            known = self._asked_at is not None and time.monotonic() - self._asked_at < _FORGET_SECONDS
            if self._context_tokens is None and not known:
                self._context_tokens = self._told()
                self._asked_at = time.monotonic()
            return self._context_tokens

    def _told(self) -> int | None:
        limits = self.server.limits
        server = replace(
            self.server, limits=replace(limits, connect=min(limits.connect, _SHOW_SECONDS))
        )
        try:
            info = ask(server, "/api/show", {"model": self.model}, _SHOW_SECONDS).get("model_info")
        except BackendError:
            return None
        lengths = counts(info)
        return next(
            (n for name, n in lengths.items() if name.endswith(".context_length") and n > 0), None
        )

    def body(self, messages: Sequence[Message], options: ChatOptions) -> dict[str, Any]:
        """Return a request for a chat, with room for the prompt and the reply."""
        wishes: dict[str, Any] = {
            "num_ctx": self._room(messages, options),
            "num_predict": options.max_tokens,
            "temperature": options.temperature,
        }
        if options.seed is not None:
            wishes["seed"] = options.seed
        if options.stop:
            wishes["stop"] = list(options.stop)
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [asdict(message) for message in messages],
            "stream": self._streams,
            "options": wishes,
        }
        return {**body, "format": "json"} if options.json else body

    def _room(self, messages: Sequence[Message], options: ChatOptions) -> int:
        prompt = options.prompt_tokens
        if prompt is None:
            prompt = sum(self.count(message.content) for message in messages)
        steps = -(-(prompt + options.max_tokens + _SLACK) // _STEP)
        room = max(_LEAST, steps * _STEP)
        most = self.context_tokens
        return room if most is None else min(room, most)

    def heard(self, event: Event) -> Heard:
        """Read a line of a reply, or a whole one."""
        value = event.value
        said = value.get("message") or {}
        if not isinstance(said, dict) or not ("message" in value or value.get("done")):
            raise Unusable("replied with something that is no chat")
        content, model, done = said.get("content"), value.get("model"), bool(value.get("done"))
        return Heard(
            content if isinstance(content, str) else "",
            thought=bool(said.get("thinking")),
            ended=str(value.get("done_reason") or "stop") if done else None,
            last=done,
            model=model if isinstance(model, str) else None,
            usage=counts(value, prompt_tokens="prompt_eval_count", completion_tokens="eval_count"),
        )
