"""What every store of vectors and words has to do: in files, and on Milvus (a real Milvus Lite)."""

import socket
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.build import build_documents
from rag.config import Settings
from rag.corpus import found_in_memory
from rag.errors import ConfigError, StoreError
from rag.protocols import Stores, VectorStore, WordSearch
from rag.retrieve import Retriever
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.stores import milvus, open_stores
from rag.stores.faiss import FaissStore
from rag.types import Rows, Vectors
from tests.conftest import LetterEncoder

WORDS = "mill toll flood bridge mason penny horse river church valley".split()
DOCUMENTS = [
    {
        "id": f"{WORDS[n % 10]}/{n:03}",
        "text": f"{WORDS[n % 10]} {WORDS[n // 10 % 10]} {WORDS[n // 100]} {n}.",
        "meta": {"odd": bool(n % 2)},
    }
    for n in range(300)
]


@pytest.fixture(scope="module", params=["faiss", "milvus"])
def chosen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    where = f"milvus:{tmp_path_factory.mktemp('milvus') / 'store.db'}"
    return Settings(store="faiss" if request.param == "faiss" else where)


@pytest.fixture(scope="module")
def directory(chosen: Settings, tmp_path_factory: pytest.TempPathFactory) -> IndexDirectory:
    return built(tmp_path_factory.mktemp("index") / "index", DOCUMENTS, chosen)


@pytest.fixture(scope="module")
def snapshot(directory: IndexDirectory) -> Snapshot:
    return open_snapshot(directory)


@pytest.fixture(scope="module")
def stores(chosen: Settings) -> Stores:
    return open_stores(chosen)


@pytest.fixture(scope="module")
def opened(stores: Stores, snapshot: Snapshot) -> tuple[VectorStore, WordSearch]:
    return stores.open(snapshot)


@pytest.fixture(params=[0, 10_000], ids=["asks for all", "may look itself"])
def exact(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have filtered searches go the long way, too."""
    monkeypatch.setattr(milvus, "EXACT", request.param)


def built(index: Path, documents: Sequence[dict[str, object]], chosen: Settings) -> IndexDirectory:
    directory = IndexDirectory(index)
    build_documents(directory, [], found_in_memory(documents), LetterEncoder(), chosen)
    return directory


def assert_nearest(store: VectorStore, vectors: Vectors, queries: Vectors, rows: Rows | None) -> None:
    found, scores = store.search(queries, 12, rows)
    _, truth = FaissStore(vectors).search(queries, 12, rows)
    assert scores == pytest.approx(truth, abs=1e-6)
    for query, near, near_scores in zip(queries, found, scores, strict=True):
        known = near[near >= 0]
        assert len(set(known.tolist())) == len(known)
        assert rows is None or np.isin(known, rows).all()
        assert near_scores[: len(known)] == pytest.approx(vectors[known] @ query, abs=1e-6)


SOME: Sequence[Rows | None] = [
    None,
    np.arange(40, 90),
    np.arange(0, 300, 2),
    np.array([7, 8, 250]),
    np.empty(0, np.int64),
]


@pytest.mark.parametrize("rows", SOME, ids=["all", "stretch", "every other", "three", "none"])
def test_the_nearest_are_those_of_all(
    opened: tuple[VectorStore, WordSearch], snapshot: Snapshot, rows: Rows | None, exact: None
) -> None:
    queries = LetterEncoder().encode_queries(["the toll of the mill", "a horse"])
    assert_nearest(opened[0], snapshot.vectors, queries, rows)


@pytest.mark.parametrize("rows", SOME, ids=["all", "stretch", "every other", "three", "none"])
def test_the_best_by_words_are_those_of_all(
    opened: tuple[VectorStore, WordSearch], snapshot: Snapshot, rows: Rows | None, exact: None
) -> None:
    weights = {"mill": 1.0, "toll": 0.5, "17": 2.0, "nowhere": 1.0}
    found = opened[1].top(weights, 15, rows)
    truth = snapshot.lexical.top(weights, 15, rows)
    assert snapshot.lexical.scores(weights, found) == pytest.approx(
        snapshot.lexical.scores(weights, truth)
    )
    assert len(set(found.tolist())) == len(found)
    assert rows is None or np.isin(found, rows).all()
    assert len(opened[1].top({"nowhere": 1.0}, 15, rows)) == 0


def test_scores_are_cosines(opened: tuple[VectorStore, WordSearch], snapshot: Snapshot) -> None:
    query = LetterEncoder().encode_queries(["the toll of the mill"])[0]
    rows = np.array([3, 17, 299])
    assert opened[0].scores(query, rows) == pytest.approx(snapshot.vectors[rows] @ query, abs=1e-6)


def test_a_search_gives_what_files_give(directory: IndexDirectory, chosen: Settings) -> None:
    ours, files = (
        Retriever(open_snapshot(directory), LetterEncoder(), settings, directory=directory)
        for settings in (chosen, Settings())
    )
    for question in ("toll 17", "Which bridge had a mason?", "river 222"):
        for where in (None, {"doc": "mill/*"}, {"meta.odd": True}):
            found, expected = (each.search(question, 5, where) for each in (ours, files))
            scores = [each.score for each in expected]  # candidates that tie may differ
            assert [each.score for each in found] == pytest.approx(scores, abs=5e-3)


def test_generations_come_and_go(
    chosen: Settings, stores: Stores, tmp_path: Path, snapshot: Snapshot
) -> None:
    index = tmp_path / "index"
    settings = chosen.model_copy(update={"keep_generations": 2})
    old = []
    for count in (30, 20, 10):
        directory = built(index, DOCUMENTS[:count], settings)
        old.append(open_snapshot(directory))
        store, _ = stores.open(old[-1])
        assert store.search(old[-1].vectors[:1], 5)[1][0, 0] == pytest.approx(1)
    directory.point_to(old[1].generation)
    retriever = Retriever(open_snapshot(directory), LetterEncoder(), settings, directory=directory)
    assert len(retriever.search("toll 17", 20)) == 20
    stores.open(snapshot)  # another index's
    if chosen.store != "faiss":
        with pytest.raises(StoreError, match="run `rag build`"):
            stores.open(old[0])


def test_what_is_missing_on_the_server_is_put_there_again(chosen: Settings, tmp_path: Path) -> None:
    if chosen.store == "faiss":
        pytest.skip("files are where they are")
    from pymilvus import MilvusClient

    index = tmp_path / "index"
    built(index, DOCUMENTS[:25], chosen)
    snapshot = open_snapshot(IndexDirectory(index))
    client = MilvusClient(chosen.store.partition(":")[2])
    (name,) = (each for each in client.list_collections() if each.endswith(snapshot.digest[:40]))
    client.delete(name, ids=[3, 4])
    with pytest.raises(StoreError, match="does not hold"):
        open_stores(chosen).open(snapshot)
    built(index, DOCUMENTS[:25], chosen)
    store, _ = open_stores(chosen).open(snapshot)
    assert store.search(snapshot.vectors[3:4], 1)[0].tolist() == [[3]]
    client.drop_collection(name)
    built(index, DOCUMENTS[:25], chosen)
    open_stores(chosen).open(snapshot)


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(StoreError, match=f"Milvus at http://127.0.0.1:{port} cannot be used"):
        open_stores(Settings(store=f"milvus:http://127.0.0.1:{port}"))
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("name", ["milvus", "milvus:", "faiss:x", "other:x", ""])
def test_a_store_that_is_none_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match="No store"):
        open_stores(Settings(store=name))
