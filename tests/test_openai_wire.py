"""OpenAI's chat completions: what is sent, whole, and how replies and refusals are read."""

import json
from typing import Any

import httpx
import pytest

from rag.backends.openai import OpenAIChat
from rag.errors import BackendError
from rag.types import ChatOptions
from tests.wire import (
    KEY,
    LIMITS,
    TURNS,
    Sent,
    always,
    openai,
    refusal,
    said,
    sse,
)


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1790000000,
        "model": "m-1-2026", "system_fingerprint": "fp_1", "choices": [choice], **more,
    }  # fmt: skip


USAGE = {
    "prompt_tokens": 31,
    "completion_tokens": 4,
    "total_tokens": 35,
    "prompt_tokens_details": {"cached_tokens": 0},
}
COUNTED = {"prompt_tokens": 31, "completion_tokens": 4, "total_tokens": 35}
LATE = chunk({}) | {"choices": [], "usage": USAGE}
TEA = [
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "It is"}),
    chunk({"content": " steamed."}),
]
STEAMED = sse(*TEA, chunk({}, "stop"))


def test_openai_is_sent_this_and_nothing_else() -> None:
    chat, sent = openai(STEAMED)
    options = ChatOptions(max_tokens=77, temperature=0.5, seed=9, stop=["\n\n"], json=True)
    assert said(chat, options) == "It is steamed."
    [request] = sent.requests
    assert (request.method, str(request.url)) == ("POST", "http://ai.test/v1/chat/completions")
    assert dict(request.headers) == {
        "host": "ai.test",
        "authorization": f"Bearer {KEY}",
        **always(request),
    }
    assert sent.bodies == [
        {
            "model": "m-1",
            "messages": [
                {"role": "system", "content": "Cite."},
                {"role": "user", "content": "Is tea green?"},
                {"role": "assistant", "content": "Some is."},
                {"role": "user", "content": "Why — 为什么?"},
            ],
            "temperature": 0.5,
            "max_tokens": 77,
            "stream": True,
            "stream_options": {"include_usage": True},
            "seed": 9,
            "stop": ["\n\n"],
            "response_format": {"type": "json_object"},
        }
    ]


def test_openai_is_sent_no_more_than_is_wished_for() -> None:
    sent = Sent(STEAMED)
    chat = OpenAIChat("m-1", "http://ai.test/v1", None, LIMITS, sent, streams=False)
    said(chat, ChatOptions(seed=None))
    assert "authorization" not in sent.requests[0].headers
    assert sent.bodies[0].keys() == {"model", "messages", "temperature", "max_tokens", "stream"}
    assert sent.bodies[0]["stream"] is False


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        ([*TEA, chunk({}, "stop"), LATE], COUNTED),
        ([each | {"usage": USAGE} for each in [*TEA, chunk({}, "stop")]], COUNTED),
        ([*TEA, chunk({}, "stop", usage=None)], None),
        ([*TEA[:2], chunk({"content": " steamed."}, "stop")], None),
        ([{"choices": [], "prompt_filter_results": []}, *TEA, chunk({}, "stop")], None),
    ],
)
def test_openai_counts_tokens_wherever_they_are_told(
    events: list[Any], usage: dict[str, int] | None
) -> None:
    chat, _ = openai(sse(*events))
    stream = chat.stream(TURNS)
    assert "".join(stream) == "It is steamed."
    told = "m-1-2026" if events[-1].get("model") else "m-1"
    assert (stream.usage, stream.ended, stream.model) == (usage, "stop", told)


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "tool_calls"])
def test_openai_tells_why_a_reply_ended(reason: str) -> None:
    chat, _ = openai(sse(*TEA, chunk({}, reason)))
    stream = chat.stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert stream.ended == reason


def _whole(content: Any, finish: str = "stop", **more: Any) -> httpx.Response:
    message = {"role": "assistant", "content": content, "refusal": None, **more}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    value = {"object": "chat.completion", "model": "m-1-2026", "choices": [choice], "usage": USAGE}
    return httpx.Response(200, json=value)


