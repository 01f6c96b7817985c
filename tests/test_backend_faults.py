"""Every fault of a server, by each of the three interfaces: its outcome, and in what time."""

import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from rag.backends.anthropic import AnthropicChat
from rag.backends.http import HTTPChat, Limits
from rag.backends.ollama import OllamaChat
from rag.backends.openai import OpenAIChat
from rag.errors import BackendError, BackendTimeoutError, BackendUnreachableError
from rag.types import Message
from tests.faults import FaultServer

ASKED = [Message("user", "Why?")]
BITS = ("Grüner Tee ", "☕ 茶 😀", " is steamed. [1]")
TEXT = "".join(BITS)
KEY = "sk-Zq3-secret-key-9fK2"
LIMITS = Limits(connect=1, first_token=8, silence=8, total=20, backoff=0.02)
SHORT = 0.15
OPEN: dict[str, Callable[[FaultServer, Limits], HTTPChat]] = {
    "openai": lambda server, limits: OpenAIChat("tiny", server.url, KEY, limits),
    "ollama": lambda server, limits: OllamaChat("tiny", server.root, limits, context_tokens=4096),
    "anthropic": lambda server, limits: AnthropicChat("tiny", server.root, KEY, limits),
}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as live:
        live.says(*BITS)
        yield live


@pytest.fixture(params=list(OPEN))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def chat(server: FaultServer, kind: str) -> HTTPChat:
    return OPEN[kind](server, LIMITS)


def heard(stream: Iterator[str]) -> tuple[str, BackendError | None]:
    """Return what a stream says, and the error that it ends by."""
    said = ""
    try:
        for bit in stream:
            assert bit
            said += bit
    except BackendError as error:
        return said, error
    return said, None


@pytest.mark.parametrize(
    ("script", "fault", "least"),
    [
        ([], "", 0),
        (["429 after 0.3"], "", 0.3),
        (["429 after 0"], "", 0),
        (["429 after soon"], "", 0.02),
        (["500"], "", 0.02),
        (["502", "503"], "", 0.06),
        (["504", "529"], "", 0.06),
        (["die_at_once"], "", 0.02),
        (["close_at_once"], "", 0.02),
        (["nothing"], "", 0.02),
        ([], "split", 0),
        ([], "label", 0),
        ([], "plain", 0),
        ([], "whole", 0),
        ([], "pretty", 0),
        ([], "bom", 0),
        ([], "crlf", 0),
        ([], "cr", 0),
        ([], "gzip", 0),
        ([], "deflate", 0),
        ([], "bare_deflate", 0),
        ([], "no_done", 0),
        ([], "hang_after", 0),
        ([], "hang_after_end", 0),
        ([], "keepalives_after", 0),
    ],
)
def test_what_can_be_mended_is_heard_whole(
    server: FaultServer, kind: str, script: Sequence[str], fault: str, least: float
) -> None:
    server.script, server.fault = list(script), fault
    limits = replace(LIMITS, silence=SHORT) if "after" in fault else LIMITS
    stream = OPEN[kind](server, limits).stream(ASKED)
    began = time.monotonic()
    assert heard(iter(stream)) == (TEXT, None)
    assert least <= time.monotonic() - began < least + 1.5
    assert (stream.model, stream.ended) == ("tiny-1", "stop")
    assert len(server.requests) == 1 + len(script)
    assert [notice.code for notice in stream.notices] == ["retried"] * len(script)
    assert all(request == server.requests[0] for request in server.requests)


