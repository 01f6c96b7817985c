"""What probing found of a model behind a server, kept in the cache folder and heeded from then on."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from rag.config import Settings, cache_dir
from rag.errors import ConfigError
from rag.protocols import ChatModel, ChatStream
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message, Notice

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What a model's server does. None where that could not be told."""

    model: str
    """As the server names it."""
    overflow: Literal["cut", "refused"] | None
    """What becomes of a prompt that is too long, where one was."""
    context_tokens: int | None
    """Tokens that a prompt may have, as far as was tried, where longer ones are cut or refused."""
    whole_tokens: int | None
    """The longest prompt that is known to have been read whole."""
    streams: bool | None
    stop: bool | None
    """Whether a reply ends before a stop text."""
    json: bool | None
    """Whether a reply is JSON on demand."""
    usage: bool
    """Whether it says how many tokens it read and wrote."""
    first_ms: float | None
    """Time to the first bit of a reply to a short prompt."""
    tokens_per_second: float | None


_FORM = TypeAdapter(Known)


def remember(spec: str, settings: Settings, known: Known) -> Path:
    """Keep what is known of a spec's model; raises `ConfigError` where the cache is not writable."""
    path, server = _place(spec, settings)
    models = {**_models(path), known.model: asdict(known)}
    value = {
        "version": _VERSION,
        "spec": spec,
        "server": server,
        "latest": known.model,
        "models": models,
    }
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path.parent} is not writable ({error.strerror}), so what was found is not remembered: "
            "set RAG_CACHE_DIR to a folder that is."
        ) from None
    return path


def recall(spec: str, settings: Settings) -> Known | None:
    """Return what was last found of a spec's server, or None; a damaged record is none."""
    path, _ = _place(spec, settings)
    try:
        return _FORM.validate_python(_models(path)[_read(path)["latest"]])
    except (KeyError, TypeError, ValidationError):
        return None


class KnownChat:
    """A model whose server was probed: it takes what was seen to arrive, unless it tells itself."""

    def __init__(self, chat: ChatModel, known: Known) -> None:
        self.name = chat.name
        self._chat = chat
        self._known = known

    @property
    def context_tokens(self) -> int | None:
        """What the model tells, or else what probing found."""
        told = self._chat.context_tokens
        return self._known.context_tokens if told is None else told

    def count(self, text: str) -> int:
        """Return how many tokens a text takes, as the model itself counts."""
        return self._chat.count(text)

    def stream(
        self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS
    ) -> "KnownStream":
        """Begin a reply of the model."""
        return KnownStream(self._chat.stream(messages, options), self._known.model)


class KnownStream:
    """A reply of a probed model, which says so where another model makes it than was probed."""

    def __init__(self, stream: ChatStream, probed: str) -> None:
        self._stream = stream
        self._probed = probed

    @property
    def model(self) -> str:
        """Which model replies."""
        return self._stream.model

    @property
    def usage(self) -> Mapping[str, int] | None:
        """Tokens used."""
        return self._stream.usage

    @property
    def ended(self) -> str:
        """Why the reply ended."""
        return self._stream.ended

    @property
    def notices(self) -> Sequence[Notice]:
        """The reply's own notices, and whether it is of another model."""
        if self.model == self._probed:
            return self._stream.notices
        said = (
            f"The server was probed when {self._probed!r} replied, and now {self.model!r} does; "
            "`rag doctor --backend` finds out what this one takes."
        )
        return [*self._stream.notices, Notice("model_changed", said)]

    def __iter__(self) -> Iterator[str]:
        """Yield the reply bit by bit."""
        return iter(self._stream)

    def close(self) -> None:
        """Let go of the reply."""
        self._stream.close()


def _place(spec: str, settings: Settings) -> tuple[Path, str]:
    """Return the file of a spec's record and its server's address, without any name or key in it."""
    kind = spec.partition(":")[0]
    try:
        url = urlsplit(str(getattr(settings, f"{kind}_base_url", "")))
        server = f"{url.scheme}://{url.hostname}:{url.port}{url.path}" if url.hostname else ""
    except ValueError:
        server = ""
    key = hashlib.sha256(f"{spec}\0{server}".encode()).hexdigest()[:24]
    return cache_dir(settings) / "backends" / f"{key}.json", server


def _models(path: Path) -> dict[str, Any]:
    models = _read(path).get("models")
    return models if isinstance(models, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) and value.get("version") == _VERSION else {}
