"""Exact search by FAISS over rows that may be mapped from disk: nothing is copied to open them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import faiss
import numpy as np

from rag.types import Rows, Scores, Vectors

MANY = 4
"""Queries from which one matrix product is faster than one pass over all rows for each."""
faiss.cvar.distance_compute_blas_threshold = MANY
EXACT = 10_000
"""Rows up to which all are looked at: that takes 1 to 3 ms."""
BLOCK = 65_536
"""Rows that a filtered search gathers at a time."""


class FaissStore:
    """Inner product over unit rows, which is the cosine: higher is better.

    `vectors_of` gives some rows, which rise, where there is a better way than to take them from all.
    """

    def __init__(self, vectors: Vectors, vectors_of: Callable[[Rows], Vectors] | None = None) -> None:
        self._vectors = vectors
        self._vectors_of = vectors_of or vectors.__getitem__

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Scores]:
        """Return rows and scores, each (len(queries), k), best first; among `rows` if given."""
        if rows is None:
            return knn(queries, self._vectors, k)
        found = np.full((len(queries), k), -1, np.int64)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            near, near_scores = knn(queries, self._vectors_of(block), k)
            near = np.where(near < 0, -1, block[near])
            found, scores = _best(np.hstack([found, near]), np.hstack([scores, near_scores]), k)
        return found, scores

    def scores(self, query: Vectors, rows: Rows) -> Scores:
        """Return the cosine of one query, shape (d,), with each of `rows`, shape (len(rows),).

        A row's score depends on that row alone, whatever else is asked for.
        """
        near: Scores = np.einsum("nd,d->n", self._vectors_of(rows), query)
        return near

    def best(self, queries: Vectors, near: Sequence[Rows], k: int) -> tuple[Rows, Scores]:
        """Return the best of the rows that were found `near` each query, as `search` does."""
        found = np.full((len(queries), k), -1, np.int64)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        for at, (query, some) in enumerate(zip(queries, near, strict=True)):
            known = np.sort(some)
            exact = self.scores(query, known)
            order = np.argsort(-exact, kind="stable")[:k]
            found[at, : len(order)], scores[at, : len(order)] = known[order], exact[order]
        return found, scores


def knn(queries: Vectors, vectors: Vectors, k: int) -> tuple[Rows, Scores]:
    """Return the nearest of all rows and their cosines, each (len(queries), k)."""
    count = min(k, len(vectors))
    found = np.full((len(queries), k), -1, np.int64)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    if count and len(queries):
        with limited(threads_for(queries)):
            near = faiss.knn(queries, vectors, count, metric=faiss.METRIC_INNER_PRODUCT)
        scores[:, :count], found[:, :count] = near
    return found, scores


def threads_for(queries: Vectors) -> int:
    """Return how many threads they are worth: one, or 0 for all where many queries come at once.

    For one query more bring nothing, and wait awake for the next while others need them.
    """
    return 0 if len(queries) >= MANY else 1


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let faiss use so many threads within, 0 for as many as before.

    The number is one for all of a thread's OpenMP, torch's with it, so it is put back.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads or before)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _best(rows: Rows, scores: Scores, k: int) -> tuple[Rows, Scores]:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)