@pytest.mark.parametrize(
    ("fault", "error", "asked", "says"),
    [
        ("429", BackendUnreachableError, 3, "not able to answer now (status 429)"),
        ("500", BackendUnreachableError, 3, "not able to answer now (status 500)"),
        ("501", BackendUnreachableError, 1, "reported an error (status 501)"),
        ("529", BackendUnreachableError, 3, "(status 529)"),
        ("400", BackendError, 1, "(status 400)"),
        ("redirect", BackendError, 1, "sends us elsewhere (status 302)"),
        (
            "hang",
            BackendTimeoutError,
            1,
            "said nothing for 0.15 seconds; raise RAG_FIRST_TOKEN_SECONDS",
        ),
        ("keepalives", BackendTimeoutError, 1, "RAG_FIRST_TOKEN_SECONDS"),
        ("drip_headers", BackendTimeoutError, 1, "RAG_FIRST_TOKEN_SECONDS"),
        ("nothing", BackendUnreachableError, 3, "broke off"),
        ("die_at_once", BackendUnreachableError, 3, "broke off"),
        ("close_at_once", BackendUnreachableError, 3, "broke off"),
        ("binary", BackendError, 1, "replied with something that is no"),
        ("not_json", BackendError, 1, "replied with a web page"),
        ("wrong_shape", BackendError, 1, "replied with something that is no"),
        ("half_json", BackendError, 1, "replied with something that is no"),
        ("huge_event", BackendError, 1, "sent more than 4 MB at once"),
        ("huge_body", BackendError, 1, "sent more than 4 MB at once"),
        ("huge_packed", BackendError, 1, "sent more than 4 MB at once"),
    ],
)
def test_what_cannot_be_mended_is_told_before_anything_is_said(
    server: FaultServer, kind: str, fault: str, error: type[BackendError], asked: int, says: str
) -> None:
    server.fault = fault
    late = error is BackendTimeoutError
    chat = OPEN[kind](server, replace(LIMITS, first_token=SHORT) if late else LIMITS)
    began = time.monotonic()
    said, told = heard(iter(chat.stream(ASKED)))
    assert time.monotonic() - began < 1.5
    assert (said, type(told), len(server.requests)) == ("", error, asked)
    assert says in str(told)
    _tells_no_secret(told, chat)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("hang_midway", BackendTimeoutError, "fell silent for 0.15 seconds; raise RAG_SILENCE_SECONDS"),
        ("keepalives_midway", BackendTimeoutError, "RAG_SILENCE_SECONDS"),
        ("die_midway", BackendUnreachableError, "broke off"),
        ("end_early", BackendUnreachableError, "broke off"),
        ("cut_chunk", BackendUnreachableError, "broke off"),
        ("cut_length", BackendUnreachableError, "broke off"),
        ("garbage", BackendError, "replied with something that is no"),
        ("error_event", BackendUnreachableError, "reported an error, saying “out of memory at …”"),
        ("huge_many", BackendError, "sent more than 16 MB"),
    ],
)
def test_a_reply_that_fails_once_begun_is_never_asked_for_again_nor_taken_for_whole(
    server: FaultServer, kind: str, fault: str, error: type[BackendError], says: str
) -> None:
    server.fault = fault
    late = error is BackendTimeoutError
    chat = OPEN[kind](server, replace(LIMITS, silence=SHORT) if late else LIMITS)
    began = time.monotonic()
    said, told = heard(iter(chat.stream(ASKED)))
    assert time.monotonic() - began < (4 if fault == "huge_many" else 1.5)
    assert said
    assert (type(told), len(server.requests)) == (error, 1)
    assert says in str(told)
    _tells_no_secret(told, chat)


def _tells_no_secret(error: BackendError | None, chat: HTTPChat) -> None:
    said = str(error)
    assert said.startswith(f"{chat.name} ")
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 400
    assert "secret" not in said


@pytest.mark.parametrize("fault", ["huge_event", "huge_many", "huge_body", "huge_packed"])
def test_a_reply_that_does_not_end_takes_no_memory(server: FaultServer, fault: str) -> None:
    server.fault = fault
    chat = OPEN["openai"](server, LIMITS)
    with pytest.raises(BackendError):
        list(chat.stream(ASKED))  # The first one loads what stays loaded.
    tracemalloc.start()
    try:
        with pytest.raises(BackendError):
            for _ in chat.stream(ASKED):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000


def test_a_reply_that_never_ends_is_given_up(server: FaultServer) -> None:
    server.fault = "endless"
    chat = OPEN["openai"](server, Limits(first_token=0.3, silence=0.3, total=0.6))
    began = time.monotonic()
    said, told = heard(iter(chat.stream(ASKED)))
    assert 0.5 < time.monotonic() - began < 1.5
    assert said.startswith("and so on and so on")
    assert type(told) is BackendTimeoutError
    assert "did not end its reply within 0.6 seconds; raise RAG_REPLY_SECONDS" in str(told)
    server.wait_for_hang_up()


