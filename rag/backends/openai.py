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
from rag.types import Message

if TYPE_CHECKING:
    from rag.config import Settings

_DONE = "[DONE]"


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

    def stream(self, messages: Sequence[Message]) -> "OpenAIStream":
        """Begin a reply; it is asked for when its first bit is."""
        body = {
            "model": self.model,
            "messages": [asdict(message) for message in messages],
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        client = httpx.Client(
            timeout=self._timeout,
            transport=self._transport,
            verify=_certificates() if self._transport is None else False,
        )
        request = client.build_request("POST", self._url, json=body, headers=self._headers)
        return OpenAIStream(client, request, self.name, self.model)


class OpenAIStream:
    """A reply in the making, and the connection that it comes over."""

    def __init__(self, client: httpx.Client, request: httpx.Request, name: str, model: str) -> None:
        self.model = model
        self.usage: Mapping[str, int] | None = None
        self._client = client
        self._request = request
        self._name = name
        self._socket: socket.socket | None = None
        self._closed = False
        self._ended = False
        request.extensions["trace"] = self._traced

    def __iter__(self) -> Iterator[str]:
        """Yield the reply bit by bit; raises `BackendError`."""
        try:
            with closing(self._client.send(self._request, stream=True)) as response:
                self._refuse(response)
                if response.headers.get("content-type", "").startswith("text/event-stream"):
                    yield from self._bits(response)
                else:
                    response.read()
                    yield from self._whole(response.text)
        except httpx.TimeoutException:
            raise BackendTimeoutError(f"{self._name} was silent for too long.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise BackendUnreachableError(
                f"{self._name} could not be reached, or broke off; see RAG_OPENAI_BASE_URL."
            ) from None
        finally:
            self._client.close()

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
        for line in response.iter_lines():
            if not line.startswith("data:"):
                continue
            data = line.removeprefix("data:").strip()
            if data == _DONE:
                self._ended = True
                break
            yield from self._bit(self._parsed(data), "delta")
        if not self._ended:
            raise BackendUnreachableError(f"{self._name} broke off in the middle of its reply.")

    def _whole(self, body: str) -> Iterator[str]:
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
            content = (choice.get(part) or {}).get("content")
            if isinstance(content, str) and content:
                yield content

    def _parsed(self, data: str) -> Mapping[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise self._garbage() from None
        if not isinstance(value, dict):
            raise self._garbage()
        if "error" in value:
            raise BackendUnreachableError(f"{self._name} reported an error.")
        return value

    def _garbage(self) -> BackendError:
        return BackendError(f"{self._name} replied with something that is no chat completion.")


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()
