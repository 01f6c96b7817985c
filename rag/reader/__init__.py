"""The reader: which words of a passage answer a question, whether any do, and how relevant it is.

It is trained by `python -m eval.reader`; `model/CARD.md` says on what, and what it is good for.
"""

from functools import cache
from pathlib import Path

from rag.bundled import bundled_folder
from rag.config import Settings
from rag.reader.model import Graph, Reader
from rag.reader.rerank import ReadingReranker

__all__ = ["Reader", "ReadingReranker", "open_reader", "open_reranker", "reader_of"]

OFF = "off"
SHIPPED = Path(__file__).with_name("model")


def open_reader(settings: Settings) -> Reader | None:
    """Return the reader that `settings.reader` names, one for all who ask; None where it is off.

    Raises `ReaderError` where its files are missing or damaged.
    """
    if settings.reader == OFF:
        return None
    folder = SHIPPED if settings.reader == "shipped" else Path(settings.reader)
    return _shared(folder, settings.threads, settings.remembered)


def open_reranker(settings: Settings) -> ReadingReranker | None:
    """Return the same reader as a reranker, or None where it is off; raises as `open_reader`."""
    reader = open_reader(settings)
    return None if reader is None else ReadingReranker(reader)


def reader_of(
    folder: Path, graph: str = "reader.onnx", threads: int = 0, remembered: int = 0
) -> Reader:
    """Return the reader whose files are in a folder; raises `ReaderError` where they are not."""
    tokenizer = bundled_folder() / "tokenizer.json"
    return Reader(Graph.open(folder / graph), tokenizer, threads, remembered)


@cache
def _shared(folder: Path, threads: int, remembered: int) -> Reader:
    return reader_of(folder, threads=threads, remembered=remembered)
