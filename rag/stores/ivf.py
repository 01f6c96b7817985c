"""Search of many rows: an inverted file of 8-bit codes, its best rows scored anew, exactly.

Rows are kept in lists by the nearest of some thousand centroids; a query looks into the lists of those
nearest to it (Jégou et al. 2011, "Product Quantization for Nearest Neighbor Search", section IV). How
many, is chosen when the index is built, by what is found against exact search. The file is mapped,
so nothing is copied to open it; it is derived from the vectors and could be made anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.stores.faiss import EXACT as EXACT
from rag.stores.faiss import FaissStore, knn, limited, threads_for
from rag.types import Rows, Scores, Vectors

FILE = "search.faiss"
RECALL = 0.985
"""Share of the ten nearest rows that shall be found, measured when the file is written."""
_TOP = 10
_ANEW = 2
"""Rows that are scored exactly for each that is asked for."""
_SEEN = 4
"""Rows that are looked at, on average, for each that is asked for."""
_LISTS = 4
"""Lists for each row of the square root."""
_PROBES = (8, 16, 32, 64, 128, 256, 512)
_TRAINED_ON = 40
"""Rows for each centroid that it is trained on."""
_GROWN = 2.0
"""Growth of the rows from which centroids are trained anew."""
_TIE = 1e-6
_BLOCK = 65_536

_options: Any = faiss.SearchParametersIVF


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a file was made and is searched, as the manifest keeps it."""

    kind: str = "exact"
    file: str = ""
    lists: int = 0
    probes: int = 0
    recall: float = 1.0
    """Share of the ten nearest rows that are found, on average over sentences of the text."""
    trained: int = 0
    """Rows that there were when the centroids were trained."""

    def value(self) -> dict[str, Any]:
        """Return this as a JSON value."""
        return asdict(self)


class IvfStore(FaissStore):
    """Nearest rows by a file that `write` made; scores are exact."""

    def __init__(
        self,
        vectors: Vectors,
        path: Path,
        tuning: Mapping[str, Any],
        vectors_of: Callable[[Rows], Vectors] | None = None,
    ) -> None:
        super().__init__(vectors, vectors_of)
        path.stat()  # it may have been removed meanwhile, which faiss tells in a way of its own
        self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        self._probes = int(tuning["probes"])

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Scores]:
        """Return rows and scores as `FaissStore` does; of few `rows` every one is looked at."""
        if rows is not None and len(rows) <= EXACT:
            return super().search(queries, k, rows)
        wanted = max(_ANEW * k, 4 * _TOP)
        with limited(threads_for(queries)):
            near = _probed(self._index, queries, wanted, self._probes, rows)
        return self.best(queries, [row[row >= 0] for row in near], k)


def open_store(
    vectors: Vectors,
    folder: Path,
    tuning: Mapping[str, Any],
    vectors_of: Callable[[Rows], Vectors] | None = None,
) -> FaissStore:
    """Return the store of a generation's vectors."""
    if tuning.get("kind", "exact") == "exact":
        return FaissStore(vectors, vectors_of)
    return IvfStore(vectors, folder / FILE, tuning, vectors_of)


def write(
    vectors: Vectors,
    folder: Path,
    queries: Vectors,
    before: tuple[Path, Mapping[str, Any], Rows] | None = None,
) -> Tuning:
    """Write the file that unit rows, shape (n, d), are searched by; return how to search it.

    `queries`, shape (m, d), are what recall is measured with. `before` is another file's folder, its
    tuning, and for each of its rows the row that it is now, or -1: its centroids are kept, unless
    there are far more rows by now, and only what is new is assigned. Where few rows are to be
    searched, or recall cannot be had, nothing is written.
    """
    count = len(vectors)
    if count <= EXACT:
        return Tuning()
    index, assigned, trained = _begun(vectors, before)
    for start in range(0, count, _BLOCK):
        _add(index, vectors[start : start + _BLOCK], assigned[start : start + _BLOCK], start)
    worst = knn(queries, vectors, _TOP)[1][:, -1]
    for probes in _PROBES:
        if probes > index.nlist:
            break
        recall = _recall(index, vectors, queries, worst, probes)
        if recall >= RECALL:
            faiss.write_index(index, str(folder / FILE))
            return Tuning("ivf-sq8", FILE, index.nlist, probes, round(recall, 4), trained)
    return Tuning()


