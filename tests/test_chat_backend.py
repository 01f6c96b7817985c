"""The OpenAI-compatible backend against a real server on loopback that can fail in many ways."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer import Answerer
from rag.backends.chat import ChatBackend
from rag.backends.http import Limits
from rag.backends.openai import OpenAIChat
from rag.cite import Checker, Citer, cite
from rag.cite.judge import LexicalJudge
from rag.config import Settings
from rag.errors import (
    BackendError,
    BackendTimeoutError,
    BackendUnreachableError,
    ConfigError,
    StoppedError,
)
from rag.retrieve import Retriever
from rag.stop import Stop
from rag.types import DEFAULT_OPTIONS, ChatOptions, IndexRef, Message, Passage, Request, Retrieval
from tests.faults import FaultServer

ASKED = [Message("user", "Why?")]
CHECKER = Checker(LexicalJudge())


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as live:
        yield live


def chat(server: FaultServer, seconds: float = 5) -> OpenAIChat:
    limits = Limits(2, seconds, seconds, backoff=0.05)
    return OpenAIChat("tiny", server.url, key="secret-key", limits=limits)


def test_a_reply_comes_bit_by_bit(server: FaultServer) -> None:
    server.says("Green tea ", "is steamed", ". [1]")
    stream = chat(server).stream(ASKED)
    assert list(stream) == ["Green tea ", "is steamed", ". [1]"]
    assert (stream.model, stream.usage) == ("tiny-1", {"prompt_tokens": 7, "completion_tokens": 3})
    [request] = server.requests
    assert request["messages"] == [{"role": "user", "content": "Why?"}]
    assert request["model"] == "tiny"
    assert server.keys == ["Bearer secret-key"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang", BackendTimeoutError),
        ("hang_midway", BackendTimeoutError),
        ("die_midway", BackendUnreachableError),
        ("die_at_once", BackendUnreachableError),
        ("end_early", BackendUnreachableError),
        ("garbage", BackendError),
        ("binary", BackendError),
        ("not_json", BackendError),
        ("wrong_shape", BackendError),
        ("error_event", BackendUnreachableError),
        ("500", BackendUnreachableError),
        ("429", BackendUnreachableError),
        ("401", BackendError),
        ("redirect", BackendError),
    ],
)
def test_every_fault_is_a_backend_error_that_tells_no_secret(
    server: FaultServer, fault: str, error: type[BackendError]
) -> None:
    server.fault = fault
    with pytest.raises(error) as told:
        list(chat(server, seconds=0.4).stream(ASKED))
    assert "secret-key" not in str(told.value)
    assert "Traceback" not in str(told.value)
    assert str(told.value).endswith(".")


def test_a_server_that_does_not_stream_is_read_whole(server: FaultServer) -> None:
    server.fault = "whole"
    server.says("All at once.")
    assert list(chat(server).stream(ASKED)) == ["All at once."]


def test_a_stream_without_its_end_mark_is_whole_once_it_has_finished(server: FaultServer) -> None:
    server.fault = "no_done"
    server.says("Finished.")
    assert list(chat(server).stream(ASKED)) == ["Finished."]


def test_nobody_listening_is_unreachable() -> None:
    model = OpenAIChat("tiny", "http://127.0.0.1:9/v1", limits=Limits(backoff=0.05))
    with pytest.raises(BackendUnreachableError):
        list(model.stream(ASKED))


@pytest.mark.parametrize("fault", ["hang", "hang_midway"])
def test_closing_wakes_who_waits(server: FaultServer, fault: str) -> None:
    server.fault = fault
    stream = chat(server, seconds=30).stream(ASKED)
    threading.Timer(0.2, stream.close).start()
    began = time.monotonic()
    with pytest.raises(BackendError):
        list(stream)
    assert time.monotonic() - began < 3


class Listening:
    """Notes what an answer's follower is told, and can stop the work at the first text."""

    def __init__(self, stops: bool = False) -> None:
        self.stop = Stop()
        self.texts: list[str] = []
        self.found_passages = 0
        self._stops = stops

    def found(self, retrieval: Retrieval) -> None:
        self.found_passages = len(retrieval.passages)

    def said(self, text: str) -> None:
        self.texts.append(text)
        if self._stops:
            self.stop.set()


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    texts = ["Green tea is steamed soon after picking.", "Black tea is left to oxidise."]
    return Retriever.from_documents(texts, Settings())


@pytest.fixture
def answerer(server: FaultServer, retriever: Retriever) -> Answerer:
    chosen = Settings(backend="openai:tiny", openai_base_url=server.url, threshold=0, silence_seconds=2)
    return Answerer.over(retriever, chosen)


def test_an_answer_streams_with_its_final_numbers(server: FaultServer, answerer: Answerer) -> None:
    server.says("Black tea is ", "left to oxidise", ". [", "2] Green tea", " is steamed. [1]", "[7]")
    listening = Listening()
    answer = answerer.ask("How is tea treated?", follower=listening)
    assert "".join(listening.texts) == answer.answer
    assert len(listening.texts) > 3
    assert answer.answer.startswith("Black tea is left to oxidise. [1] Green tea is steamed. [2] [3]")
    assert [citation.verdict for citation in answer.citations][-1] == "not_found"
    assert answer.backend == "openai:tiny"
    assert answer.model == "tiny-1"
    assert listening.found_passages == 2


