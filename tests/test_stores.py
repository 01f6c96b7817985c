"""Stores of vectors against brute force; of rows that score alike, any may be returned."""

from pathlib import Path

import faiss as library
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.stores import faiss, ivf
from rag.stores.faiss import FaissStore
from rag.types import Rows, Scores, Vectors

quick = settings(deadline=None, max_examples=60)

SIZES = st.integers(0, 60)
SEEDS = st.integers(0, 2**32 - 1)


def unit_rows(count: int, seed: int) -> Vectors:
    """Return unit rows of few distinct directions, so that many score alike."""
    rows = np.random.default_rng(seed).integers(-1, 2, (count, 4)).astype(np.float32)
    rows[~rows.any(axis=1), 0] = 1
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def assert_best(vectors: Vectors, query: Vectors, rows: Rows, found: Rows, scores: Scores) -> None:
    """Check one query's result against all cosines; `rows` are those that may be found."""
    count = min(len(found), len(rows))
    near = found[:count]
    assert len(set(near.tolist())) == count
    assert np.isin(near, rows).all()
    assert scores[:count] == pytest.approx(vectors[near] @ query, abs=1e-6)
    assert scores[:count] == pytest.approx(np.sort(vectors[rows] @ query)[::-1][:count], abs=1e-6)
    assert (np.diff(scores[:count]) <= 0).all()
    assert (found[count:] == -1).all()
    assert (scores[count:] == -np.inf).all()


@quick
@given(SIZES, st.integers(1, 3), st.integers(1, 70), SEEDS)
def test_search_is_brute_force(size: int, questions: int, k: int, seed: int) -> None:
    vectors, queries = unit_rows(size, seed), unit_rows(questions, seed + 1)
    found, scores = FaissStore(vectors).search(queries, k)
    assert found.shape == scores.shape == (questions, k)
    for query, near, near_scores in zip(queries, found, scores, strict=True):
        assert_best(vectors, query, np.arange(size), near, near_scores)


@quick
@given(SIZES, st.integers(1, 3), st.integers(1, 70), SEEDS, st.sampled_from([1, 2, 7, faiss.BLOCK]))
def test_search_among_rows_is_brute_force_over_them(
    size: int, questions: int, k: int, seed: int, block: int
) -> None:
    vectors, queries = unit_rows(size, seed), unit_rows(questions, seed + 1)
    rows = np.flatnonzero(np.random.default_rng(seed).random(size) < 0.4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss, "BLOCK", block)
        found, scores = FaissStore(vectors).search(queries, k, rows)
    assert found.shape == scores.shape == (questions, k)
    for query, near, near_scores in zip(queries, found, scores, strict=True):
        assert_best(vectors, query, rows, near, near_scores)


def test_fewer_rows_than_asked_for() -> None:
    found, scores = FaissStore(np.eye(3, dtype=np.float32)).search(np.eye(3, dtype=np.float32)[:1], 5)
    assert found[0, 0] == 0
    assert found[0, 3:].tolist() == [-1, -1]
    assert scores[0].tolist() == [1, 0, 0, -np.inf, -np.inf]


