"""A transport that keeps what is sent, and the three backends over it."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from rag.backends.anthropic import AnthropicChat
from rag.backends.http import HTTPChat, Limits
from rag.backends.ollama import OllamaChat
from rag.backends.openai import OpenAIChat
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message

KEY = "sk-Zq3-secret-key-9fK2"
LIMITS = Limits(backoff=0.001)
TURNS = [
    Message("system", "Cite."),
    Message("user", "Is tea green?"),
    Message("assistant", "Some is."),
    Message("user", "Why — 为什么?"),
]
Reply = httpx.Response | Callable[[httpx.Request], httpx.Response]


class Sent(httpx.MockTransport):
    """Keeps the requests, and replies with one reply after the other, then with the last for ever."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(self._reply)
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return (
            reply(request)
            if callable(reply)
            else httpx.Response(reply.status_code, content=reply.content, headers=reply.headers)
        )

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


def sse(*values: Any, done: bool = True) -> httpx.Response:
    """Return server-sent events; those that have a type bear it as their name."""
    said = ""
    for value in values:
        kind = value.get("type")
        said += f"event: {kind}\n" if kind else ""
        said += f"data: {json.dumps(value)}\n\n"
    return httpx.Response(200, text=said + ("data: [DONE]\n\n" if done else ""))


def rows(*values: Any) -> httpx.Response:
    return httpx.Response(200, text="".join(json.dumps(value) + "\n" for value in values))


def refusal(message: str, status: int = 400, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, **more}})


def openai(*replies: Reply, streams: bool = True) -> tuple[OpenAIChat, Sent]:
    sent = Sent(*replies)
    return OpenAIChat("m-1", "http://ai.test/v1/", KEY, LIMITS, sent, streams=streams), sent


def ollama(
    *replies: Reply, context: int | None = 8192, streams: bool = True
) -> tuple[OllamaChat, Sent]:
    sent = Sent(*replies)
    return OllamaChat("m:1b", "http://ollama.test", LIMITS, sent, context, streams), sent


def anthropic(*replies: Reply, streams: bool = True) -> tuple[AnthropicChat, Sent]:
    sent = Sent(*replies)
    return AnthropicChat("c-1", "http://claude.test", KEY, LIMITS, sent, streams=streams), sent


def said(chat: HTTPChat, options: ChatOptions = DEFAULT_OPTIONS) -> str:
    return "".join(chat.stream(TURNS, options))


def always(request: httpx.Request) -> dict[str, str]:
    return {
        "accept": "*/*",
        "accept-encoding": "gzip, deflate",
        "connection": "keep-alive",
        "user-agent": "seedrag",
        "content-type": "application/json",
        "content-length": str(len(request.content)),
    }
