"""llama.cpp in this process and as a server, with a real model."""

import gc
import json
import math
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rag.answer import Answerer
from rag.backends import gguf, open_backends
from rag.backends.llamacpp import LlamaChat
from rag.backends.openai import OpenAIChat
from rag.config import Settings
from rag.errors import BackendError, ConfigError
from rag.protocols import ChatModel, Encoder
from rag.retrieve import Retriever
from rag.text import token_estimate
from rag.types import ChatOptions, Message
from tests.conftest import ROOT
from tests.llama import llama_server, model_file

COUNT = [Message("user", "Count from one to fifty.")]
BRIEF = ChatOptions(max_tokens=8)
LONG = ChatOptions(max_tokens=2000)
DOCUMENTS = ["Green tea is steamed soon after picking.", "Black tea is left to oxidise."]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with llama_server(2048) as url:
        yield url


@pytest.fixture(scope="module")
def inside() -> LlamaChat:
    return LlamaChat(str(model_file()), context=2048, threads=1)


@pytest.fixture(params=["llamacpp", "openai"])
def chat(request: pytest.FixtureRequest) -> ChatModel:
    if request.param == "llamacpp":
        loaded: LlamaChat = request.getfixturevalue("inside")
        return loaded
    return OpenAIChat("smollm2", request.getfixturevalue("server"))


def test_a_reply_comes_token_by_token_and_the_same_again(chat: ChatModel) -> None:
    stream = chat.stream(COUNT, BRIEF)
    bits = list(stream)
    assert len(bits) > 4
    assert stream.ended == "length"
    assert stream.usage is not None
    assert stream.usage["completion_tokens"] == 8
    assert 30 < stream.usage["prompt_tokens"] < 60
    assert "/" not in stream.model
    assert "".join(chat.stream(COUNT, BRIEF)) == "".join(bits)


def test_a_reply_that_is_closed_midway_ends_at_once_and_the_next_is_served(chat: ChatModel) -> None:
    stream = chat.stream(COUNT, LONG)
    threading.Timer(0.3, stream.close).start()
    began = time.monotonic()
    with pytest.raises(BackendError):
        list(stream)
    assert "".join(chat.stream(COUNT, ChatOptions(max_tokens=2)))
    assert time.monotonic() - began < 4


def test_a_prompt_beyond_the_context_is_refused_in_a_sentence(chat: ChatModel) -> None:
    with pytest.raises(BackendError) as told:
        list(chat.stream([Message("user", "word " * 3000)], BRIEF))
    assert str(told.value).endswith(".")
    if isinstance(chat, LlamaChat):
        assert "takes 2048 tokens, and the prompt has 3031" in str(told.value)


def test_two_threads_get_what_each_would_get_alone(chat: ChatModel) -> None:
    asked = [[Message("user", f"Write about {what}.")] for what in ("tea", "dogs")]
    alone = ["".join(chat.stream(each, BRIEF)) for each in asked]
    together = ["", ""]

    def ask(n: int) -> None:
        together[n] = "".join(chat.stream(asked[n], BRIEF))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert alone[0] != alone[1]


@pytest.mark.parametrize("kind", ["llamacpp", "openai"])
def test_the_whole_way_from_documents_to_a_checked_answer(
    kind: str, server: str, inside: LlamaChat
) -> None:
    settings = Settings(
        backend=f"llamacpp:{model_file()}" if kind == "llamacpp" else "openai:smollm2",
        openai_base_url=server,
        llamacpp_context_tokens=2048,
        reply_tokens=24,
        threads=1,
        threshold=0,
    )
    answerer = Answerer.over(Retriever.from_documents(DOCUMENTS, settings), settings)
    answer = answerer.ask("How is green tea treated?")
    assert answer.backend.startswith(kind)
    assert answer.sentences or answer.abstained
    assert answer.usage is not None
    assert answer.usage["completion_tokens"] <= 24
    assert len(answer.passages) == 2
    for cited in answer.citations:
        assert cited.verdict in ("verified", "unsupported", "not_found")


def test_stop_texts_and_json_are_honoured(inside: LlamaChat) -> None:
    whole = "".join(inside.stream(COUNT, BRIEF))
    end = whole.split()[2]
    stream = inside.stream(COUNT, ChatOptions(max_tokens=8, stop=(end,)))
    cut = "".join(stream)
    assert cut == whole[: whole.index(end)]
    assert stream.ended == "stop"
    asked = [Message("user", 'Reply with {"a": 1} and nothing else.')]
    begun = "".join(inside.stream(asked, ChatOptions(max_tokens=12, json=True)))
    assert begun.lstrip().startswith("{")


