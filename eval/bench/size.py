"""How long one search takes, on one thread, as the index grows; and what its parts take.

Passage vectors are made (see `pool`), texts are recombined real sentences, questions are real.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bench import engines, texts
from eval.bench.pool import PoolEncoder
from eval.bench.rows import Options, Row, compared
from rag.build import build_documents
from rag.config import Settings
from rag.corpus import Found
from rag.embed import open_encoder
from rag.lexical import Lexical
from rag.retrieve import Retriever
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.stores.faiss import FaissStore

SIZES = (1_000, 10_000, 100_000)
DOCUMENT = 13.2
"""Chunks that a made document comes to, about."""
PARTS: Sequence[tuple[str, type, str]] = (
    ("embed", PoolEncoder, "encode_queries"),
    ("dense", FaissStore, "search"),
    ("dense", FaissStore, "scores"),
    ("lexical", Lexical, "_candidates"),
    ("lexical", Lexical, "scores"),
)
"""The parts of a search and the methods that they are spent in."""


def run(options: Options) -> list[Row]:
    """Measure at 1,000, 10,000 and 100,000 chunks (up to 10,000 if quick)."""
    settings = Settings.load(threads=1, remembered=0)
    real = open_encoder(settings)
    pooled = texts.chunks(options.data, 300 if options.quick else 2000, real.tokenizer, settings)
    encoder = PoolEncoder(real, real.encode_passages(pooled))
    asked = texts.questions(options.data, 300)
    rows: list[Row] = []
    for size in SIZES[:2] if options.quick else SIZES:
        snapshot, built = _built(size, encoder, settings, options)
        rows.append(built)
        rows += _searches(size, Retriever(snapshot, encoder, settings), asked, len(snapshot))
    queries = encoder.encode_queries(asked)
    return [*rows, *engines.run(snapshot.vectors, queries, settings.candidates)]


def _built(
    size: int, encoder: PoolEncoder, settings: Settings, options: Options
) -> tuple[Snapshot, Row]:
    """Return an index of about `size` chunks, and what building it took beside the model."""
    directory = IndexDirectory(options.scratch / str(size))
    found = islice(texts.made(options.data), round(size / DOCUMENT))
    given = ((0, Found(document, "")) for document in found)
    report = build_documents(directory, [], given, encoder, settings)
    note = f"{report.chunks} chunks, {report.chunks / report.seconds:.0f}/s, without the model"
    snapshot = open_snapshot(directory)
    return snapshot, Row(f"size.{size}.build", report.seconds, "s", note=note)


def _searches(size: int, retriever: Retriever, asked: Sequence[str], chunks: int) -> list[Row]:
    for question in asked[:20]:
        retriever.search(question)
    spent = {part: np.zeros(len(asked)) for part in ("total", "embed", "dense", "lexical")}
    for at, question in enumerate(asked):
        with _parts_timed(spent, at):
            began = time.perf_counter()
            retriever.search(question)
            spent["total"][at] = time.perf_counter() - began
    spent["rest"] = 2 * spent["total"] - sum(spent.values())
    total = 1000 * spent.pop("total")
    name, whole = f"size.{size}", float(np.median(total))
    said = f"{len(asked)} searches of {chunks} chunks, one thread"
    return [
        Row(f"{name}.search", whole, "ms", note=f"median of {said}"),
        compared(f"{name}.search.p99", float(np.percentile(total, 99)), "ms", whole, "against median"),
        *(_part(f"{name}.{part}", 1000 * seconds, whole) for part, seconds in spent.items()),
    ]


def _part(name: str, ms: NDArray[np.float64], whole: float) -> Row:
    note = f"p99 {np.percentile(ms, 99):.2f} ms; against search"
    return compared(name, float(np.median(ms)), "ms", whole, note)


@contextmanager
def _parts_timed(spent: dict[str, NDArray[np.float64]], at: int) -> Iterator[None]:
    """Add what each part takes within this context to `spent[part][at]`, in seconds."""
    with ExitStack() as stack:
        for part, owner, name in PARTS:
            method = getattr(owner, name)
            stack.callback(setattr, owner, name, method)
            setattr(owner, name, _timing(method, spent[part], at))
        yield


def _timing(method: Callable[..., Any], into: NDArray[np.float64], at: int) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            into[at] += time.perf_counter() - began

    return timed
