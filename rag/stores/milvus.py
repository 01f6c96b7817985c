"""Search on Milvus: a cluster by its address, or Milvus Lite by a file's path (pymilvus; Apache-2.0).

A generation is a collection that its index and its digest name: a row for each chunk, with its vector
and the BM25 weights of its terms, so both searches find what the files' would. What is found is
scored exactly from the generation's own rows.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rag.config import Settings
from rag.errors import ConfigError, StoreError
from rag.protocols import Indexed, VectorStore, WordIndex, WordSearch
from rag.stores.faiss import EXACT, FaissStore
from rag.types import Rows, Scores, Vectors

_BATCH = 1000
"""Rows of one insert."""
_BLOCK = 65_536
"""Rows whose terms are gathered at a time, in one pass over all postings."""
_LIMIT = 16_384
"""Rows that Milvus returns at most."""
_RANGES = 64
"""Stretches of allowed rows that are told as such; more are told row by row."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")

_Ask = Callable[[str, Any, int, str], list[list[tuple[int, float]]]]
"""Field, queries, how many, filter → for each query rows and scores."""


class MilvusStores:
    """The collections of one server under one prefix."""

    def __init__(self, uri: str, settings: Settings) -> None:
        """Connect; raises `ConfigError` where pymilvus is missing, `StoreError`."""
        try:
            from pymilvus import MilvusClient
        except ImportError:
            raise ConfigError("Milvus needs pymilvus: pip install 'seedrag[milvus]'.") from None
        if not _NAME.fullmatch(settings.milvus_prefix):
            raise ConfigError(
                f"milvus_prefix {settings.milvus_prefix!r} must be letters, digits and _ only."
            )
        logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)  # it logs what it raises as well
        self._uri, self._prefix = uri, settings.milvus_prefix
        token = settings.milvus_token.get_secret_value() if settings.milvus_token else ""
        with self._told():
            self._client: Any = MilvusClient(uri, token=token)

    def open(self, indexed: Indexed) -> tuple[VectorStore, WordSearch]:
        """Return what searches a generation; raises `StoreError` where Milvus lacks it."""
        with self._told():
            known = self._client.list_collections()
        ours = [name for name in sorted(known) if self._is_ours(name) and _holds(name, indexed.digest)]
        whole = [name for name in ours if self._rows(name) == len(indexed.vectors)]
        if not whole:
            raise StoreError(
                f"Milvus at {self._uri} does not hold the generation that is published; run "
                "`rag build` to have it put there."
            )
        store = _MilvusStore(indexed, self._ask(whole[0]))
        return store, store

    def put(self, indexed: Indexed, index: Path) -> None:
        """Give Milvus a generation, unless it holds it; what was half put is put anew."""
        name, count = self._named(indexed.digest, index), len(indexed.vectors)
        if self._rows(name) == count:
            return
        with self._told():
            self._client.drop_collection(name)
            self._create(name, indexed.vectors.shape[1], count)
            for first in range(0, count, _BLOCK):
                last = min(first + _BLOCK, count)
                words = indexed.words.weights(first, last)
                rows = zip(range(first, last), indexed.vectors[first:last], words, strict=True)
                values = (
                    {"row": row, "vector": vector, "words": known or {_NOTHING: 1e-9}}
                    for row, vector, known in rows
                )
                while some := list(islice(values, _BATCH)):
                    self._client.insert(name, some)
            self._client.flush(name)
        if self._rows(name) != count:
            raise StoreError(
                f"Milvus at {self._uri} took in only {self._rows(name)} of {count} chunks."
            )

    def keep(self, digests: Collection[str], index: Path) -> None:
        """Drop the collections of other generations of this index."""
        kept = {self._named(digest, index) for digest in digests}
        with self._told():
            for name in self._client.list_collections():
                if name.startswith(self._owned(index)) and name not in kept:
                    self._client.drop_collection(name)

    def _owned(self, index: Path) -> str:
        """Return what names of an index's collections begin with, so that they may share one."""
        return f"{self._prefix}_{hashlib.sha256(str(index).encode()).hexdigest()[:12]}_"

    def _named(self, digest: str, index: Path) -> str:
        return f"{self._owned(index)}{digest[:40]}"

    def _is_ours(self, name: str) -> bool:
        return re.fullmatch(rf"{self._prefix}_[0-9a-f]{{12}}_[0-9a-f]{{40}}", name) is not None

    def _rows(self, name: str) -> int:
        """Return how many rows a collection has; -1 where there is none."""
        with self._told():
            if not self._client.has_collection(name):
                return -1
            self._client.load_collection(name)
            return int(self._client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"])

    def _create(self, name: str, dimension: int, count: int) -> None:
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        index = self._client.prepare_index_params()
        if count <= EXACT:
            index.add_index("vector", index_type="FLAT", metric_type="IP")
        else:
            graph = {"M": 32, "efConstruction": 256}
            index.add_index("vector", index_type="HNSW", metric_type="IP", params=graph)
        index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        self._client.create_collection(
            name, schema=schema, index_params=index, consistency_level="Strong"
        )

    def _ask(self, name: str) -> _Ask:
        def ask(field: str, data: Any, k: int, where: str) -> list[list[tuple[int, float]]]:
            options = {"metric_type": "IP", "params": {"ef": max(256, 2 * k)}}
            if field == "words":
                options["params"] = {}
            with self._told():
                found = self._client.search(
                    name, data=data, anns_field=field, limit=k, filter=where, search_params=options
                )
            return [[(int(hit["row"]), float(hit["distance"])) for hit in hits] for hits in found]

        return ask

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what pymilvus raises into one sentence."""
        import grpc
        from pymilvus.exceptions import MilvusException

        try:
            yield
        except (MilvusException, grpc.RpcError, OSError, ValueError) as error:
            said = " ".join(str(getattr(error, "message", "") or error).split())[:300]
            raise StoreError(f"Milvus at {self._uri} cannot be used: {said}.") from None


_NOTHING = (1 << 31) - 1
"""The place of a term that no question has: Milvus takes no row without terms."""


def _holds(name: str, digest: str) -> bool:
    return name.endswith(f"_{digest[:40]}")


class _MilvusStore(FaissStore):
    """Candidates by Milvus, scores by the generation's own rows."""

    def __init__(
        self,
        indexed: Indexed,
        ask: _Ask,
    ) -> None:
        super().__init__(indexed.vectors, indexed.vectors_of)
        self._words: WordIndex = indexed.words
        self._ask = ask

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Scores]:
        """Return rows and scores as `FaissStore` does; few `rows` are looked at without Milvus."""
        if rows is not None and len(rows) <= EXACT:
            return super().search(queries, k, rows)
        hits = self._ask("vector", list(queries), min(k, _LIMIT), _where(rows)) if len(queries) else []
        near = [np.array([row for row, _ in some], np.int64) for some in hits]
        return self.best(queries, near, k)

    def top(self, weights: Mapping[str, float], k: int, allowed: Rows | None = None) -> Rows:
        """Return the rows that weighted terms fit best, best first, ties by row."""
        if allowed is not None and len(allowed) <= EXACT:
            return self._words.top(weights, k, allowed)
        places = self._words.places(weights)
        if not places:
            return np.empty(0, np.int64)
        (hits,) = self._ask("words", [places], min(k, _LIMIT), _where(allowed))
        rows = np.sort(np.array([row for row, score in hits if score > 0], np.int64))
        scores = self._words.scores(weights, rows)
        return rows[np.argsort(-scores, kind="stable")]


def _where(rows: Rows | None) -> str:
    """Return a filter that holds for these rows, which rise."""
    if rows is None:
        return ""
    cuts = np.flatnonzero(np.diff(rows) != 1) + 1
    if len(cuts) < _RANGES:
        stretches = (part for part in np.split(rows, cuts) if len(part))
        return " or ".join(f"(row >= {part[0]} and row <= {part[-1]})" for part in stretches)
    return f"row in [{','.join(map(str, rows.tolist()))}]"
