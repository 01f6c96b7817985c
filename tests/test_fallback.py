"""Backends that follow one another: a later one answers where those before it fail."""

import time
from collections.abc import Iterator

import pytest

from rag.answer import Answerer
from rag.backends import open_backends
from rag.config import FILE, Settings
from rag.errors import BackendError, BackendTimeoutError, BackendUnreachableError, ConfigError
from rag.protocols import ChatModel
from rag.retrieve import Retriever
from rag.types import Message
from tests.conftest import LetterEncoder
from tests.faults import FaultServer
from tests.test_chat_backend import Listening

TEXTS = ["Green tea is steamed soon after picking.", "Black tea is left to oxidise."]
QUESTION = "What is green tea?"
DEAD = "http://127.0.0.1:9"
KEY = "sk-Zq3-secret-key-9fK2"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as live:
        live.says("Green tea is ", "steamed. [1]")
        yield live


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return Retriever.from_documents(TEXTS, Settings())


def answerer(retriever: Retriever, backend: str, server: FaultServer | None = None) -> Answerer:
    url = server.root if server else DEAD
    settings = Settings(
        backend=backend,
        openai_base_url=f"{url}/v1",
        openai_api_key=KEY,
        ollama_base_url=url,
        anthropic_base_url=url,
        anthropic_api_key=KEY,
        threshold=0,
        retries=0,
        first_token_seconds=1,
        silence_seconds=1,
    )
    return Answerer.over(retriever, settings)


@pytest.mark.parametrize("kind", ["openai", "ollama", "anthropic"])
def test_a_dead_backend_is_followed_by_the_next(retriever: Retriever, kind: str) -> None:
    listening = Listening()
    began = time.monotonic()
    answer = answerer(retriever, f"{kind}:tiny,extractive").ask(QUESTION, follower=listening)
    assert time.monotonic() - began < 2
    assert (answer.backend, answer.model) == ("extractive", "extractive")
    assert "steamed soon after picking" in answer.answer
    assert "".join(listening.texts).split() == answer.answer.split()
    [fell] = [notice for notice in answer.warnings if notice.code == "fell_back"]
    assert fell.message == (
        f"{kind}:tiny could not be reached; check that it runs, and RAG_{kind.upper()}_BASE_URL. "
        "The next backend answered."
    )


@pytest.mark.parametrize(
    "fault", ["500", "401", "hang", "garbage", "not_json", "keepalives", "nothing"]
)
def test_whatever_fails_before_it_is_heard_is_followed(
    retriever: Retriever, server: FaultServer, fault: str
) -> None:
    server.fault = fault
    server.says("<think>")
    answer = answerer(retriever, "openai:tiny,extractive", server).ask(QUESTION, follower=Listening())
    assert answer.backend == "extractive"
    assert "fell_back" in [notice.code for notice in answer.warnings]
    assert KEY[3:9] not in str(answer.warnings)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("die_midway", BackendUnreachableError),
        ("hang_midway", BackendTimeoutError),
        ("garbage", BackendError),
    ],
)
def test_nobody_takes_over_once_something_was_heard(
    retriever: Retriever, server: FaultServer, fault: str, error: type[BackendError]
) -> None:
    server.fault = fault
    listening = Listening()
    with pytest.raises(error):
        answerer(retriever, "openai:tiny,extractive", server).ask(QUESTION, follower=listening)
    assert "".join(listening.texts).startswith("Green tea")
    assert len(server.requests) == 1


def test_what_nobody_heard_is_followed_even_when_it_had_begun(
    retriever: Retriever, server: FaultServer
) -> None:
    server.fault = "die_midway"
    answer = answerer(retriever, "openai:tiny,extractive", server).ask(QUESTION)
    assert answer.backend == "extractive"


def test_the_first_that_can_answers(retriever: Retriever, server: FaultServer) -> None:
    server.script = ["500"]
    answer = answerer(retriever, "anthropic:a,ollama:b,extractive", server).ask(QUESTION)
    assert (answer.backend, answer.model) == ("ollama:b", "tiny-1")
    assert [notice.code for notice in answer.warnings].count("fell_back") == 1
    assert answer.usage == {"prompt_tokens": 7, "completion_tokens": 3}