def test_openai_reads_a_reply_in_one_piece() -> None:
    chat, sent = openai(_whole("It is steamed.", "length"), streams=False)
    stream = chat.stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert (stream.usage, stream.ended, stream.model) == (COUNTED, "length", "m-1-2026")
    assert "stream_options" not in sent.bodies[0]


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("reply", [STEAMED, _whole("It is steamed.")])
def test_openai_is_read_as_it_replies_whatever_was_asked_for(asks: bool, reply: httpx.Response) -> None:
    chat, _ = openai(reply, streams=asks)
    assert said(chat) == "It is steamed."


PARTS = [
    {"type": "text", "text": "It is"},
    {"type": "image_url"},
    {"type": "text", "text": " steamed."},
]


@pytest.mark.parametrize(
    "reply",
    [
        _whole(PARTS),
        sse(chunk({"content": PARTS}), chunk({}, "stop")),
        _whole("<think>Tea…</think>\n\nIt is steamed."),
        _whole("It is steamed.", reasoning_content="Tea…"),
        sse(chunk({"reasoning": "Tea…"}), chunk({"content": "It is steamed."}, "stop")),
        sse(chunk({"reasoning_content": "Tea…", "content": None}), *TEA, chunk({}, "stop")),
        sse(
            *(chunk({"content": c}) for c in "\n<think>Tea</b></think>\n It is steamed."),
            chunk({}, "stop"),
        ),
        sse(chunk({"content": "<think></think>"}), chunk({"content": "\n\nIt is steamed."}, "stop")),
    ],
)
def test_openai_says_what_is_answer_and_nothing_else(reply: httpx.Response) -> None:
    chat, _ = openai(reply)
    assert said(chat) == "It is steamed."


@pytest.mark.parametrize(
    "text", ["<thin", "<b>bold</b>", "a <think>b</think>", " <", "</think>", "  spaced", "\n"]
)
def test_text_that_only_looks_like_thinking_stays(text: str) -> None:
    chat, _ = openai(sse(*(chunk({"content": each}) for each in text), chunk({}, "stop")))
    assert said(chat) == text


def test_a_character_that_is_cut_in_two_is_one() -> None:
    first, second = "☕ \ud83d", "\ude00 tea\ud83d"
    chat, _ = openai(sse(chunk({"content": first}), chunk({"content": second}, "stop")))
    assert said(chat) == "☕ 😀 tea\ufffd"


def test_events_of_several_lines_are_one() -> None:
    lines = json.dumps(chunk({"content": "It is steamed."}, "stop"), indent=1).split("\n")
    text = "id: 1\nretry: 10\n: comment\n" + "".join(f"data:{line}\n" for line in lines)
    chat, _ = openai(httpx.Response(200, text=text))
    assert said(chat) == "It is steamed."


def _refused(**delta: Any) -> httpx.Response:
    return sse(chunk(delta), chunk({}, "stop"))


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (_refused(reasoning_content="Hm."), "reasoned and gave no answer; raise RAG_REPLY_TOKENS"),
        (_refused(content="<think>Hm."), "reasoned and gave no answer"),
        (_refused(refusal="I will not."), "declined to answer"),
        (_whole(None, refusal="I will not."), "declined to answer"),
        (sse(chunk({}, "content_filter")), "gave no answer; its reply ended by 'content_filter'"),
        (sse(chunk({}, "length")), "ended by 'length'"),
        (sse({"choices": []}), "replied with nothing at all"),
        (httpx.Response(200, json={"object": "chat.completion", "choices": []}), "nothing at all"),
    ],
)
def test_openai_replies_without_an_answer_are_errors(reply: httpx.Response, says: str) -> None:
    chat, sent = openai(reply)
    with pytest.raises(BackendError, match=says):
        said(chat)
    assert len(sent.requests) == 1


