"""A GGUF file that llama.cpp runs inside this process: no server, and no network."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from rag.backends import gguf
from rag.errors import BackendError
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message, Notice

if TYPE_CHECKING:
    from rag.config import Settings


class LlamaChat:
    """A model that is loaded when it is first needed, and shared by all that name its file."""

    def __init__(self, file: str, context: int = 4096, threads: int = 0) -> None:
        """Check the file; raises `ConfigError` as `gguf.check` does."""
        self.name = f"llamacpp:{file}"
        self.path: Path = gguf.check(file)
        self._wanted = (context, threads)
        self._loaded: gguf.LoadedModel | None = None

    @classmethod
    def open(cls, file: str, settings: "Settings") -> "LlamaChat":
        """Return the file's model, not loaded yet; raises `ConfigError`."""
        return cls(file, settings.llamacpp_context_tokens, settings.threads)

    @property
    def context_tokens(self) -> int:
        """What the settings allow, but no more than the model was trained for."""
        return self.loaded().context_tokens

    def count(self, text: str) -> int:
        """Return how many tokens a text takes, by the model's own tokenizer."""
        return self.loaded().count(text)

    def stream(
        self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS
    ) -> "LlamaStream":
        """Begin a reply, which is made from its first bit on."""
        body: dict[str, Any] = {
            "messages": [asdict(message) for message in messages],
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "stop": list(options.stop),
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
            "return_progress": True,  # so that a reply can be called off while its prompt is read
        }
        if options.seed is not None:
            body["seed"] = options.seed
        if options.json:
            body["response_format"] = {"type": "json_object"}
        return LlamaStream(self, body)

    def loaded(self) -> gguf.LoadedModel:
        """Return the model in memory; raises `BackendError` where it cannot be loaded."""
        if self._loaded is None:
            self._loaded = gguf.load(self.path, *self._wanted)
        return self._loaded


class LlamaStream:
    """A reply in the making. A thread of its own makes it, so that its user can be woken at once."""

    def __init__(self, chat: LlamaChat, body: Mapping[str, Any]) -> None:
        self.model = chat.path.name
        self.usage: Mapping[str, int] | None = None
        self.ended = "stop"
        self.notices: Sequence[Notice] = ()
        self._chat = chat
        self._body = body
        self._bits: SimpleQueue[str | BackendError | None] = SimpleQueue()
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[str]:
        """Yield the reply bit by bit; raises `BackendError`."""
        if not self._closed.is_set():
            threading.Thread(target=self._make, name="llamacpp").start()
        else:
            raise self._cut_off()
        try:
            while (bit := self._bits.get()) is not None:
                if self._closed.is_set():
                    raise self._cut_off()
                if isinstance(bit, BackendError):
                    raise bit
                yield bit
        finally:
            self.close()

    def close(self) -> None:
        """End the reply; who waits for its next bit gets a `BackendError` at once.

        llama.cpp itself stops at its next token, or at the end of a batch of the prompt.
        """
        self._closed.set()
        self._bits.put(self._cut_off())

    def _make(self) -> None:
        try:
            self._chat.loaded().reply(self._body, self._hear)
        except BackendError as error:
            self._bits.put(error)
        except Exception as error:  # in this thread it would be lost, and its user wait for ever
            self._bits.put(BackendError(f"{self._chat.name} failed: {error!r}."))
        else:
            self._bits.put(None)

    def _hear(self, part: Mapping[str, Any]) -> bool:
        """Take a part of the reply; tell whether nobody wants the rest."""
        if part.get("error"):
            self._bits.put(self._refused(part["error"]))
            return True
        if part.get("usage"):
            counts = part["usage"].items()
            self.usage = {name: n for name, n in counts if isinstance(n, int)}
        for choice in part.get("choices") or ():
            self.ended = choice.get("finish_reason") or self.ended
            bit = choice["delta"].get("content")
            if bit:
                self._bits.put(bit)
        return self._closed.is_set()

    def _refused(self, error: Mapping[str, Any]) -> BackendError:
        if "n_prompt_tokens" in error:
            return BackendError(
                f"{self._chat.name} takes {error['n_ctx']} tokens, and the prompt has "
                f"{error['n_prompt_tokens']}; set RAG_LLAMACPP_CONTEXT_TOKENS higher if the model "
                "allows, or use smaller chunks."
            )
        return BackendError(f"{self._chat.name} refused the request: {error.get('message')}.")

    def _cut_off(self) -> BackendError:
        return BackendError(f"{self._chat.name} was cut off.")
