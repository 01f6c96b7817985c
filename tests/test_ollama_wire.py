"""Ollama's own interface: what is sent, whole, and how replies are read."""

import json
from typing import Any

import httpx
import pytest

from rag.errors import BackendError
from rag.types import ChatOptions, Message
from tests.wire import (
    TURNS,
    Reply,
    always,
    ollama,
    rows,
    said,
)


def row(content: str, **more: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content}
    return {
        "model": "m:1b",
        "created_at": "2026-11-25T10:00:00Z",
        "message": said,
        "done": False,
        **more,
    }


ENDED = {
    "done": True, "done_reason": "stop", "total_duration": 5_000, "load_duration": 100,
    "prompt_eval_count": 31, "prompt_eval_duration": 900, "eval_count": 4, "eval_duration": 4_000,
}  # fmt: skip
OLLAMA = [row("It is"), row(" steamed."), row("", **ENDED)]


def test_ollama_is_sent_this_and_nothing_else() -> None:
    chat, sent = ollama(rows(*OLLAMA))
    options = ChatOptions(max_tokens=77, seed=9, stop=["\n\n"], json=True, prompt_tokens=3000)
    assert said(chat, options) == "It is steamed."
    [request] = sent.requests
    assert (request.method, str(request.url)) == ("POST", "http://ollama.test/api/chat")
    assert dict(request.headers) == {"host": "ollama.test", **always(request)}
    assert sent.bodies == [
        {
            "model": "m:1b",
            "messages": [
                {"role": "system", "content": "Cite."},
                {"role": "user", "content": "Is tea green?"},
                {"role": "assistant", "content": "Some is."},
                {"role": "user", "content": "Why — 为什么?"},
            ],
            "stream": True,
            "options": {
                "num_ctx": 4096,
                "num_predict": 77,
                "temperature": 0.0,
                "seed": 9,
                "stop": ["\n\n"],
            },
            "format": "json",
        }
    ]


@pytest.mark.parametrize(
    "reply",
    [
        rows(*OLLAMA),
        rows(row("It is steamed.", **ENDED)),
        rows(row("", message={"role": "assistant", "content": "", "thinking": "Tea…"}), *OLLAMA),
        rows(row("<think>Tea…</think>It is"), *OLLAMA[1:]),
        rows(*OLLAMA[:2], {"model": "m:1b", **ENDED}),
    ],
)
def test_ollama_is_understood(reply: httpx.Response) -> None:
    stream = ollama(reply)[0].stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert (stream.model, stream.ended) == ("m:1b", "stop")
    assert stream.usage == {"prompt_tokens": 31, "completion_tokens": 4}


def test_ollama_tells_why_a_reply_ended() -> None:
    stream = ollama(rows(row("It is", done=True, done_reason="length")))[0].stream(TURNS)
    assert ("".join(stream), stream.ended, stream.usage) == ("It is", "length", None)
    older = ollama(rows(row("It is", done=True)))[0].stream(TURNS)
    assert ("".join(older), older.ended) == ("It is", "stop")


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (httpx.Response(404, json={"error": "model 'm:1b' not found"}), "run `ollama pull m:1b`"),
        (
            rows(row("It"), {"error": "the runner was killed"}),
            "an error, saying “the runner was killed”",
        ),
        (httpx.Response(400, json={"error": "m:1b does not support chat"}), "saying “m:1b does not"),
        (httpx.Response(500, json={"error": "needs more memory (8 GiB)"}), "needs more memory"),
        (rows(row("", message={"thinking": "Hm.", "content": ""}), row("", **ENDED)), "reasoned and"),
        (httpx.Response(200, json={"status": "ok"}), "something that is no chat"),
    ],
)
def test_ollama_says_what_is_wrong(reply: httpx.Response, says: str) -> None:
    with pytest.raises(BackendError) as told:
        said(ollama(reply)[0])
    assert says in str(told.value)


def _show(context: Any) -> Reply:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/show":
            assert json.loads(request.content) == {"model": "m:1b"}
            info = {"general.architecture": "gemma3", "gemma3.context_length": context}
            return httpx.Response(200, json={"model_info": info, "details": {}})
        return rows(*OLLAMA)

    return reply


@pytest.mark.parametrize(
    ("prompt", "reply", "context", "room"),
    [
        (100, 100, 32768, 2048),
        (1500, 1024, 32768, 3072),
        (3000, 1024, 32768, 5120),
        (3000, 1024, 4096, 4096),
        (100, 100, 512, 512),
        (5000, 1024, None, 7168),
    ],
)
def test_ollama_makes_room_for_what_is_needed(
    prompt: int, reply: int, context: int | None, room: int
) -> None:
    chat, sent = ollama(_show(context), context=None)
    said(chat, ChatOptions(max_tokens=reply, prompt_tokens=prompt))
    assert sent.bodies[-1]["options"]["num_ctx"] == room


def test_ollama_makes_room_where_nobody_counted() -> None:
    chat, sent = ollama(rows(*OLLAMA), context=131072)
    "".join(chat.stream([Message("user", "word " * 6000)], ChatOptions(max_tokens=100)))
    assert 6400 <= sent.bodies[0]["options"]["num_ctx"] <= 16384


def test_ollama_is_asked_for_its_context_once() -> None:
    chat, sent = ollama(_show(40960), context=None)
    assert sent.requests == []
    assert [chat.context_tokens for _ in range(3)] == [40960] * 3
    assert said(chat) == "It is steamed."
    assert [request.url.path for request in sent.requests] == ["/api/show", "/api/chat"]


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(404, json={"error": "model not found"}),
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"model_info": None}),
        httpx.Response(200, json={"model_info": {"x.context_length": "big"}}),
        httpx.Response(200, json=[]),
        httpx.Response(302, headers={"Location": "http://elsewhere.test/"}),
    ],
)
def test_ollama_that_does_not_tell_its_context_is_not_asked_each_time(reply: httpx.Response) -> None:
    chat, sent = ollama(reply, context=None)
    assert [chat.context_tokens for _ in range(3)] == [None] * 3
    assert len(sent.requests) == 1