@pytest.mark.parametrize(
    "says", [("NOT_IN", "_DOCUMENTS"), ("NOT_IN_DOCUMENTS.",), (" `NOT_IN_DOCUMENTS` ",), ()]
)
def test_the_abstaining_token_is_never_shown(
    server: FaultServer, answerer: Answerer, says: tuple[str, ...]
) -> None:
    server.says(*says)
    listening = Listening()
    answer = answerer.ask("Who won the cup?", follower=listening)
    assert answer.abstained
    assert listening.texts == []
    assert "NOT_IN" not in answer.answer


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["NOT_IN_DOCUMENTS", "`NOT_IN_DOCUMENTS`", "**NOT_IN_DOCUMENTS**.", " NOT_IN_DOCUMENTS. No."]
    ),
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
)
def test_the_abstaining_token_is_known_however_it_is_cut(reply: str, sizes: list[int]) -> None:
    bits, at, turn = [], 0, 0
    while at < len(reply):
        size = sizes[turn % len(sizes)]
        bits.append(reply[at : at + size])
        at, turn = at + size, turn + 1
    said: list[str] = []
    draft = ChatBackend(Canned(bits)).generate(Request("?", NOTHING_FOUND), said.append, Stop())
    assert draft.abstained
    assert said == []


def test_what_only_begins_like_the_token_is_said_whole() -> None:
    said: list[str] = []
    draft = ChatBackend(Canned(["NOT", " so."])).generate(
        Request("?", NOTHING_FOUND), said.append, Stop()
    )
    assert (draft.text, "".join(said), draft.abstained) == ("NOT so.", "NOT so.", False)


class Canned:
    """A model whose reply is known."""

    name = "canned"
    model = "canned"
    usage = None
    ended = "stop"
    notices = ()
    context_tokens = None

    def __init__(self, bits: list[str]) -> None:
        self._bits = bits

    def count(self, text: str) -> int:
        return len(text)

    def stream(self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS) -> "Canned":
        return self

    def __iter__(self) -> Iterator[str]:
        return iter(self._bits)

    def close(self) -> None:
        """Have nothing to let go of."""


NOTHING_FOUND = Retrieval("?", (), IndexRef("gen-000001", "0"))


def test_odd_line_ends_within_a_reply_are_no_ends_of_lines(server: FaultServer) -> None:
    server.raw = True
    server.says("a\u2028b\u0085c\x0bd")
    assert list(chat(server).stream(ASKED)) == ["a\u2028b\u0085c\x0bd"]


@pytest.mark.parametrize(
    ("url", "key"),
    [("http://[::1", None), ("http://127.0.0.1:9/v1", "schl\u00fcssel"), ("nonsense", None)],
)
def test_what_cannot_be_asked_is_a_backend_error(url: str, key: str | None) -> None:
    with pytest.raises(BackendError):
        list(OpenAIChat("tiny", url, key).stream(ASKED))


def test_whoever_stops_listening_stops_the_model(server: FaultServer, answerer: Answerer) -> None:
    server.fault = "endless"
    began = time.monotonic()
    with pytest.raises(StoppedError):
        answerer.ask("How is tea treated?", follower=Listening(stops=True))
    assert time.monotonic() - began < 3
    server.wait_for_hang_up()


def test_a_key_does_not_belong_in_a_file() -> None:
    from rag.config import FILE

    FILE.write_text('openai_api_key = "sk-1"', encoding="utf-8")
    with pytest.raises(ConfigError, match="RAG_OPENAI_API_KEY") as told:
        Settings.load()
    assert "sk-1" not in str(told.value)


PASSAGES = [
    Passage("a", 0, 64, "Minsk freed 37 people on 16 September. Others stay. He said so.", 1.0),
    Passage("b", 0, 42, "The economy grew by 3.5 percent. U.S. aid.", 1.0),
]
PIECES = st.sampled_from(
    ["Minsk freed 37 people.", " [1]", "[2]", "[9]", " Others stay.", "\n\n", "- item", "\n1. ", "[",
     "]", "He said so", "。", "」", "3.5", "U.S. ", " (x)", '"', "...", "? ", "A", "Dr. Who", "[1, 2]",
     "\n", "12"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.lists(st.integers(1, 7), min_size=1, max_size=9))
def test_however_a_draft_is_cut_it_is_cited_alike(draft: str, sizes: list[int]) -> None:
    """What a citer gives back, joined, is the answer that it would have given to the whole draft."""
    citer = Citer(PASSAGES, CHECKER, "en")
    given, at, turn = [], 0, 0
    while at < len(draft):
        size = sizes[turn % len(sizes)]
        given.append(citer.add(draft[at : at + size]))
        at, turn = at + size, turn + 1
    given.append(citer.close())
    assert citer.cited == cite(draft, PASSAGES, CHECKER, "en")
    assert "".join(given) == citer.cited.answer
