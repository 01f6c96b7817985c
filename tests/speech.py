"""How the three interfaces of chat models put a reply on the wire."""

import json
from collections.abc import Sequence
from typing import Any, Protocol

MODEL = "tiny-1"
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}


class Speech(Protocol):
    """The pieces of one interface's replies, each as it travels."""

    label: str
    """Its content type."""

    def begin(self) -> bytes: ...
    def bit(self, text: str, raw: bool = False) -> bytes: ...
    def alive(self) -> bytes:
        """A sign of life that is no token."""

    def end(self, done: bool = True, usage: bool = True, reason: str = "") -> bytes: ...
    def error(self, message: str) -> bytes: ...
    def whole(self, text: str) -> bytes: ...


def event(value: Any, name: str = "", raw: bool = False) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value, ensure_ascii=not raw)}\n\n".encode()


class OpenAISpeech:
    label = "text/event-stream"

    def begin(self) -> bytes:
        return event({"model": MODEL, "choices": [{"delta": {"role": "assistant", "content": ""}}]})

    def bit(self, text: str, raw: bool = False) -> bytes:
        return event({"model": MODEL, "choices": [{"delta": {"content": text}}]}, raw=raw)

    def alive(self) -> bytes:
        return b": keepalive\n\ndata:\n\n" + event({"choices": []}) + self.begin()

    def end(self, done: bool = True, usage: bool = True, reason: str = "stop") -> bytes:
        said = event({"choices": [{"delta": {}, "finish_reason": reason or "stop"}]})
        said += event({"choices": [], "usage": USAGE}) if usage else b""
        return said + (b"data: [DONE]\n\n" if done else b"")

    def error(self, message: str) -> bytes:
        return event({"error": {"message": message}})

    def whole(self, text: str) -> bytes:
        return json.dumps({"choices": [{"message": {"content": text}}], "model": MODEL}).encode()


class OllamaSpeech:
    label = "application/x-ndjson"

    def _line(self, raw: bool = False, **value: Any) -> bytes:
        return json.dumps({"model": MODEL, **value}, ensure_ascii=not raw).encode() + b"\n"

    def begin(self) -> bytes:
        return b""

    def bit(self, text: str, raw: bool = False) -> bytes:
        return self._line(raw, message={"role": "assistant", "content": text}, done=False)

    def alive(self) -> bytes:
        return b"\n" + self.bit("")

    def end(self, done: bool = True, usage: bool = True, reason: str = "stop") -> bytes:
        counts = {"prompt_eval_count": 7, "eval_count": 3} if usage else {}
        said = {"role": "assistant", "content": ""}
        return self._line(message=said, done=True, done_reason=reason or "stop", **counts)

    def error(self, message: str) -> bytes:
        return json.dumps({"error": message}).encode() + b"\n"

    def whole(self, text: str) -> bytes:
        said = {"role": "assistant", "content": text}
        return self._line(message=said, done=True, done_reason="stop")


class AnthropicSpeech:
    label = "text/event-stream"

    def _event(self, kind: str, raw: bool = False, **value: Any) -> bytes:
        return event({"type": kind, **value}, kind, raw)

    def begin(self) -> bytes:
        usage = {"input_tokens": 7, "output_tokens": 1}
        said = {"type": "message", "model": MODEL, "content": [], "stop_reason": None, "usage": usage}
        block = {"type": "text", "text": ""}
        return self._event("message_start", message=said) + self._event(
            "content_block_start", index=0, content_block=block
        )

    def bit(self, text: str, raw: bool = False) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return self._event("content_block_delta", raw, index=0, delta=delta)

    def alive(self) -> bytes:
        return self._event("ping") + b": keepalive\n\n"

    def end(self, done: bool = True, usage: bool = True, reason: str = "end_turn") -> bytes:
        counts: dict[str, Any] = {"usage": {"output_tokens": 3}} if usage else {}
        delta = {"stop_reason": reason or "end_turn", "stop_sequence": None}
        said = self._event("content_block_stop", index=0)
        said += self._event("message_delta", delta=delta, **counts)
        return said + (self._event("message_stop") if done else b"")

    def error(self, message: str) -> bytes:
        return self._event("error", error={"type": "invalid_request_error", "message": message})

    def whole(self, text: str) -> bytes:
        content = [{"type": "text", "text": text}]
        value = {"type": "message", "model": MODEL, "content": content, "stop_reason": "end_turn"}
        return json.dumps(value).encode()


SPEECHES: dict[str, Speech] = {
    "/v1/chat/completions": OpenAISpeech(),
    "/api/chat": OllamaSpeech(),
    "/v1/messages": AnthropicSpeech(),
}


def joined(speech: Speech, bits: Sequence[str], raw: bool = False) -> bytes:
    """Return a whole stream."""
    return speech.begin() + b"".join(speech.bit(bit, raw) for bit in bits) + speech.end()
