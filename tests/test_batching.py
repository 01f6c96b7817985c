import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from api.batching import BatchingEncoder, BatchingStore
from rag.stores.faiss import FaissStore
from rag.types import Rows, Scores, Vectors
from tests.conftest import LetterEncoder


class Slow(LetterEncoder):
    """Takes a while, and notes how many texts came in each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.fails = False

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(len(texts))
        time.sleep(0.05)
        if self.fails:
            raise RuntimeError("no vectors today")
        return super().encode_queries(texts)


def together(encoder: BatchingEncoder, asked: Sequence[Sequence[str]]) -> list[object]:
    got: list[object] = [None] * len(asked)

    def ask(n: int) -> None:
        try:
            got[n] = encoder.encode_queries(asked[n])
        except RuntimeError as error:
            got[n] = error

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_what_arrives_together_is_embedded_together_and_goes_to_whom_it_belongs() -> None:
    slow, plain = Slow(), LetterEncoder()
    asked = [[f"question {n}" * k for k in range(1, 2 + n % 3)] for n in range(20)]
    for texts, got in zip(asked, together(BatchingEncoder(slow), asked), strict=True):
        assert isinstance(got, np.ndarray)
        assert np.array_equal(got, plain.encode_queries(texts))
    assert len(slow.calls) <= 4
    assert sum(slow.calls) == sum(map(len, asked))


def test_a_failure_reaches_everyone_who_waits_and_passes() -> None:
    slow = Slow()
    encoder = BatchingEncoder(slow)
    slow.fails = True
    assert all(isinstance(got, RuntimeError) for got in together(encoder, [["a"], ["b"], ["c"]]))
    slow.fails = False
    assert encoder.encode_queries(["a"]).shape == (1, 26)


def test_nothing_is_asked_of_it_for_nothing() -> None:
    assert BatchingEncoder(LetterEncoder()).encode_queries([]).shape == (0, 26)
    with pytest.raises(TypeError):
        BatchingEncoder(LetterEncoder()).encode_queries(None)  # type: ignore[arg-type]


class SlowStore(FaissStore):
    """Takes a while, and notes how many queries came in each pass."""

    def __init__(self, vectors: Vectors) -> None:
        super().__init__(vectors)
        self.passes: list[int] = []

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Scores]:
        self.passes.append(len(queries))
        time.sleep(0.05)
        return super().search(queries, k, rows)


def test_searches_that_arrive_together_share_a_pass_and_find_what_each_would_alone() -> None:
    random = np.random.default_rng(7)
    vectors = random.standard_normal((500, 26)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    slow, plain = SlowStore(vectors), FaissStore(vectors)
    store = BatchingStore(slow)
    depths = [1, 3, 10, 600, 7, 10, 2, 5]
    found: list[tuple[Rows, Scores] | None] = [None] * len(depths)

    def search(n: int) -> None:
        found[n] = store.search(vectors[n : n + 1], depths[n])

    threads = [threading.Thread(target=search, args=(n,)) for n in range(len(depths))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, depth in enumerate(depths):
        got = found[n]
        assert got is not None
        rows, scores = plain.search(vectors[n : n + 1], depth)
        assert np.array_equal(got[0], rows)
        assert np.allclose(got[1], scores, atol=1e-5)
    assert len(slow.passes) < len(depths)
    allowed = np.array([4, 9, 400], np.int64)
    assert set(store.search(vectors[:1], 3, allowed)[0][0].tolist()) == {4, 9, 400}
