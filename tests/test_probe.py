"""The probe: against a real model behind a server that cuts, and models of every kind of cutting."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.answer import Answerer
from rag.backends import open_backends
from rag.backends.chat import ChatBackend
from rag.backends.known import Known, recall, remember
from rag.backends.probe import probe
from rag.cli import app
from rag.config import Settings
from rag.errors import BackendError, BackendTimeoutError, ConfigError
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message
from tests.cutting import CuttingProxy
from tests.llama import llama_server


@pytest.fixture(scope="module")
def cutting() -> Iterator[CuttingProxy]:
    with llama_server(384) as upstream, CuttingProxy(upstream, 384) as proxy:
        yield proxy


@pytest.fixture
def cutting_settings(
    cutting: CuttingProxy, eval_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", cutting.url)
    monkeypatch.setenv("RAG_BACKEND", "openai:smollm2")
    monkeypatch.setenv("RAG_CONTEXT_TOKENS", "2400")
    monkeypatch.setenv("RAG_REPLY_TOKENS", "16")
    monkeypatch.setenv("RAG_THRESHOLD", "0")
    return Settings()


def _long(words: int) -> list[str]:
    return [f"Tea number {n} is steamed. " + "It is green and good. " * (words // 5) for n in range(8)]


def test_a_server_that_cuts_is_found_out_and_heeded_from_then_on(
    cutting: CuttingProxy, cutting_settings: Settings
) -> None:
    settings = cutting_settings
    large = Retriever.from_documents(_long(150), settings)
    answer = Answerer.over(large, settings).ask("How is tea treated?")
    assert "prompt_cut" in [warning.code for warning in answer.warnings]

    done = CliRunner().invoke(app, ["doctor", "--backend", "openai:smollm2", "--json"])
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    [context] = [check for check in told["checks"] if check["name"] == "context"]
    assert not context["ok"]
    assert "cuts prompts at about 3" in context["detail"]
    assert 300 < told["backend"]["context_tokens"] <= 384
    assert told["backend"]["overflow"] == "cut"
    assert told["backend"]["model"] == "smollm2"
    assert told["backend"]["streams"]
    assert told["backend"]["usage"]

    cut = cutting.cuts
    wordier = settings.model_copy(update={"reply_tokens": 512})
    with pytest.raises(BackendError, match="with one passage takes more"):
        Answerer.over(large, wordier).ask("How is tea treated?")
    small = Retriever.from_documents(_long(20), settings)
    answer = Answerer.over(small, settings).ask("How is tea treated?")
    warnings = [warning.code for warning in answer.warnings]
    assert "passages_dropped" in warnings
    assert "prompt_cut" not in warnings
    assert 1 <= len(answer.passages) < 8
    assert cutting.cuts == cut, "what was sent fitted"


def test_what_a_spec_means_is_looked_up_before_it_is_probed() -> None:
    done = CliRunner().invoke(app, ["doctor", "--backend", "nonsense:x"])
    assert isinstance(done.exception, ConfigError)
    done = CliRunner().invoke(app, ["doctor", "--backend", "openai:x,extractive"])
    assert isinstance(done.exception, ConfigError)
    assert "probe each by itself" in str(done.exception)
    done = CliRunner().invoke(app, ["doctor", "--backend", "extractive"])
    assert done.exit_code == 0
    assert "nothing to probe" in done.stdout


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    done = CliRunner().invoke(app, ["doctor", "--backend", "openai:x"])
    assert done.exit_code == 1
    assert "MEND  reply    openai:x could not be reached" in done.stdout
    assert "Probing openai:x with prompts of up to" in done.stderr


class Wordy:
    """A model whose tokens are words, whose server keeps `limit` of them and drops the start.

    It repeats the code words that it sees if it is `able` to.
    """

    name = "wordy"
    model = "wordy"
    ended = "stop"
    notices = ()
    context_tokens = None

    def __init__(
        self,
        limit: int = 10**9,
        able: bool = True,
        counts: bool = True,
        too_long: type[BackendError] | None = None,
    ) -> None:
        self.limit, self.able, self.counts, self.too_long = limit, able, counts, too_long
        self.usage: Mapping[str, int] | None = None
        self.asked: list[int] = []
        self._reply: list[str] = []

    def count(self, text: str) -> int:
        return len(text.split()) * 2

    def stream(self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS) -> "Wordy":
        words = messages[0].content.split()
        self.asked.append(len(words))
        if self.too_long and len(words) > self.limit:
            raise self.too_long("That is too long.")
        read = words[-self.limit :]
        found = [read[n + 2] for n in range(len(read) - 2) if read[n : n + 2] == ["word", "is"]]
        self._reply = found if self.able else ["What", "a", "day."]
        if set(options.stop) & set(self._reply):
            self._reply = self._reply[: self._reply.index(options.stop[0])]
        self.usage = {"prompt_tokens": len(read), "completion_tokens": 3} if self.counts else None
        return self

    def __iter__(self) -> Iterator[str]:
        return iter(f"{word} " for word in self._reply)

    def close(self) -> None:
        """Have nothing to let go of."""


@pytest.mark.parametrize("limit", [60, 300, 512, 1000, 2048, 3900])
@pytest.mark.parametrize(("able", "counts"), [(True, True), (False, True), (True, False)])
def test_the_limit_of_a_server_that_cuts_is_found(limit: int, able: bool, counts: bool) -> None:
    model = Wordy(limit, able, counts)
    probed = probe(model, 4000)
    if not counts and limit < 150:
        assert probed.known.overflow is None, "not even the short ones came back whole"
        return
    if not counts and 2 * limit > 4000:
        assert probed.known.overflow is None, "by its own count, as much as is needed arrives"
        return
    assert probed.known.overflow == "cut"
    assert probed.known.context_tokens is not None
    found = probed.known.context_tokens / (1 if counts else 2)
    assert 0.8 * limit <= found <= limit
    assert len(model.asked) <= 10
    assert probed.known.usage is counts


@pytest.mark.parametrize("limit", [300, 512, 2048])
def test_the_limit_of_a_server_that_refuses_is_found(limit: int) -> None:
    known = probe(Wordy(limit, too_long=BackendError), 4000).known
    assert known.overflow == "refused"
    assert 0.8 * limit <= (known.context_tokens or 0) <= limit


@pytest.mark.parametrize(("able", "counts"), [(True, True), (False, True), (True, False)])
def test_a_server_that_reads_all_is_asked_one_long_prompt(able: bool, counts: bool) -> None:
    model = Wordy(able=able, counts=counts)
    probed = probe(model, 4000)
    assert (probed.known.overflow, probed.known.context_tokens) == (None, None)
    assert probed.known.whole_tokens is not None
    assert probed.known.whole_tokens > 3900
    assert sum(size > 1000 for size in model.asked) == 1


def test_a_server_that_says_it_read_nothing_is_not_taken_to_cut() -> None:
    class Silent(Wordy):
        def __iter__(self) -> Iterator[str]:
            self.usage = {"prompt_tokens": 0, "completion_tokens": 0}
            return super().__iter__()

    known = probe(Silent(), 4000).known
    assert (known.overflow, known.context_tokens, known.usage) == (None, None, False)


def test_where_neither_usage_nor_code_words_tell_nothing_is_guessed() -> None:
    probed = probe(Wordy(300, able=False, counts=False), 4000)
    assert (probed.known.overflow, probed.known.whole_tokens) == (None, None)
    slow = probe(Wordy(300, too_long=BackendTimeoutError), 4000)
    assert slow.slow
    assert slow.known.overflow is None


KNOWN = Known("big", "cut", 512, 400, True, True, None, True, 12.5, None)


def test_what_was_found_is_kept_for_that_server_alone(tmp_path: Path, minilm: Encoder) -> None:
    def settings(port: int, key: str | None = None) -> Settings:
        url = f"http://user:hunter2@127.0.0.1:{port}/v1"
        return Settings(cache_dir=tmp_path, backend="openai:a", openai_base_url=url, openai_api_key=key)

    kept = remember("openai:a", settings(1, "sk-1"), KNOWN)
    assert recall("openai:a", settings(1)) == KNOWN
    assert recall("openai:a", settings(2)) is None
    assert recall("openai:b", settings(1)) is None
    written = kept.read_text(encoding="utf-8")
    assert "hunter2" not in written
    assert "sk-1" not in written
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    [backend] = open_backends(settings(1), minilm)
    assert backend.chat is not None
    assert backend.chat.context_tokens == 512
    [backend] = open_backends(settings(2), minilm)
    assert backend.chat is not None
    assert backend.chat.context_tokens is None
    for damaged in ("{", written.replace("512", '"many"'), "[" * 100_000):
        kept.write_text(damaged, encoding="utf-8")
        assert recall("openai:a", settings(1)) is None


def test_another_model_than_was_probed_says_so() -> None:
    from rag.backends.known import KnownChat

    chat = KnownChat(Wordy(), KNOWN)
    assert chat.context_tokens == 512
    stream = ChatBackend(chat).chat.stream([Message("user", "The code word is x.")])
    assert list(stream) == ["x. "]
    assert [notice.code for notice in stream.notices] == ["model_changed"]


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "backends").write_text("in the way")
    with pytest.raises(ConfigError, match="RAG_CACHE_DIR"):
        remember("openai:a", Settings(cache_dir=tmp_path), KNOWN)
