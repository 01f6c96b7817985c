"""Anthropic's Messages API: what is sent, whole, and how replies are read."""

from typing import Any

import httpx
import pytest

from rag.errors import BackendError
from rag.types import ChatOptions, Message
from tests.wire import (
    KEY,
    TURNS,
    always,
    anthropic,
    refusal,
    said,
    sse,
)


def started(**usage: int) -> dict[str, Any]:
    message = {
        "id": "msg_7", "type": "message", "role": "assistant", "content": [], "model": "c-1-2026",
        "stop_reason": None, "stop_sequence": None, "usage": {"output_tokens": 1, **usage},
    }  # fmt: skip
    return {"type": "message_start", "message": message}


def block(at: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": at, "content_block": {"type": kind, **more}}


def delta(at: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": at, "delta": {"type": kind, **more}}


def stopped(reason: str = "end_turn", **usage: int) -> list[dict[str, Any]]:
    told = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": told, "usage": {"output_tokens": 4, **usage}},
        {"type": "message_stop"},
    ]


PING = {"type": "ping"}
SPOKEN = [
    block(1, "text", text=""),
    delta(1, "text_delta", text="It is"),
    PING,
    delta(1, "text_delta", text=" steamed."),
    {"type": "content_block_stop", "index": 1},
]
THOUGHT = [
    block(0, "thinking", thinking="", signature=""),
    delta(0, "thinking_delta", thinking="Tea…"),
    delta(0, "signature_delta", signature="EqQB"),
    {"type": "content_block_stop", "index": 0},
]
CLAUDE = [started(input_tokens=31), PING, *SPOKEN, *stopped()]


def test_anthropic_is_sent_this_and_nothing_else() -> None:
    chat, sent = anthropic(sse(*CLAUDE, done=False))
    turns = [
        Message("system", "Cite."),
        Message("user", "Passages."),
        Message("user", "Why?"),
        Message("assistant", "So."),
        Message("system", "Be short."),
        Message("user", "Really?"),
    ]
    options = ChatOptions(max_tokens=77, seed=9, stop=["END"], json=True)
    assert "".join(chat.stream(turns, options)) == "It is steamed."
    [request] = sent.requests
    assert (request.method, str(request.url)) == ("POST", "http://claude.test/v1/messages")
    assert dict(request.headers) == {
        "host": "claude.test",
        "anthropic-version": "2023-06-01",
        "x-api-key": KEY,
        **always(request),
    }
    assert sent.bodies == [
        {
            "model": "c-1",
            "max_tokens": 77,
            "messages": [
                {"role": "user", "content": "Passages.\n\nWhy?"},
                {"role": "assistant", "content": "So."},
                {"role": "user", "content": "Really?"},
            ],
            "temperature": 0.0,
            "stream": True,
            "system": "Cite.\n\nBe short.",
            "stop_sequences": ["END"],
        }
    ]


@pytest.mark.parametrize(
    "events",
    [
        CLAUDE,
        [started(input_tokens=31), *THOUGHT, *SPOKEN, *stopped()],
        [
            started(input_tokens=1, cache_read_input_tokens=20, cache_creation_input_tokens=10),
            *SPOKEN,
            *stopped(),
        ],
        [started(input_tokens=30), *SPOKEN, *stopped(input_tokens=31)],
        [
            started(input_tokens=31),
            {"type": "of_the_future", "x": 1},
            *SPOKEN,
            *stopped("stop_sequence"),
        ],
        [started(input_tokens=31), *SPOKEN, *stopped()[:1]],
    ],
)
def test_anthropic_is_understood(events: list[Any]) -> None:
    stream = anthropic(sse(*events, done=False))[0].stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert (stream.model, stream.ended) == ("c-1-2026", "stop")
    assert stream.usage == {"prompt_tokens": 31, "completion_tokens": 4}


def test_anthropic_reads_a_message_in_one_piece() -> None:
    content = [{"type": "thinking", "thinking": "Tea…"}, {"type": "text", "text": "It is steamed."}]
    value = {
        "id": "msg_7", "type": "message", "role": "assistant", "model": "c-1-2026", "content": content,
        "stop_reason": "max_tokens", "usage": {"input_tokens": 31, "output_tokens": 4},
    }  # fmt: skip
    chat, sent = anthropic(httpx.Response(200, json=value), streams=False)
    stream = chat.stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert (stream.ended, stream.model) == ("length", "c-1-2026")
    assert stream.usage == {"prompt_tokens": 31, "completion_tokens": 4}
    assert sent.bodies[0]["stream"] is False


@pytest.mark.parametrize("reason", ["refusal", "pause_turn", "model_context_window_exceeded"])
def test_anthropic_tells_why_a_reply_ended(reason: str) -> None:
    stream = anthropic(sse(*CLAUDE[:-2], *stopped(reason), done=False))[0].stream(TURNS)
    assert ("".join(stream), stream.ended) == ("It is steamed.", reason)


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def test_anthropic_is_asked_again_where_it_is_overloaded() -> None:
    busy = httpx.Response(529, json=OVERLOADED)
    chat, sent = anthropic(sse(started(input_tokens=31), OVERLOADED, done=False), busy, sse(*CLAUDE))
    stream = chat.stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert [notice.code for notice in stream.notices] == ["retried", "retried"]
    assert len(sent.requests) == 3


@pytest.mark.parametrize(
    ("reply", "asked", "says"),
    [
        (sse(*CLAUDE[:4], OVERLOADED), 1, "is not able to answer now, saying “Overloaded”"),
        (
            sse(started(), *THOUGHT, *stopped("max_tokens"), done=False),
            1,
            "reasoned and gave no answer",
        ),
        (sse(started(), *stopped("refusal"), done=False), 1, "declined to answer"),
        (sse(*CLAUDE[:5], done=False), 1, "broke off"),
        (
            sse({"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}),
            1,
            "“No”",
        ),
        (httpx.Response(413, json={"error": {"type": "request_too_large"}}), 1, "prompt too long"),
        (refusal("prompt is too long: 9 tokens > 8 maximum"), 1, "too long for the model's context"),
        (
            httpx.Response(404, json={"error": {"type": "not_found_error", "message": "model: c-1"}}),
            1,
            "no such model or address (status 404), saying “model: c-1”; check the model's name",
        ),
        (
            httpx.Response(401, json={"error": {"message": f"invalid x-api-key {KEY}"}}),
            1,
            "refused the key (status 401); check RAG_ANTHROPIC_API_KEY",
        ),
        (httpx.Response(503, json=OVERLOADED), 3, "(status 503), saying “Overloaded”"),
    ],
)
def test_anthropic_says_what_is_wrong(reply: httpx.Response, asked: int, says: str) -> None:
    chat, sent = anthropic(reply)
    with pytest.raises(BackendError) as told:
        said(chat)
    assert says in str(told.value)
    assert len(sent.requests) == asked


def test_anthropic_leaves_out_a_temperature_that_is_refused() -> None:
    no = refusal("`temperature` may only be set to 1 with this model", type="invalid_request_error")
    chat, sent = anthropic(no, sse(*CLAUDE))
    stream = chat.stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert [notice.code for notice in stream.notices] == ["option_dropped"]
    assert ["temperature" in body for body in sent.bodies] == [True, False]
