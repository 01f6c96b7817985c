"""What rows that are stored smaller or searched approximately would give, against exact search."""

import os
import time
from collections.abc import Callable
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
    name, size = f"engine.{len(vectors)}", 4 * vectors.shape[1]
    rows = [Row(f"{name}.exact", usual, "ms", note=f"{size} bytes a row, k = {k}")]
    for kind, bits in (("fp16", "QT_fp16"), ("8bit", "QT_8bit")):
        quantiser = getattr(faiss.ScalarQuantizer, bits)
        index = faiss.IndexScalarQuantizer(vectors.shape[1], quantiser, faiss.METRIC_INNER_PRODUCT)
        took = _filled(index, vectors)
        found, ms = _searched(queries, _search_in(index, k))
        said = f"{_recall(found, truth)}, {index.code_size} bytes a row, built in {took:.1f} s"
        rows.append(compared(f"{name}.{kind}", ms, "ms", usual, said))
    graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    took = _filled(graph, vectors)
    for effort in EFFORT:
        graph.hnsw.efSearch = effort
        found, ms = _searched(queries, _search_in(graph, k))
        said = f"{_recall(found, truth)}, {size + 8 * LINKS} bytes a row, built in {took:.1f} s"
        rows.append(compared(f"{name}.hnsw{LINKS}-{effort}", ms, "ms", usual, said))
    return rows


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
    """Return the best rows of each query, asked for one by one, and the median in ms."""
    for query in queries[:10]:
        search(query[None])
    found, took = [], []
    for query in queries:
        began = time.perf_counter()
        rows = search(query[None])
        took.append(time.perf_counter() - began)
        found.append(rows[0, :RECALL])
    return np.stack(found), 1000 * float(np.median(took))


def _recall(found: Rows, truth: Rows) -> str:
    shared = [len(np.intersect1d(a, b)) / RECALL for a, b in zip(found, truth, strict=True)]
    return f"recall@{RECALL} {np.mean(shared):.3f}"