def test_where_the_last_one_fails_its_error_is_told(retriever: Retriever) -> None:
    with pytest.raises(BackendUnreachableError, match="ollama:b could not be reached"):
        answerer(retriever, "openai:a,ollama:b").ask(QUESTION)


def test_a_conversation_is_not_condensed_by_a_dead_backend(retriever: Retriever) -> None:
    history = [Message("user", "Tell me of tea."), Message("assistant", "Green tea is steamed.")]
    answer = answerer(retriever, "openai:a,extractive").ask("Why is it steamed?", history=history)
    assert answer.backend == "extractive"
    assert [notice.code for notice in answer.warnings].count("fell_back") == 1


def test_a_retry_is_told_of_in_the_answer(retriever: Retriever, server: FaultServer) -> None:
    server.script = ["503 after 0"]
    settings = Settings(backend="ollama:tiny", ollama_base_url=server.root, threshold=0)
    answer = Answerer.over(retriever, settings).ask(QUESTION)
    assert answer.backend == "ollama:tiny"
    [retried] = [notice for notice in answer.warnings if notice.code == "retried"]
    assert retried.message == (
        "ollama:tiny is not able to answer now (status 503). It was asked again."
    )
    assert server.shown == 1
    assert server.requests[0]["options"]["num_ctx"] == 2048


def _chat(spec: str, **settings: object) -> ChatModel:
    [backend] = open_backends(Settings(backend=spec, **settings), LetterEncoder())  # type: ignore[arg-type]
    assert backend.chat is not None
    return backend.chat


@pytest.mark.parametrize("spec", ["openai:m", "ollama:m:1b", "anthropic:m"])
def test_settings_reach_every_backend(spec: str) -> None:
    chat = _chat(
        spec,
        model_context_tokens=9000,
        stream=False,
        connect_seconds=1,
        first_token_seconds=2,
        silence_seconds=3,
        reply_seconds=4,
        retries=5,
        openai_api_key=KEY,
        anthropic_api_key=KEY,
    )
    assert (chat.name, chat.context_tokens) == (spec, 9000)
    limits = chat.server.limits  # type: ignore[attr-defined]
    given = limits.connect, limits.first_token, limits.silence, limits.total, limits.retries
    assert given == (1, 2, 3, 4, 5)
    assert chat.body([], _options())["stream"] is False  # type: ignore[attr-defined]
    assert KEY not in repr(chat) + repr(chat.server)  # type: ignore[attr-defined]


def _options() -> object:
    from rag.types import DEFAULT_OPTIONS

    return DEFAULT_OPTIONS


@pytest.mark.parametrize(
    "spec", ["openai", "ollama:", "anthropic", "openai:a,", "oracle:x", "extractive:x"]
)
def test_a_backend_that_is_none_is_named_with_those_there_are(spec: str) -> None:
    with pytest.raises(ConfigError, match="openai:<model>, ollama:<model>, anthropic:<model>"):
        open_backends(Settings(backend=spec), LetterEncoder())


def test_anthropics_key_does_not_belong_in_a_file() -> None:
    FILE.write_text(f'anthropic_api_key = "{KEY}"', encoding="utf-8")
    with pytest.raises(ConfigError, match="RAG_ANTHROPIC_API_KEY") as told:
        Settings.load()
    assert KEY not in str(told.value)


def test_keys_come_from_the_environment_and_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_ANTHROPIC_API_KEY", f" {KEY}\n")
    settings = Settings.load(backend="anthropic:m")
    assert KEY not in repr(settings)
    [backend] = open_backends(settings, LetterEncoder())
    assert backend.chat is not None
    assert backend.chat.server.key == KEY  # type: ignore[attr-defined]


def test_a_context_that_is_not_told_in_time_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    import rag.backends.ollama as ollama

    monkeypatch.setattr(ollama, "_SHOW_SECONDS", 0.2)
    with FaultServer() as server:
        server.show_drips = True
        began = time.monotonic()
        assert _chat("ollama:m", ollama_base_url=server.root).context_tokens is None
        assert time.monotonic() - began < 1
        assert server.shown == 1
    assert _chat("ollama:m", ollama_base_url=DEAD).context_tokens is None
