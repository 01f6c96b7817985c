"""The named collections of a service: each its own index and seeds, all with one encoder."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from api.batching import BatchingEncoder, BatchingStore
from api.problems import ProblemError
from rag.answer import Answerer
from rag.backends import open_backends
from rag.cite import open_judge
from rag.confidence import Calibration
from rag.config import Settings
from rag.embed import RememberingEncoder, open_encoder
from rag.errors import (
    EncoderMismatchError,
    IndexCorruptError,
    IndexFormatError,
    IndexMissingError,
    RagError,
)
from rag.prompt import Prompter
from rag.protocols import Encoder
from rag.reader import open_reader, open_reranker
from rag.retrieve import Retriever
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.store.layout import MANIFEST

DEFAULT = "default"

_TROUBLES: Mapping[type[RagError], str] = {
    IndexMissingError: "the index was not built yet; build it by POST /v1/index/build or `rag build`",
    IndexCorruptError: "the published generation is damaged",
    IndexFormatError: "the index has another format version",
    EncoderMismatchError: "the index was built with another encoder",
}


class Collection:
    """One index, opened when it is there and followed from generation to generation."""

    def __init__(self, name: str, settings: Settings, encoder: Encoder) -> None:
        self.name = name
        self.settings = settings
        self.directory = IndexDirectory(settings.index)
        self.encoder = encoder
        self.trouble: str | None = "it is not open yet"
        self._retriever: Retriever | None = None
        self._answerers: dict[str, Answerer] = {}
        self._lock = threading.Lock()
        self._refused: tuple[str, int, int] | None = None
        """What was published and could not be opened: looking through it again is dear."""

    @property
    def ready(self) -> bool:
        """Whether it can be searched."""
        return self._retriever is not None

    @property
    def retriever(self) -> Retriever:
        """The open retriever; raises `ProblemError` while there is none."""
        self.check_ready()
        assert self._retriever is not None
        return self._retriever

    def check_ready(self) -> None:
        """Raise `ProblemError` while it cannot be searched."""
        if self._retriever is None:
            raise ProblemError("not_ready", f"Collection {self.name}: {self.trouble}.")

    @property
    def snapshot(self) -> Snapshot:
        """The generation that is searched now."""
        return self.retriever.snapshot

    def refresh(self) -> None:
        """Turn to the published generation.

        What cannot be opened is noted as `trouble`, and the generation before it stays in use.
        """
        with self._lock:
            published = self._published()
            if published is not None and published == self._refused:
                return
            self._refused = None
            try:
                self._turn()
                self.trouble = None
            except RagError as error:
                self.trouble = _TROUBLES.get(type(error), "the index cannot be opened")
                self._refused = published
            except OSError:
                self.trouble = "the index cannot be read"

    def _turn(self) -> None:
        if self._retriever is not None:
            self._retriever.refresh()
            return
        self._retriever = Retriever(
            open_snapshot(self.directory),
            self.encoder,
            self.settings,
            open_reranker(self.settings),
            self.directory,
            around=BatchingStore,
        )

    def _published(self) -> tuple[str, int, int] | None:
        """Return what stands for the published generation as it is; anew every minute at least."""
        try:
            name = self.directory.current()
            changed = (self.directory.folder(name) / MANIFEST).stat().st_mtime_ns
        except (RagError, OSError):
            return None
        return name, changed, int(time.monotonic() // 60)

    def answerer(self, backend: str) -> Answerer:
        """Return what answers over this index with a backend; raises `ProblemError`, `RagError`."""
        known = self._answerers.get(backend)
        if known is None:
            settings = self.settings.model_copy(update={"backend": backend})
            known = self._answerers[backend] = Answerer.over(self.retriever, settings)
        return known

    @property
    def seeds(self) -> Path:
        """The folder of its seeds."""
        return self.settings.seeds


class Collections(Mapping[str, Collection]):
    """All collections of a service, by name.

    Raises `ConfigError` for a backend, judge or calibration that is none, `PromptError` and
    `ReaderError`: what would fail at the first question is told before the service starts.
    """

    def __init__(self, settings: Settings) -> None:
        encoder: Encoder = BatchingEncoder(open_encoder(settings.model_copy(update={"remembered": 0})))
        if settings.remembered:
            encoder = RememberingEncoder(encoder, settings.remembered)
        named = {
            name: settings.model_copy(
                update={"index": paths.index, "seeds": paths.seeds or settings.seeds}
            )
            for name, paths in settings.collections.items()
        }
        self.encoder = encoder
        self._known = {
            name: Collection(name, each, encoder) for name, each in {DEFAULT: settings, **named}.items()
        }
        self.backends: Sequence[str] = tuple(dict.fromkeys((settings.backend, *settings.backends)))
        for backend in self.backends:
            open_backends(settings.model_copy(update={"backend": backend}), encoder)
        open_judge(settings.judge, encoder)
        open_reader(settings)
        open_reranker(settings)
        Prompter.open(settings.prompts)
        Calibration.load(settings.calibration)

    def __getitem__(self, name: str) -> Collection:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def named(self, name: str) -> Collection:
        """Return a collection; raises `ProblemError` for an unknown name."""
        if name not in self._known:
            raise ProblemError(
                "not_found", "There is no collection of this name; GET /v1/index lists them."
            )
        return self._known[name]

    def backend(self, named: str | None) -> str:
        """Return the backend that answers; raises `ProblemError` for one that is not allowed."""
        if named is None:
            return self.backends[0]
        if named not in self.backends:
            raise ProblemError(
                "not_found", "This backend is not offered; GET /v1/index lists those that are."
            )
        return named
