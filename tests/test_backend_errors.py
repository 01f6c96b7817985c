"""What backends behind HTTP say of what went wrong, and what they never say."""

import json
from collections.abc import Callable, Iterable

import httpx
import pytest

from rag.backends.http import HTTPChat
from rag.backends.http.exchange import retry_after
from rag.backends.openai import OpenAIChat
from rag.errors import BackendError, BackendUnreachableError
from tests.faults import FaultServer
from tests.test_openai_wire import STEAMED, chunk
from tests.wire import (
    KEY,
    LIMITS,
    TURNS,
    Reply,
    Sent,
    anthropic,
    openai,
    refusal,
    said,
    sse,
)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (
            refusal(
                "This model's maximum context length is 2048 tokens; max_tokens is too large",
                param="messages",
            ),
            "too long for the model's context, saying “This model's maximum context length is 2048",
        ),
        (
            refusal("the request exceeds it", type="exceed_context_size_error"),
            "set RAG_MODEL_CONTEXT_TOKENS",
        ),
        (refusal("You exceeded your quota", 429, code="insufficient_quota"), "has no quota left"),
        (refusal("The model m-1 does not exist", 404), "which mostly ends in /v1"),
        (httpx.Response(404, text="<html>nginx"), "replied with a web page (status 404)"),
        (httpx.Response(403, json={}), "refused the key (status 403); check RAG_OPENAI_API_KEY"),
        (
            httpx.Response(308, headers={"Location": "http://x.test/"}),
            "put the address that it is at now",
        ),
        (httpx.Response(204), "broke off"),
        (sse({"error": {"message": "maximum context length is 8", "code": 400}}), "too long for the"),
        (
            sse({"error": {"message": "busy", "type": "server_error"}}),
            "not able to answer now, saying “busy”",
        ),
        (httpx.Response(200, content=b"x", headers={"Content-Encoding": "br"}), "was not asked for"),
        (
            lambda _: httpx.Response(
                200, stream=httpx.ByteStream(b"\x1f\x8bxx"), headers={"Content-Encoding": "gzip"}
            ),
            "cannot be unpacked",
        ),
    ],
)
def test_what_is_wrong_is_said_with_how_to_mend_it(reply: Reply, says: str) -> None:
    chat, _ = openai(reply)
    with pytest.raises(BackendError) as told:
        said(chat)
    assert says in str(told.value)
    assert str(told.value).startswith("openai:m-1 ")


def test_a_key_that_is_missing_is_asked_for() -> None:
    chat = OpenAIChat("m-1", "http://ai.test/v1", None, LIMITS, Sent(httpx.Response(401)))
    with pytest.raises(BackendError, match=r"asks for a key .*set RAG_OPENAI_API_KEY"):
        said(chat)


@pytest.mark.parametrize("url", ["127.0.0.1:8080/v1", "localhost", "ftp://ai.test/v1"])
def test_an_address_without_http_is_named(url: str) -> None:
    with pytest.raises(BackendError, match=r"RAG_OPENAI_BASE_URL must begin with http:// or https://"):
        said(OpenAIChat("m-1", url, None, LIMITS))


def test_a_redirect_is_not_followed() -> None:
    chat, sent = openai(httpx.Response(307, headers={"Location": "http://elsewhere.test/"}), STEAMED)
    with pytest.raises(BackendError, match="must not follow"):
        said(chat)
    assert [request.url.host for request in sent.requests] == ["ai.test"]


def _dies(*_: object) -> httpx.Response:
    raise httpx.ReadError(f"connection with {KEY} lost")


def _parts(*parts: str) -> Iterable[bytes]:
    for part in parts:
        yield part.encode()
    _dies()


ECHOES = [
    httpx.Response(status, json={"error": {"message": said, "code": KEY, "type": KEY, "param": KEY}})
    for status in (400, 401, 403, 404, 422, 429, 500, 529)
    for said in (
        f"bad key {KEY}",
        f"bad key '{KEY}'.",
        f"key={KEY[:12]}***",
        f"…{KEY[-8:]} is bad",
        f"{KEY}x" * 90,
    )
]


@pytest.mark.parametrize(
    "reply",
    [
        *ECHOES,
        sse({"error": f"no {KEY}"}),
        sse({"error": {"message": KEY, "type": "server_error"}}),
        httpx.Response(200, text=f"<html>{KEY}"),
        httpx.Response(400, text=KEY),
        httpx.Response(302, headers={"Location": f"http://x.test/{KEY}"}),
        _dies,
        lambda _: httpx.Response(200, content=_parts(f": {KEY}\n\n")),
    ],
)
@pytest.mark.parametrize("make", [openai, anthropic])
def test_a_key_is_told_nowhere(make: Callable[..., tuple[HTTPChat, Sent]], reply: Reply) -> None:
    chat, _ = make(reply)
    stream = chat.stream(TURNS)
    with pytest.raises(BackendError) as told:
        list(stream)
    shown = [str(told.value), repr(told.value), repr(chat), repr(chat.server), repr(stream)]
    shown += [repr(notice) for notice in stream.notices]
    for text in shown:
        for at in range(len(KEY) - 6):
            assert KEY[at : at + 6] not in text, text


@pytest.mark.parametrize(
    ("message", "quoted"),
    [
        ("line\x1b[31m one\r\n  two\u202e\x00", "“line [31m one two”"),
        ("see /etc/passwd, C:\\keys or https://user:pw@host/x now", "“see … … or … now”"),
        (
            "token sk-somebodys-other and eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9 there",
            "“token … and … there”",
        ),
        ("word " * 100, "“" + "word " * 39 + "word…”"),
        (
            "model meta/Llama-3.3-70B is and/or was “off”.",
            '“model meta/Llama-3.3-70B is and/or was “off"”',
        ),
    ],
)
def test_what_a_server_says_is_quoted_in_short(message: str, quoted: str) -> None:
    chat, _ = openai(refusal(message))
    with pytest.raises(BackendError) as told:
        said(chat)
    assert str(told.value) == f"openai:m-1 refused the request (status 400), saying {quoted}."


def test_what_has_begun_is_not_asked_for_again() -> None:
    begun = f"data: {json.dumps(chunk({'content': 'It is'}))}\n\n"
    chat, sent = openai(lambda _: httpx.Response(200, content=_parts(begun)), STEAMED)
    bits: list[str] = []
    with pytest.raises(BackendUnreachableError, match="broke off"):
        bits.extend(chat.stream(TURNS))
    assert (bits, len(sent.requests)) == (["It is"], 1)


def test_what_runs_here_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with FaultServer() as server:
        assert "".join(OpenAIChat("tiny", server.url).stream(TURNS)) == "Nothing."


def test_a_date_that_is_none_is_no_wish_to_be_left_alone() -> None:
    headers = {"retry-after": "Mon, 01 Jan 2020 00:00:00 +99999999999999"}
    assert retry_after(httpx.Response(429, headers=headers)) is None
