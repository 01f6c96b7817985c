"""What rows that are stored smaller or searched approximately would give, against exact search."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import faiss
import numpy as np

from eval.bench.rows import Row, compared
from rag.stores.faiss import FaissStore
from rag.types import Rows, Vectors

RECALL = 10
LINKS = 32
EFFORT = (64, 128, 256)
"""HNSW: links of a node, and how many candidates a search keeps."""

Search = Callable[[Vectors], Rows]


def run(vectors: Vectors, queries: Vectors, k: int) -> list[Row]:
    """Measure the median time of one query for `k` rows, and recall@10 against exact search."""
    exact = FaissStore(vectors)
    truth, usual = _searched(queries, lambda query: exact.search(query, k)[0])
    name = f"engine.{len(vectors)}"
    rows = [Row(f"{name}.exact", usual, "ms", note=f"{vectors[0].nbytes} bytes a row, k = {k}")]
    for kind, bytes_a_row, took, factor, search in _engines(vectors, k):
        found, ms = _searched(factor * queries, search)
        said = f"{_recall(found, truth)}, {bytes_a_row} bytes a row, built in {took:.1f} s"
        rows.append(compared(f"{name}.{kind}", ms, "ms", usual, said))
    return rows


def _engines(vectors: Vectors, k: int) -> Iterator[tuple[str, int, float, float, Search]]:
    """Yield name, bytes a row, seconds to build, what queries are multiplied by, and the search."""
    signed = 127 / float(np.abs(vectors).max())
    for kind, (bits, factor) in {
        "fp16": ("QT_fp16", 1.0),
        "8bit": ("QT_8bit", 1.0),
        "int8": ("QT_8bit_direct_signed", signed),
    }.items():
        quantiser = getattr(faiss.ScalarQuantizer, bits)
        index = faiss.IndexScalarQuantizer(vectors.shape[1], quantiser, faiss.METRIC_INNER_PRODUCT)
        took = _filled(index, np.rint(factor * vectors) if kind == "int8" else vectors)
        yield kind, index.code_size, took, factor, _search_in(index, k)
    graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    took = _filled(graph, vectors)
    for effort in EFFORT:
        graph.hnsw.efSearch = effort
        size = vectors[0].nbytes + 8 * LINKS
        yield f"hnsw{LINKS}-{effort}", size, took, 1.0, _search_in(graph, k)


def _filled(index: Any, vectors: Vectors) -> float:
    """Train and fill an index on all cores; return the seconds that took."""
    began = time.perf_counter()
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    index.train(vectors)
    index.add(vectors)
    faiss.omp_set_num_threads(threads)
    return time.perf_counter() - began


def _search_in(index: Any, k: int) -> Search:
    def search(query: Vectors) -> Rows:
        rows: Rows = index.search(query, k)[1]
        return rows

    return search


def _searched(queries: Vectors, search: Search) -> tuple[Rows, float]:
    """Return the rows found for each query, asked for one by one, and the median in ms."""
    for query in queries[:10]:
        search(query[None])
    found, took = [], []
    for query in queries:
        began = time.perf_counter()
        rows = search(query[None])
        took.append(time.perf_counter() - began)
        found.append(rows[0])
    return np.stack(found), 1000 * float(np.median(took))


def _recall(found: Rows, truth: Rows) -> str:
    """Say what share of the exact best rows is found, and what if all that is found were rescored."""
    best = truth[:, :RECALL]
    plain, rescored = (
        np.mean([len(np.intersect1d(*pair)) / RECALL for pair in zip(rows, best, strict=True)])
        for rows in (found[:, :RECALL], found)
    )
    return f"recall@{RECALL} {plain:.3f} ({rescored:.3f} rescored)"
