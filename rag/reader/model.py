"""The reader as it ships: one quantised graph in ONNX Runtime, and how texts are put through it."""

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rag.errors import ReaderError
from rag.reader.spans import Logits, best, over_windows
from rag.reader.windows import Window, Windows
from rag.types import Passage, Reading

LANGUAGES = ("en",)
"""Languages that it was trained on, ISO 639-1."""
INPUTS = ("ids", "types")
OUTPUTS = ("start", "end", "relevance")
"""What a graph of a reader is given and gives."""

_RECENT = 256


class Network(Protocol):
    """What reads one window."""

    def __call__(self, window: Window) -> tuple[Logits, Logits, float]:
        """Return the logits of start and end, each (t,), and of relevance."""


class Reader:
    """Reads passages beside a question. Safe to share between threads.

    What it said of the last `remembered` passages is not computed again; of a few it always is
    known, as who orders passages and who answers from them ask for the same.
    """

    languages = LANGUAGES

    def __init__(
        self, network: Network, tokenizer: Path, threads: int = 0, remembered: int = 0
    ) -> None:
        self._network = network
        self._windows = Windows(_tokenizer(tokenizer))
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "read")
        self._capacity = max(remembered, _RECENT)
        self._known: OrderedDict[tuple[str, str, str], Reading] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """Return what it says of each passage, whose headings, or else title, it is shown as well."""
        keys = [(question, each.heading or each.title, each.text) for each in passages]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
            for key in found:
                self._known.move_to_end(key)
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        windows = [list(self._windows.over(*key)) for key in missing]
        said = iter(list(self._pool.map(self._one, (w for several in windows for w in several))))
        fresh = {
            key: over_windows([next(said) for _ in several])
            for key, several in zip(missing, windows, strict=True)
        }
        with self._lock:
            self._known |= fresh
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
        found |= fresh
        return [found[key] for key in keys]

    def _one(self, window: Window) -> Reading:
        return best(window, *self._network(window))


class Graph:
    """A graph in ONNX Runtime, as `eval.reader` exports it.

    Each window is a run of its own: the scales of its int8 numbers span a batch, so only then does
    what it says of a text depend on that text alone.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def open(cls, file: Path) -> "Graph":
        """Return the graph of a file; raises `ReaderError` where it cannot be read."""
        from rag.session import open_session

        try:
            session = open_session(file)
        except Exception as error:  # onnxruntime has a dozen kinds of its own
            raise ReaderError(
                f"The reader's model {file} cannot be opened ({str(error).splitlines()[0]}); reinstall "
                "seedrag, or do without it by RAG_READER=off."
            ) from None
        named = [each.name for each in (*session.get_inputs(), *session.get_outputs())]
        if named != [*INPUTS, *OUTPUTS]:
            raise ReaderError(
                f"{file} is no reader: it maps {', '.join(named)}. `python -m eval.reader` exports "
                "readers; RAG_READER=shipped is ours, RAG_READER=off does without one."
            )
        return cls(session)

    def __call__(self, window: Window) -> tuple[Logits, Logits, float]:
        """Return the logits of start and end, each (t,), and of relevance."""
        ids = np.array([window.ids], np.int64)
        types = np.zeros_like(ids)
        types[:, window.second :] = 1
        start, end, relevance = self._session.run(None, dict(zip(INPUTS, (ids, types), strict=True)))
        return start[0], end[0], float(relevance[0])


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # tokenizers raises nothing more particular
        raise ReaderError(
            f"The reader's tokenizer {file} cannot be opened ({error}); reinstall seedrag, or do "
            "without the reader by RAG_READER=off."
        ) from None
