"""A server that speaks OpenAI's chat completions: llama.cpp, vLLM, Ollama, or a cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

import httpx

from rag.backends.http import (
    DONE,
    Complaint,
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

_TOKENS, _NEWER = "max_tokens", "max_completion_tokens"


class OpenAIChat(HTTPChat):
    """One model of one server. What the server refuses of a request is left out from then on."""

    path = "/chat/completions"
    optional: ClassVar[Mapping[str, str]] = {
        "stream_options": "",
        "seed": "takes no seed, so it may reply otherwise another time",
        "temperature": "takes no temperature, so it may reply otherwise another time",
        "response_format": "cannot be held to JSON",
    }

    def __init__(
        self,
        model: str,
        base_url: str,
        key: str | None = None,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
        context_tokens: int | None = None,
        streams: bool = True,
    ) -> None:
        server = Server(
            name=f"openai:{model}",
            base_url=base_url,
            url_setting="RAG_OPENAI_BASE_URL",
            key_setting="RAG_OPENAI_API_KEY",
            absent="check the model's name, and RAG_OPENAI_BASE_URL, which mostly ends in /v1",
            key=key,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=limits or Limits(),
            transport=transport,
        )
        super().__init__(server, model, context_tokens, streams)

    @classmethod
    def open(cls, model: str, settings: "Settings") -> "OpenAIChat":
        """Return the chat of the settings' server; nothing is sent yet."""
        return cls(
            model,
            settings.openai_base_url,
            key_of(settings.openai_api_key),
            Limits.of(settings),
            context_tokens=settings.model_context_tokens,
            streams=settings.stream,
        )

    def body(self, messages: Sequence[Message], options: ChatOptions) -> dict[str, Any]:
        """Return a request for a chat completion."""
        streams = self._streams != ("stream" in self._without)
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [asdict(message) for message in messages],
            "temperature": options.temperature,
            _NEWER if _TOKENS in self._without else _TOKENS: options.max_tokens,
            "stream": streams,
        }
        if streams:
            body["stream_options"] = {"include_usage": True}
        if options.seed is not None:
            body["seed"] = options.seed
        if options.stop:
            body["stop"] = list(options.stop)
        if options.json:
            body["response_format"] = {"type": "json_object"}
        return body

    def learn(self, sent: Mapping[str, Any], complaint: Complaint) -> bool:
        """Learn also which name the server has for the longest reply, and whether it streams."""
        if _TOKENS in sent and _NEWER in complaint.raw:
            self._without |= {_TOKENS}
        elif super().learn(sent, complaint):
            return True
        elif sent["stream"] == self._streams and complaint.names("stream"):
            self._without |= {"stream"}
        else:
            return False
        return True

    def heard(self, event: Event) -> Heard:
        """Read a chunk of a completion, or a whole one."""
        if event is DONE:
            return Heard(last=True)
        value = event.value
        choices = value.get("choices", None if value else [])
        if not isinstance(choices, list) or not all(isinstance(each, dict) for each in choices):
            raise Unusable("replied with something that is no chat completion")
        heard = _choice(choices[0]) if choices else Heard(last=value.get("object") == "chat.completion")
        model = value.get("model")
        return replace(
            heard,
            model=model if isinstance(model, str) else None,
            usage=counts(value.get("usage")),
        )


def _choice(choice: Mapping[str, Any]) -> Heard:
    whole = isinstance(choice.get("message"), dict)
    said = choice.get("message" if whole else "delta") or {}
    if not isinstance(said, dict):
        raise Unusable("replied with something that is no chat completion")
    ended = choice.get("finish_reason")
    return Heard(
        _text(said.get("content")),
        thought=any(said.get(name) for name in ("reasoning_content", "reasoning")),
        ended="refusal" if said.get("refusal") else str(ended) if ended else None,
        last=whole,
    )


def _text(content: Any) -> str:
    """Return the text of a content that is a text, or a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [
        part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text"
    ]
    return "".join(text for text in texts if isinstance(text, str))
