"""The reader: which words of a passage answer a question, whether any do, and how relevant it is.

It is trained by `python -m eval.reader`; `model/CARD.md` says on what, and what it is good for.
"""

import hashlib
from functools import cache
from pathlib import Path

from rag.bundled import bundled_folder
from rag.config import Settings
from rag.errors import ReaderError
from rag.reader.model import Graph, Reader
from rag.reader.rerank import ReadingReranker

__all__ = ["Reader", "ReadingReranker", "open_reader", "open_reranker", "reader_digest", "reader_of"]

OFF = "off"
SHIPPED = Path(__file__).with_name("model")
GRAPH = "reader.onnx"


def open_reader(settings: Settings) -> Reader | None:
    """Return the reader that `settings.reader` names, one for all who ask; None where it is off.

    Raises `ReaderError` where its files are missing or damaged.
    """
    if settings.reader == OFF:
        return None
    return _shared(_folder(settings), settings.threads, settings.remembered)


def open_reranker(settings: Settings) -> ReadingReranker | None:
    """Return the same reader as a reranker, or None where it is off; raises as `open_reader`."""
    reader = open_reader(settings) if settings.rerank else None
    return None if reader is None else ReadingReranker(reader)


def reader_digest(settings: Settings) -> str | None:
    """Return the first digits of the SHA-256 of the reader's weights, or None where it is off.

    Raises `ReaderError` where they cannot be read.
    """
    return None if settings.reader == OFF else _digest(_folder(settings) / GRAPH)


def reader_of(folder: Path, graph: str = GRAPH, threads: int = 0, remembered: int = 0) -> Reader:
    """Return the reader whose files are in a folder; raises `ReaderError` where they are not."""
    tokenizer = bundled_folder() / "tokenizer.json"
    return Reader(Graph.open(folder / graph), tokenizer, threads, remembered)


def _folder(settings: Settings) -> Path:
    return SHIPPED if settings.reader == "shipped" else Path(settings.reader)


@cache
def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise ReaderError(
            f"The reader's model {file} cannot be read ({error.strerror}); reinstall seedrag, or do "
            "without it by RAG_READER=off."
        ) from None


@cache
def _shared(folder: Path, threads: int, remembered: int) -> Reader:
    return reader_of(folder, threads=threads, remembered=remembered)
