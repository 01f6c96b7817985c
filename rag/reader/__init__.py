"""The reader: which words of a passage answer a question, whether any do, and how relevant it is.

It is trained by `python -m eval.reader`; `model/CARD.md` says on what, and what it is good for.
"""

import hashlib
from functools import cache
from pathlib import Path

from rag.bundled import bundled_folder
from rag.config import Settings
from rag.errors import ConfigError, ReaderError
from rag.protocols import Reranker
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


def open_reranker(settings: Settings) -> Reranker | None:
    """Return what orders the passages, one for all who ask; None where that is left to the search.

    It is the reader, or the cross-encoder that `settings.reranker` names. Raises `ReaderError` where
    it cannot be opened, `ConfigError` where it names neither.
    """
    kind, _, model = settings.reranker.partition(":")
    if not settings.rerank:
        return None
    if kind == "cross" and model:
        return _cross(model, settings.threads)
    if settings.reranker != "reader":
        raise ConfigError(
            f"No reranker {settings.reranker!r}: use reader, or cross:<model>, where <model> is the "
            "folder of a cross-encoder, or the name of one that was downloaded before."
        )
    reader = open_reader(settings)
    return None if reader is None else ReadingReranker(reader)


def reader_digest(settings: Settings) -> str | None:
    """Return what reads the passages by the first digits of the SHA-256 of its weights.

    They are the reader's, then those of the cross-encoder where one is set; None where neither is.
    Raises `ReaderError` where they cannot be read.
    """
    kind, _, model = settings.reranker.partition(":")
    reader = [] if settings.reader == OFF else [_digest(_folder(settings) / GRAPH)]
    cross = [f"cross {_cross_digest(model)}"] if kind == "cross" and settings.rerank else []
    return ", ".join([*reader, *cross]) or None


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
def _cross(model: str, threads: int) -> Reranker:
    from rag.reader.cross import CrossReranker

    return CrossReranker.open(model, threads)


@cache
def _cross_digest(model: str) -> str:
    from rag.reader.cross import digest

    return digest(model)


@cache
def _shared(folder: Path, threads: int, remembered: int) -> Reader:
    return reader_of(folder, threads=threads, remembered=remembered)