def test_a_thread_that_waits_for_its_turn_is_woken_too(inside: LlamaChat) -> None:
    first = inside.stream(COUNT, LONG)
    bits = iter(first)
    next(bits)
    second = inside.stream(COUNT, BRIEF)
    threading.Timer(0.2, second.close).start()
    began = time.monotonic()
    with pytest.raises(BackendError):
        list(second)
    assert time.monotonic() - began < 1
    assert next(bits), "the first goes on"
    first.close()


def test_a_long_prompt_can_be_called_off_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "_BATCH", 32)
    model = gguf.load(model_file(), 300, 1)
    progress = _progress(model, "Some words that nobody has read before. " * 12, enough=1)
    assert [each["processed"] for each in progress] == [0, 32]
    assert progress[-1]["total"] > 96


def test_a_prompt_that_begins_like_the_last_one_is_not_read_twice(inside: LlamaChat) -> None:
    begins = "The cat sat on the mat and looked at the moon for a while. " * 4
    read = [_progress(inside.loaded(), begins + ends)[-1] for ends in ("Why?", "When?")]
    assert read[1]["cache"] > 0.8 * read[1]["total"]


def _progress(model: gguf.LoadedModel, prompt: str, enough: float = math.inf) -> list[dict[str, int]]:
    """Return how far the prompt was read, part by part, called off once `enough` tokens were."""
    parts: list[dict[str, int]] = []

    def hear(part: Mapping[str, Any]) -> bool:
        parts.extend([part["prompt_progress"]] if "prompt_progress" in part else [])
        return bool(parts) and parts[-1]["processed"] >= enough

    body = LlamaChat(str(model_file())).stream([Message("user", prompt)], ChatOptions(max_tokens=1))
    model.reply(body._body, hear)
    return parts


def test_it_counts_as_the_model_does(inside: LlamaChat) -> None:
    assert inside.count("") == 0
    assert inside.count("hello world " * 100) == 201
    assert inside.count("hello world " * 100) < token_estimate("hello world " * 100)
    assert inside.context_tokens == 2048


def test_a_file_is_loaded_once_and_let_go_of(minilm: Encoder) -> None:
    settings = Settings(backend=f"llamacpp:{model_file()}", llamacpp_context_tokens=256, threads=1)
    one, two = (open_backends(settings, minilm)[0].chat for _ in range(2))
    assert isinstance(one, LlamaChat)
    assert isinstance(two, LlamaChat)
    assert one is not two
    assert one._loaded is None, "opening loads nothing"
    assert one.loaded() is two.loaded()
    held = weakref.ref(one.loaded())
    del one, two
    gc.collect()
    assert held() is None


def test_what_is_no_model_is_named_at_the_start(tmp_path: Path, minilm: Encoder) -> None:
    (tmp_path / "notes.gguf").write_text("no model")
    for file, said in ((tmp_path / "notes.gguf", "is no GGUF"), (tmp_path / "none.gguf", "No such")):
        with pytest.raises(ConfigError, match=said):
            open_backends(Settings(backend=f"llamacpp:{file}"), minilm)


def test_a_damaged_model_is_a_backend_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with model_file().open("rb") as whole:
        (tmp_path / "half.gguf").write_bytes(whole.read(1_000_000))
    chat = LlamaChat(str(tmp_path / "half.gguf"))
    with pytest.raises(BackendError, match=r"cannot load half.gguf"):
        list(chat.stream(COUNT, BRIEF))
    with pytest.raises(BackendError, match=r"cannot load half.gguf"):
        gguf.load(chat.path, 256)
    assert capfd.readouterr() == ("", "")


def test_the_command_answers_with_it_and_says_nothing_else(seed_index: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "rag", "ask", "Who is the foreign minister of Belarus?", "--json"),
            *("--backend", f"llamacpp:{model_file()}", "--index", str(seed_index), "--top-k", "1"),
            *("--grounding", "strict"),
        ],
        cwd=tmp_path,
        env=os.environ
        | {"RAG_REPLY_TOKENS": "16", "RAG_THREADS": "1", "RAG_THRESHOLD": "0"}
        | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["backend"] == f"llamacpp:{model_file()}"
    assert done.stderr == ""