@quick
@given(st.integers(1, 60), SEEDS)
def test_scores_are_what_search_gives(size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((size + 1, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query, store = vectors[-1], FaissStore(vectors[:-1])
    found, scores = store.search(query[None], size)
    assert store.scores(query, found[0]) == pytest.approx(scores[0], abs=1e-5)
    alone = [store.scores(query, found[0, n : n + 1])[0] for n in range(size)]
    assert store.scores(query, found[0]).tolist() == alone


def test_mapped_rows_are_searched_as_they_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    vectors = unit_rows(40, 0)
    path = tmp_path_factory.mktemp("rows") / "vectors.bin"
    vectors.tofile(path)
    mapped = np.memmap(path, np.float32, "r").reshape(-1, 4)
    found, scores = FaissStore(mapped).search(vectors[:1], 40)
    assert_best(vectors, vectors[0], np.arange(40), found[0], scores[0])


@pytest.fixture(scope="module")
def many() -> tuple[Vectors, Vectors]:
    """Return 6,000 unit rows that lie in groups, as text's do, and 50 queries near some of them."""
    random = np.random.default_rng(5)
    groups = random.standard_normal((150, 32))
    rows = groups[random.integers(150, size=6050)] + 0.6 * random.standard_normal((6050, 32))
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit[:6000], unit[6000:]


def recall(store: FaissStore, vectors: Vectors, queries: Vectors, rows: Rows | None = None) -> float:
    """Return the share of the ten nearest that a store finds; what it says of them must be exact."""
    found, scores = store.search(queries, 10, rows)
    truth, _ = FaissStore(vectors).search(queries, 10, rows)
    assert rows is None or np.isin(found, rows).all()
    for query, near, near_scores in zip(queries, found, scores, strict=True):
        assert near_scores == pytest.approx(vectors[near] @ query, abs=1e-6)
        assert (np.diff(near_scores) <= 0).all()
    return float(np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(found, truth, strict=True)]))


def test_many_rows_are_searched_by_lists(
    many: tuple[Vectors, Vectors], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivf, "EXACT", 1000)
    vectors, queries = many
    tuning = ivf.write(vectors, tmp_path, queries)
    assert (tuning.kind, tuning.trained, tuning.lists) == ("ivf-sq8", 6000, 309)
    assert 0.97 <= tuning.recall <= 1
    store = ivf.open_store(vectors, tmp_path, tuning.value())
    assert recall(store, vectors, queries) == pytest.approx(tuning.recall, abs=1e-4)
    assert recall(store, vectors, queries, np.arange(0, 6000, 2)) >= 0.95
    assert recall(store, vectors, queries, np.arange(0, 6000, 60)) == 1
    deep, _ = store.search(queries, 600)
    truth, _ = FaissStore(vectors).search(queries, 600)
    assert (deep >= 0).all()
    assert np.mean([len(np.intersect1d(*pair)) / 600 for pair in zip(deep, truth, strict=True)]) > 0.95
    one, _ = store.search(queries[:1], 3, np.array([7], np.int64))
    assert one.tolist() == [[7, -1, -1]]


def test_lists_are_carried_over(
    many: tuple[Vectors, Vectors], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivf, "EXACT", 1000)
    vectors, queries = many
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    tuning = ivf.write(vectors[:5000], old, queries)
    kept = np.flatnonzero(np.arange(5000) % 7)
    moved = np.full(5000, -1, np.int64)
    moved[kept] = np.arange(len(kept))
    now = np.concatenate([vectors[:5000][kept], vectors[5000:]])
    again = ivf.write(now, new, queries, (old, tuning.value(), moved))
    assert (again.trained, again.lists) == (5000, tuning.lists)
    assert recall(ivf.open_store(now, new, again.value()), now, queries) >= 0.97
    far = ivf.write(vectors, new, queries, (old, {**tuning.value(), "trained": 2000}, moved))
    assert far.trained == 6000


def test_few_rows_and_rows_without_groups_are_all_looked_at(
    many: tuple[Vectors, Vectors], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, queries = many
    assert ivf.write(vectors, tmp_path, queries) == ivf.Tuning()
    monkeypatch.setattr(ivf, "EXACT", 1000)
    monkeypatch.setattr(ivf, "RECALL", 1.1)
    assert ivf.write(vectors, tmp_path, queries).kind == "exact"
    assert not list(tmp_path.iterdir())
    assert type(ivf.open_store(vectors, tmp_path, {})) is FaissStore


@pytest.mark.parametrize("questions", [1, 50])
def test_other_work_keeps_its_threads(
    many: tuple[Vectors, Vectors], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, questions: int
) -> None:
    monkeypatch.setattr(ivf, "EXACT", 1000)
    vectors, queries = many
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(3)
    try:
        tuning = ivf.write(vectors, tmp_path, queries)
        for store in (FaissStore(vectors), ivf.open_store(vectors, tmp_path, tuning.value())):
            store.search(queries[:questions], 5)
            assert library.omp_get_max_threads() == 3
        with faiss.limited(1):
            assert library.omp_get_max_threads() == 1
        assert library.omp_get_max_threads() == 3
    finally:
        library.omp_set_num_threads(before)
