"""Anthropic's Messages API."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

import httpx

from rag.backends.http import (
    Event,
    Heard,
    HTTPChat,
    Limits,
    Server,
    Unusable,
    counts,
    key_of,
)
from rag.types import ChatOptions, Message

if TYPE_CHECKING:
    from rag.config import Settings

VERSION = "2023-06-01"
_ENDS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}
_READ = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


class AnthropicChat(HTTPChat):
    """One model. The interface knows no seed and no promise of JSON, so neither is asked for."""

    path = "/v1/messages"
    optional: ClassVar[Mapping[str, str]] = {
        "temperature": "takes no temperature, so it may reply otherwise another time",
    }

    def __init__(
        self,
        model: str,
        base_url: str = "https://api.anthropic.com",
        key: str | None = None,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
        context_tokens: int | None = None,
        streams: bool = True,
    ) -> None:
        server = Server(
            name=f"anthropic:{model}",
            base_url=base_url,
            url_setting="RAG_ANTHROPIC_BASE_URL",
            key_setting="RAG_ANTHROPIC_API_KEY",
            absent="check the model's name, and RAG_ANTHROPIC_BASE_URL, which is without /v1",
            key=key,
            headers={"anthropic-version": VERSION, **({"x-api-key": key} if key else {})},
            limits=limits or Limits(),
            transport=transport,
        )
        super().__init__(server, model, context_tokens, streams)

    @classmethod
    def open(cls, model: str, settings: "Settings") -> "AnthropicChat":
        """Return the chat of the settings' server; nothing is sent yet."""
        return cls(
            model,
            settings.anthropic_base_url,
            key_of(settings.anthropic_api_key),
            Limits.of(settings),
            context_tokens=settings.model_context_tokens,
            streams=settings.stream,
        )

    def body(self, messages: Sequence[Message], options: ChatOptions) -> dict[str, Any]:
        """Return a request for a message; what several turns of one role say becomes one turn."""
        turns = [message for message in messages if message.role != "system"]
        rules = [message.content for message in messages if message.role == "system"]
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": options.max_tokens,
            "messages": [
                {"role": role, "content": "\n\n".join(turn.content for turn in same)}
                for role, same in groupby(turns, lambda turn: turn.role)
            ],
            "temperature": options.temperature,
            "stream": self._streams,
        }
        if rules:
            body["system"] = "\n\n".join(rules)
        if options.stop:
            body["stop_sequences"] = list(options.stop)
        return body

    def heard(self, event: Event) -> Heard:
        """Read an event of a message, or a whole message; kinds that are not known say nothing."""
        value = event.value
        match value.get("type") or event.name:
            case "message_start":
                return _message(_part(value, "message"))
            case "content_block_start":
                return Heard(*_block(_part(value, "content_block")))
            case "content_block_delta":
                return Heard(*_block(_part(value, "delta")))
            case "message_delta":
                ended = _part(value, "delta").get("stop_reason")
                return Heard(ended=_end(ended), usage=_usage(value.get("usage")))
            case "message_stop":
                return Heard(last=True)
            case "message":
                return _message(value, last=True)
            case str(kind) if kind or not value:
                return Heard()
        raise Unusable("replied with something that is no message")


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    if not isinstance(part, dict):
        raise Unusable("replied with something that is no message")
    return part


def _block(block: Mapping[str, Any]) -> tuple[str, bool]:
    """Return a block's text, or a piece of one, and whether it is a thought instead."""
    text = block.get("text") if block.get("type") in ("text", "text_delta") else None
    return text if isinstance(text, str) else "", "thinking" in str(block.get("type"))


def _message(message: Mapping[str, Any], last: bool = False) -> Heard:
    content, model = message.get("content"), message.get("model")
    blocks = [_block(each) for each in content if isinstance(each, dict)] if content else []
    return Heard(
        "".join(text for text, _ in blocks),
        thought=any(thought for _, thought in blocks),
        ended=_end(message.get("stop_reason")),
        last=last,
        model=model if isinstance(model, str) else None,
        usage=_usage(message.get("usage")),
    )


def _end(reason: Any) -> str | None:
    return _ENDS.get(reason, reason) if isinstance(reason, str) else None


def _usage(usage: Any) -> Mapping[str, int]:
    """Return the tokens read, from the cache or not, and written."""
    known = counts(usage)
    read = [known[name] for name in _READ if name in known]
    told = {"prompt_tokens": sum(read)} if "input_tokens" in known else {}
    return {**told, **counts(usage, completion_tokens="output_tokens")}