def _begun(
    vectors: Vectors, before: tuple[Path, Mapping[str, Any], Rows] | None
) -> tuple[Any, NDArray[np.int64], int]:
    """Return an index without rows, the list of each row, and on how many it was trained."""
    count = len(vectors)
    assigned = np.full(count, -1, np.int64)
    index: Any
    if before is None or count > _GROWN * before[1]["trained"]:
        index, trained = _trained(vectors), count
    else:
        path, tuning, moved = before
        index = faiss.read_index(str(path / FILE))
        trained = int(tuning["trained"])
        for number in range(index.nlist):
            rows = moved[_ids(index, number)]
            assigned[rows[rows >= 0]] = number
        index.reset()
    for start in range(0, count, _BLOCK):
        block = assigned[start : start + _BLOCK]
        new = np.flatnonzero(block < 0)
        if len(new):
            block[new] = index.quantizer.search(vectors[start : start + _BLOCK][new], 1)[1][:, 0]
    return index, assigned, trained


def _trained(vectors: Vectors) -> Any:
    count, dimension = vectors.shape
    lists = int(_LISTS * count**0.5)
    sample = np.sort(np.random.default_rng(1).permutation(count)[: _TRAINED_ON * lists])
    some = np.ascontiguousarray(vectors[sample])
    means = faiss.Kmeans(
        dimension,
        lists,
        niter=8,
        spherical=True,
        seed=1,
        min_points_per_centroid=1,
        max_points_per_centroid=_TRAINED_ON,
    )
    means.train(some)
    quantizer: Any = faiss.IndexFlatIP(dimension)
    quantizer.add(means.centroids)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer,
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    index.train(some)
    return index


def _add(index: Any, vectors: Vectors, assigned: NDArray[np.int64], first: int) -> None:
    block, lists = np.ascontiguousarray(vectors), np.ascontiguousarray(assigned)
    rows = np.arange(first, first + len(block), dtype=np.int64)
    index.add_core(len(block), faiss.swig_ptr(block), faiss.swig_ptr(rows), faiss.swig_ptr(lists))


def _ids(index: Any, number: int) -> Rows:
    lists = index.invlists
    size = lists.list_size(number)
    return faiss.rev_swig_ptr(lists.get_ids(number), size).copy() if size else np.empty(0, np.int64)


def _probed(index: Any, queries: Vectors, k: int, probes: int, rows: Rows | None = None) -> Rows:
    """Return rows that the nearest lists hold, shape (len(queries), k); -1 where there are fewer."""
    enough = -(-_SEEN * k * index.nlist // index.ntotal)
    probes = min(index.nlist, max(probes, enough))
    if rows is None:
        options = _options(nprobe=probes)
        return np.asarray(index.search(queries, k, params=options)[1])
    selector = faiss.IDSelectorBatch(rows)
    more = min(index.nlist, round(probes * index.ntotal / len(rows)))
    options = _options(nprobe=more, sel=selector)
    return np.asarray(index.search(queries, k, params=options)[1])


def _recall(index: Any, vectors: Vectors, queries: Vectors, worst: Scores, probes: int) -> float:
    """Return the share of the best rows found; one that scores as high as the `worst` is of them."""
    near = _probed(index, queries, 4 * _TOP, probes)
    found = 0
    for query, known, least in zip(queries, near, worst, strict=True):
        scores = np.sort(vectors[known[known >= 0]] @ query)[-_TOP:]
        found += int((scores >= least - _TIE).sum())
    return found / (_TOP * len(queries))