def test_who_reads_slowly_is_no_silent_server(server: FaultServer) -> None:
    said = []
    for bit in OPEN["openai"](server, replace(LIMITS, silence=0.3)).stream(ASKED):
        said.append(bit)
        time.sleep(0.4 if len(said) == 1 else 0)
    assert said == list(BITS)


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ("600", "wants to be left alone for 600 seconds, more than are left of RAG_REPLY_SECONDS"),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True), "left alone for 3"),
    ],
)
def test_a_server_that_wants_more_time_than_there_is_fails_at_once(
    server: FaultServer, chat: HTTPChat, after: str, says: str
) -> None:
    server.fault = f"429 after {after}"
    began = time.monotonic()
    said, told = heard(iter(chat.stream(ASKED)))
    assert time.monotonic() - began < 0.5
    assert (said, type(told), len(server.requests)) == ("", BackendUnreachableError, 1)
    assert says in str(told)


def test_a_date_to_come_back_at_is_waited_for(server: FaultServer) -> None:
    at = datetime.now(UTC) + timedelta(seconds=2)
    server.script = [f"503 after {format_datetime(at, usegmt=True)}"]
    assert heard(iter(OPEN["openai"](server, LIMITS).stream(ASKED))) == (TEXT, None)
    assert 0.5 < server.asked_at[1] - server.asked_at[0] < 2.5


def test_a_date_that_has_passed_is_not_waited_for(server: FaultServer) -> None:
    server.script = ["503 after Mon, 02 Jan 2006 15:04:05 GMT"]
    assert heard(iter(OPEN["openai"](server, LIMITS).stream(ASKED))) == (TEXT, None)
    assert server.asked_at[1] - server.asked_at[0] < 0.5


def test_time_between_tries_grows_and_is_never_the_same(server: FaultServer) -> None:
    server.fault = "500"
    limits = Limits(first_token=1, retries=3, backoff=0.1)
    heard(iter(OPEN["openai"](server, limits).stream(ASKED)))
    heard(iter(OPEN["openai"](server, limits).stream(ASKED)))
    times = server.asked_at
    waits = [later - earlier for earlier, later in pairwise(times)]
    for at, wait in enumerate(waits[:3] + waits[4:]):
        assert 0.1 * 2 ** (at % 3) <= wait < 0.15 * 2 ** (at % 3) + 0.1
    assert abs(waits[2] - waits[6]) > 0.0005


@pytest.mark.parametrize(
    "fault", ["hang", "hang_midway", "keepalives", "drip_headers", "429 after 20", "endless"]
)
def test_closing_wakes_whoever_waits(server: FaultServer, kind: str, fault: str) -> None:
    server.fault = fault
    stream = OPEN[kind](server, Limits(total=60)).stream(ASKED)
    threading.Timer(0.08, stream.close).start()
    began = time.monotonic()
    _, told = heard(iter(stream))
    assert time.monotonic() - began < 1
    assert str(told) == f"{kind}:tiny was cut off."


def test_what_is_closed_before_it_is_asked_for_is_never_asked_for(
    server: FaultServer, chat: HTTPChat
) -> None:
    stream = chat.stream(ASKED)
    stream.close()
    said, told = heard(iter(stream))
    assert (said, str(told)) == ("", f"{chat.name} was cut off.")
    assert server.requests == []


def test_no_thread_and_no_connection_stays(server: FaultServer, chat: HTTPChat) -> None:
    for fault in ("", "die_midway", "huge_many", "hang_after"):
        server.fault = fault
        heard(iter(chat.stream(ASKED)))
    server.fault = "endless"
    abandoned = iter(chat.stream(ASKED))
    next(abandoned)
    del abandoned
    server.wait_for_hang_up()
    deadline = time.monotonic() + 2
    while any(thread.name == "rag-watch" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_replies_of_many_threads_do_not_mix(server: FaultServer, chat: HTTPChat) -> None:
    server.fault = "split"
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append("".join(chat.stream(ASKED)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [TEXT] * 8


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server whose greeting in TLS never ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            with suppress(OSError):
                accepted, _ = listening.accept()
                with accepted:
                    accepted.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")
                    while not over.wait(0.02):
                        accepted.sendall(b"\x00")

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join()


@pytest.mark.parametrize("closes", [False, True])
def test_a_handshake_that_drips_is_cut(dripping: str, closes: bool) -> None:
    limits = Limits(connect=5, first_token=8 if closes else SHORT, retries=0)
    stream = OpenAIChat("tiny", dripping, KEY, limits).stream(ASKED)
    if closes:
        threading.Timer(0.1, stream.close).start()
    began = time.monotonic()
    said, told = heard(iter(stream))
    assert time.monotonic() - began < 1
    assert (said, type(told)) == ("", BackendError if closes else BackendTimeoutError)