@pytest.mark.parametrize(
    ("told", "model"),
    [
        ("/home/me/models/tea-1b.gguf", "tea-1b.gguf"),
        ("C:\\models\\tea.gguf", "tea.gguf"),
        ("meta/tea-1b", "meta/tea-1b"),
        ("t" * 300, "t" * 200),
    ],
)
def test_openai_models_are_named_without_their_folders(told: str, model: str) -> None:
    stream = openai(sse(chunk({"content": "Yes."}, "stop", model=told)))[0].stream(TURNS)
    assert ("".join(stream), stream.model) == ("Yes.", model)


def test_openai_may_say_nothing() -> None:
    assert said(openai(sse(chunk({}, "stop")))[0]) == ""


NEWER = refusal(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
    "'max_completion_tokens' instead.",
    type="invalid_request_error",
    param="max_tokens",
    code="unsupported_parameter",
)


def test_openai_calls_the_longest_reply_as_the_server_does() -> None:
    chat, sent = openai(NEWER, STEAMED)
    stream = chat.stream(TURNS)
    assert "".join(stream) == "It is steamed."
    assert stream.notices == ()
    first, second = sent.bodies
    assert (first.pop("max_tokens"), second.pop("max_completion_tokens")) == (1024, 1024)
    assert first == second
    assert said(chat) == "It is steamed."
    assert "max_completion_tokens" in sent.bodies[2]


@pytest.mark.parametrize(
    ("parameter", "reply"),
    [
        (
            "temperature",
            refusal("'temperature' does not support 0 with this model.", param="temperature"),
        ),
        (
            "seed",
            httpx.Response(422, json={"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}]}),
        ),
        ("stream_options", refusal("Unknown field stream_options; only valid if stream is true")),
        ("response_format", httpx.Response(400, json={"error": "response_format: unknown"})),
        ("seed", httpx.Response(400, json={"error": True, "field": "seed"})),
        ("response_format", httpx.Response(400, text="response_format is not known here")),
    ],
)
def test_openai_leaves_out_what_the_server_refuses_and_remembers(
    parameter: str, reply: httpx.Response
) -> None:
    chat, sent = openai(reply, STEAMED)
    for _ in range(2):
        stream = chat.stream(TURNS, ChatOptions(json=True))
        assert "".join(stream) == "It is steamed."
        dropped = [notice.code for notice in stream.notices]
        assert dropped == ([] if parameter == "stream_options" else ["option_dropped"])
    first, second, third = sent.bodies
    assert second == third == {name: first[name] for name in first if name != parameter}
    assert parameter in first


def test_openai_leaves_out_one_thing_after_the_other() -> None:
    names = ["temperature", "seed", "stream_options"]
    chat, sent = openai(*(refusal(f"no {each}") for each in names), NEWER, STEAMED)
    assert said(chat) == "It is steamed."
    assert len(sent.requests) == 5
    assert sent.bodies[-1].keys() == {"model", "messages", "max_completion_tokens", "stream"}


@pytest.mark.parametrize("asks", [True, False])
def test_openai_streams_or_not_as_the_server_can(asks: bool) -> None:
    chat, sent = openai(refusal(f"stream must be {not asks}"), STEAMED, streams=asks)
    assert said(chat) == "It is steamed."
    assert [body["stream"] for body in sent.bodies] == [asks, not asks]
    assert ("stream_options" in sent.bodies[1]) is (not asks)


@pytest.mark.parametrize(
    "wraps", [lambda told: told, lambda told: {"object": "error", "message": told}]
)
def test_what_a_server_merely_repeats_is_not_refused(wraps: Any) -> None:
    fault = {"loc": ["body", "messages"], "msg": "Field required", "input": {"seed": 0, "stream": True}}
    chat, sent = openai(httpx.Response(422, json=wraps({"detail": [fault]})))
    with pytest.raises(BackendError, match=r"saying “body\.messages: Field required”"):
        said(chat)
    assert len(sent.requests) == 1


@pytest.mark.parametrize(
    "message", ["stream", "seed", "max_tokens max_completion_tokens", "temperature and seed"]
)
def test_a_server_that_refuses_everything_is_not_asked_for_ever(message: str) -> None:
    chat, sent = openai(refusal(message))
    with pytest.raises(BackendError, match="refused the request"):
        said(chat)
    assert len(sent.requests) <= 3
