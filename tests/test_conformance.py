"""The conformance kit: it passes a real model and finds what is wrong with broken ones."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from rag.backends.conformance import conform, table
from rag.backends.conformance.checks import CHECKS
from rag.backends.llamacpp import LlamaChat
from rag.errors import BackendError
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message
from tests.llama import model_file


def test_a_real_model_passes() -> None:
    results = conform(LlamaChat(str(model_file()), context=512, threads=1))
    assert [each.name for each in results if each.verdict == "failed"] == []
    assert sum(each.verdict == "ok" for each in results) >= len(CHECKS) - 1


class Model:
    """A model that keeps every promise: it says the alphabet, or an object, word by word."""

    name: Any = "model"
    context_tokens: int | None = 100
    words: Sequence[str] = ()

    def __init__(self, reply: "type[Reply] | None" = None) -> None:
        self._reply = reply or Reply

    def count(self, text: str) -> int:
        return len(text) // 2

    def stream(self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS) -> "Reply":
        if sum(self.count(each.content) for each in messages) > 100:
            raise BackendError("That is more than the 100 tokens that fit.")
        return self._reply(messages, options)


class Reply:
    model = "model-1"
    notices: Any = ()

    def __init__(self, messages: Sequence[Message], options: ChatOptions) -> None:
        self.options = options
        self.words = ['{"ready": true}'] if options.json else self.says(messages)
        self.usage: Any = None
        self.ended = "stop"
        self.closed = threading.Event()

    def says(self, messages: Sequence[Message]) -> list[str]:
        first = "one" if "Count" in messages[0].content else "tea"
        return [first, *(f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600))]

    def __iter__(self) -> Iterator[str]:
        said = 0
        for said, word in enumerate(self.words):
            if self.closed.wait(0.001):
                raise BackendError("It was cut off.")
            if word in self.options.stop:
                break
            if said == self.options.max_tokens:
                self.ended = "length"
                break
            yield f"{word} "
        self.usage = {"prompt_tokens": 9, "completion_tokens": said}

    def close(self) -> None:
        self.closed.set()


class Deaf(Reply):
    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        if self.options.max_tokens > 100:
            time.sleep(5)

    def close(self) -> None:
        """Let go of nothing."""


class Endless(Reply):
    def __init__(self, messages: Sequence[Message], options: ChatOptions) -> None:
        super().__init__(messages, ChatOptions(max_tokens=max(30, options.max_tokens)))


class Rambling(Reply):
    def __init__(self, messages: Sequence[Message], options: ChatOptions) -> None:
        super().__init__(messages, ChatOptions(max_tokens=options.max_tokens))


class Moody(Reply):
    def says(self, messages: Sequence[Message]) -> list[str]:
        return [f"{time.perf_counter_ns()}", *super().says(messages)]


class Careless(Reply):
    def __iter__(self) -> Iterator[str]:
        if self.options.max_tokens > 100:
            yield "one "
            self.closed.wait()
            raise ConnectionError("reset by peer")
        yield from super().__iter__()


class Sure(Reply):
    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        self.ended = "stop"


class Vague(Reply):
    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        self.usage = {"tokens": 3}


class Chatty(Reply):
    notices = ("careful!",)


class Mute(Reply):
    def says(self, messages: Sequence[Message]) -> list[str]:
        return []


class Shared(Model):
    """Keeps what it says in the model, where two threads overwrite each other's."""

    def stream(self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS) -> Reply:
        model = self

        class Mixed(Reply):
            def __iter__(self) -> Iterator[str]:
                model.words = list(self.words)
                for n in range(min(len(self.words), options.max_tokens)):
                    time.sleep(0.005)
                    yield f"{model.words[n]} "

        return Mixed(messages, options)


class Greedy(Model):
    def stream(self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS) -> Reply:
        return Reply(messages, options)


class Nameless(Model):
    name = None


class Stingy(Model):
    def count(self, text: str) -> int:
        return 1


BROKEN: Mapping[str, tuple[Model, str]] = {
    "close that does nothing": (Model(Deaf), "close"),
    "max_tokens not heeded": (Model(Endless), "max_tokens"),
    "stop not heeded": (Model(Rambling), "stop"),
    "json not heeded": (Model(Rambling), "json"),
    "another reply each time": (Model(Moody), "same"),
    "errors of its own": (Model(Careless), "close"),
    "a cut that is not told": (Model(Sure), "max_tokens"),
    "usage without counts": (Model(Vague), "usage"),
    "notices that are none": (Model(Chatty), "notices"),
    "no words": (Model(Mute), "bits"),
    "threads that mix": (Shared(), "threads"),
    "long prompts taken": (Greedy(), "too long"),
    "no name": (Nameless(), "name"),
    "too low a count": (Stingy(), "count"),
}


def test_a_model_that_keeps_all_promises_passes() -> None:
    results = conform(Model())
    assert [each for each in results if each.verdict != "ok"] == []
    assert table(results).count("\n") == len(CHECKS) - 1


@pytest.mark.parametrize("broken", BROKEN)
def test_every_broken_promise_is_found(broken: str) -> None:
    model, check = BROKEN[broken]
    verdicts = {each.name: each for each in conform(model)}
    assert verdicts[check].verdict == "failed", table(list(verdicts.values()))
    assert verdicts[check].detail


def test_every_check_can_fail() -> None:
    assert {check for _, check in BROKEN.values()} == set(CHECKS)
