"""GGUF files that are loaded into this process by llama.cpp, each once."""

import os
import secrets
import threading
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import httpx

from rag.errors import BackendError, ConfigError
from rag.text import token_estimate

_MAGIC = b"GGUF"
_BATCH = 256
"""Tokens of a prompt that are read at a time; between two batches a reply can be called off."""
_CACHE_MIB = 256
"""Memory for prompts that another has pushed out, so that their beginnings need no second reading."""


class LoadedModel:
    """A model in memory. It makes one reply at a time: others wait for their turn.

    Replies made side by side would share the same cores, and a text's figures would depend on what
    stands beside it; one at a time, the same prompt gets the same reply whatever else is asked.
    """

    def __init__(self, path: Path, context: int, threads: int) -> None:
        """Load the file; raises `BackendError` where llama.cpp cannot."""
        self._turn = threading.Lock()
        key = secrets.token_urlsafe()
        self._server = _server(path, context, threads, key)
        self._client = httpx.Client(
            base_url=self._server.listening_address,
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
        )
        self.context_tokens = self._context(context)

    def reply(self, body: Mapping[str, Any], hear: Callable[[Mapping[str, Any]], bool]) -> None:
        """Make a reply in this thread, once it is its turn; `hear` takes its parts, True ends it.

        Raises `BackendError` for a request that the model cannot take at all.
        """
        with self._turn:
            if hear({}):
                return
            try:
                self._server.handle_chat_completions(dict(body), hear)
            except (ValueError, RuntimeError) as error:
                raise BackendError(f"llama.cpp refused the request: {_sentence(error)}") from None

    def count(self, text: str) -> int:
        """Return how many tokens the model's own tokenizer makes of a text."""
        try:
            answer = self._client.post("/tokenize", json={"content": text})
            return len(answer.raise_for_status().json()["tokens"])
        except (httpx.HTTPError, ValueError, KeyError):
            return token_estimate(text)

    def _context(self, asked: int) -> int:
        """Return the context in force: no more than the model was trained for."""
        try:
            told = self._client.get("/props").raise_for_status().json()
            return int(told["default_generation_settings"]["n_ctx"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return asked


class _Models:
    """The loaded models by what they were loaded with; one that nobody holds any more is unloaded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: WeakValueDictionary[tuple[Path, int, int], LoadedModel] = WeakValueDictionary()

    def get(self, path: Path, context: int, threads: int) -> LoadedModel:
        with self._lock:
            key = (path, context, threads)
            model = self._held.get(key)
            if model is None:
                model = self._held[key] = LoadedModel(path, context, threads)
            return model


@cache
def _models() -> _Models:
    return _Models()


def load(path: Path, context: int, threads: int = 0) -> LoadedModel:
    """Return the file's model, loading it unless it is; 0 threads: one for each core.

    Raises `BackendError` where llama.cpp cannot load it.
    """
    return _models().get(path, context, threads or _cores())


def check(file: str) -> Path:
    """Return the path of a GGUF file without loading it.

    Raises `ConfigError` where it is missing or no GGUF, or llama.cpp is not installed.
    """
    if find_spec("xllamacpp") is None:
        raise ConfigError('llamacpp: needs llama.cpp in this process: pip install "seedrag[llamacpp]".')
    path = Path(file).expanduser()
    try:
        with path.open("rb") as opened:
            magic = opened.read(len(_MAGIC))
    except OSError as error:
        raise ConfigError(
            f"The model {path} cannot be read ({error.strerror}); llamacpp: takes the path of a .gguf "
            "file."
        ) from None
    if magic != _MAGIC:
        raise ConfigError(f"{path} is no GGUF file; llamacpp: takes models in that format only.")
    return path.resolve()


def _server(path: Path, context: int, threads: int, key: str) -> Any:
    """Return llama.cpp's server over a model. It listens on loopback too, for who knows the key."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = context
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = _CACHE_MIB
    params.fit_params = False
    params.warmup = False
    params.verbosity = -1
    params.api_keys = [key]
    params.cors_origins = "null"
    params.endpoint_slots = False
    params.ui = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        raise BackendError(
            f"llama.cpp cannot load {path.name}: the file is damaged, of a kind that it does not know, "
            f"or too large for the memory with {context} tokens of context "
            "(RAG_LLAMACPP_CONTEXT_TOKENS)."
        ) from None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sentence(error: Exception) -> str:
    return f"{' '.join(str(error).split())[:300].rstrip('.')}."
