"""A server that speaks OpenAI's chat completions: llama.cpp, vLLM, Ollama, or a cloud."""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from rag.errors import BackendError, BackendTimeoutError, BackendUnreachableError
from rag.text import token_estimate
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message, Notice

if TYPE_CHECKING:
    from rag.config import Settings

_DONE = b"[DONE]"
_LONGEST = 4_000_000
"""Bytes of one event, or of a reply in one piece, beyond which it is no chat completion."""


class OpenAIChat:
    """One model of one server. Each reply has a connection of its own, so that it can be cut."""

    def __init__(
        self,
        model: str,
        base_url: str,
        key: str | None = None,
        timeout: httpx.Timeout | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = f"openai:{model}"
        self.model = model
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout or httpx.Timeout(60, connect=5)
        self._transport = transport

    @classmethod
    def open(cls, model: str, settings: "Settings") -> "OpenAIChat":
        """Return the chat of the settings' server; nothing is sent yet."""
        key = settings.openai_api_key
        timeout = httpx.Timeout(settings.silence_seconds, connect=settings.connect_seconds)
        return cls(model, settings.openai_base_url, key.get_secret_value() if key else None, timeout)

    @property
    def context_tokens(self) -> int | None:
        """Unknown: the interface does not tell."""
        return None

    def count(self, text: str) -> int:
        """Return an estimate; the server's tokenizer is not at hand."""
        return token_estimate(text)

    def stream(
        self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS
    ) -> "OpenAIStream":
        """Begin a reply; it is asked for when its first bit is."""
        body = {
            "model": self.model,
            "messages": [asdict(message) for message in messages],
            "temperature": options.temperature,
            "max_tokens": options.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return OpenAIStream(self, body)

    def client(self) -> httpx.Client:
        """Return a client for one reply."""
        return httpx.Client(timeout=self._timeout, transport=self._transport, verify=_certificates())

    def request(self, client: httpx.Client, body: Mapping[str, Any]) -> httpx.Request:
        """Return the request; raises `httpx.InvalidURL`, and `UnicodeError` for an impossible key."""
        return client.build_request("POST", self._url, json=body, headers=self._headers)


class OpenAIStream:
    """A reply in the making, and the connection that it comes over."""

    def __init__(self, chat: OpenAIChat, body: Mapping[str, Any]) -> None:
        self.model = chat.model
        self.usage: Mapping[str, int] | None = None
        self.ended = "stop"
        self.notices: Sequence[Notice] = ()
        self._chat = chat
        self._body = body
        self._name = chat.name
        self._socket: socket.socket | None = None
        self._closed = False
        self._ended = False

    def __iter__(self) -> Iterator[str]:
        """Yield the reply bit by bit; raises `BackendError`."""
        client = self._chat.client()
        try:
            request = self._chat.request(client, self._body)
            request.extensions["trace"] = self._traced
            with closing(client.send(request, stream=True)) as response:
                self._refuse(response)
                kind = response.headers.get("content-type", "").lower()
                yield from (
                    self._bits(response)
                    if kind.startswith("text/event-stream")
                    else self._whole(response)
                )
        except httpx.TimeoutException:
            raise BackendTimeoutError(f"{self._name} was silent for too long.") from None
        except (httpx.InvalidURL, UnicodeError):
            raise BackendError(
                f"{self._name} cannot be asked; see RAG_OPENAI_BASE_URL and RAG_OPENAI_API_KEY."
            ) from None
        except (httpx.HTTPError, OSError):
            raise BackendUnreachableError(
                f"{self._name} could not be reached, or broke off; see RAG_OPENAI_BASE_URL."
            ) from None
        finally:
            client.close()

    def close(self) -> None:
        """Cut the connection; who waits for its next bit gets a `BackendError`."""
        self._closed = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _traced(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
        if self._closed:
            raise BackendUnreachableError(f"{self._name} was cut off.")

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status >= 500 or status == 429:
            raise BackendUnreachableError(f"{self._name} is not able to answer now (status {status}).")
        if status >= 300:
            raise BackendError(f"{self._name} refused the request (status {status}).")

    def _bits(self, response: httpx.Response) -> Iterator[str]:
        for line in self._lines(response):
            if not line.startswith(b"data:"):
                continue
            data = line.removeprefix(b"data:").strip()
            if data == _DONE:
                self._ended = True
                break
            yield from self._bit(self._parsed(data), "delta")
        if not self._ended:
            raise BackendUnreachableError(f"{self._name} broke off in the middle of its reply.")

    def _lines(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield lines as server-sent events have them: only CR and LF end one, not U+2028."""
        rest = b""
        for part in response.iter_bytes():
            *lines, rest = (rest + part).split(b"\n")
            yield from lines
            if len(rest) > _LONGEST:
                raise self._garbage()
        yield rest

    def _whole(self, response: httpx.Response) -> Iterator[str]:
        body = b""
        for part in response.iter_bytes():
            body += part
            if len(body) > _LONGEST:
                raise self._garbage()
        yield from self._bit(self._parsed(body), "message")

    def _bit(self, value: Mapping[str, Any], part: str) -> Iterator[str]:
        if isinstance(value.get("model"), str):
            self.model = value["model"]
        if isinstance(value.get("usage"), dict):
            counts = value["usage"].items()
            self.usage = {name: n for name, n in counts if isinstance(n, int)}
        choices = value.get("choices")
        if not isinstance(choices, list) or not all(isinstance(each, dict) for each in choices):
            raise self._garbage()
        for choice in choices[:1]:
            self._ended = self._ended or bool(choice.get("finish_reason"))
            said = choice.get(part) or {}
            if not isinstance(said, dict):
                raise self._garbage()
            content = said.get("content")
            if isinstance(content, str) and content:
                yield content

    def _parsed(self, data: bytes) -> Mapping[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise self._garbage() from None
        if not isinstance(value, dict):
            raise self._garbage()
        if value.get("error"):
            raise BackendUnreachableError(f"{self._name} reported an error.")
        return value

    def _garbage(self) -> BackendError:
        return BackendError(f"{self._name} replied with something that is no chat completion.")


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()
