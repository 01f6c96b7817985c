"""BM25 over chunks: postings that are written once, mapped from disk, and carried over cheaply.

The idf is Lucene's, ln(1 + (N - df + 0.5) / (df + 0.5)), and so is tf / (tf + k1 (1 - b + b len /
avg)); Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond".
Each posting's weight is computed when the index is built, so a query only adds them up.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rag.types import Rows, Scores

POSTING = np.dtype([("term", "<i4"), ("row", "<i4"), ("tf", "<i4")])
ARRAYS: Mapping[str, str] = {
    "term_ends.bin": "<i8",
    "posting_ends.bin": "<i8",
    "posting_rows.bin": "<i4",
    "posting_tfs.bin": "<i4",
    "posting_weights.bin": "<f4",
    "lengths.bin": "<i4",
}
"""The index's arrays on disk and their types; `TERMS` holds the terms, in order, end to end."""
TERMS = "terms.bin"

_BLOCK = 1 << 21
"""Postings that are held in memory at a time while building."""


@dataclass(frozen=True, slots=True)
class Lexical:
    """An inverted index. Term `t` has the postings from `ends[t-1]` to `ends[t]`, rows rising."""

    terms: NDArray[np.uint8]
    term_ends: NDArray[np.int64]
    posting_ends: NDArray[np.int64]
    posting_rows: NDArray[np.int32]
    posting_tfs: NDArray[np.int32]
    posting_weights: NDArray[np.float32]
    lengths: NDArray[np.int32]

    def scores(self, weights: Mapping[str, float]) -> Scores:
        """Return the BM25 score of every chunk for weighted terms, shape (n,); 0 without any."""
        total = np.zeros(len(self.lengths), np.float32)
        for term, weight in sorted(weights.items()):
            start, end = self._postings(self.find(term))
            gain = self.posting_weights[start:end] * np.float32(weight)
            total[self.posting_rows[start:end]] += gain
        return total

    def idf(self, term: str) -> float:
        """Return how rare a term is; a term that the index does not know is the rarest."""
        start, end = self._postings(self.find(term))
        return float(_idf(len(self.lengths), np.float64(end - start)))

    def find(self, term: str) -> int:
        """Return the number of a term, or -1."""
        sought = term.encode()
        at = bisect_left(range(len(self.term_ends)), sought, key=self.term)
        return at if at < len(self.term_ends) and self.term(at) == sought else -1

    def term(self, at: int) -> bytes:
        """Return the term of a number, in UTF-8."""
        start = int(self.term_ends[at - 1]) if at else 0
        return bytes(self.terms[start : int(self.term_ends[at])])

    def _postings(self, term: int) -> tuple[int, int]:
        if term < 0:
            return 0, 0
        return int(self.posting_ends[term - 1]) if term else 0, int(self.posting_ends[term])


class LexicalBuilder:
    """Collects postings in a scratch file and writes them out sorted, in bounded memory.

    What grows with the corpus in memory is its vocabulary and 8 bytes a chunk.
    """

    def __init__(self, scratch: Path) -> None:
        self._vocabulary = _Numbers()
        self._counts = np.zeros(0, np.int64)
        self._scratch = scratch
        self._spool: BinaryIO = scratch.open("wb")
        self._pending = array("i"), array("i"), array("i")
        self._lengths: list[tuple[Rows, NDArray[np.int32]]] = []
        self._rows = array("q")
        self._sizes = array("q")

    def add(self, row: int, terms: Sequence[str], length: int) -> None:
        """Take in a new chunk; `length` is what the correction for length goes by."""
        counts = Counter(terms)
        numbers, rows, tfs = self._pending
        numbers.extend(map(self._vocabulary.__getitem__, counts))
        rows.extend([row] * len(counts))
        tfs.extend(counts.values())
        self._rows.append(row)
        self._sizes.append(length)
        if len(numbers) >= 1 << 17:
            self._flush()

    def reuse(self, old: Lexical, new_rows: Rows) -> None:
        """Take over the chunks of another index; `new_rows[old row]` is the new row, or -1."""
        self._flush()
        numbers = np.full(len(old.term_ends), -1, np.int64)
        spelled, bounds = old.terms.tobytes(), [0, *old.term_ends.tolist()]
        for term, start, end in _term_blocks(old.posting_ends):
            sizes = np.diff(old.posting_ends[term[0] : term[1]], prepend=start)
            terms = np.repeat(np.arange(term[0], term[1]), sizes)
            rows = new_rows[old.posting_rows[start:end]]
            kept = rows >= 0
            alive, counts = np.unique(terms[kept], return_counts=True)
            numbers[alive] = [
                self._vocabulary[spelled[bounds[at] : bounds[at + 1]].decode()] for at in alive.tolist()
            ]
            self._count(numbers[alive], counts)
            block = np.empty(int(kept.sum()), POSTING)
            block["term"] = numbers[terms[kept]]
            block["row"] = rows[kept]
            block["tf"] = old.posting_tfs[start:end][kept]
            self._spool.write(block.tobytes())
        kept = new_rows >= 0
        self._lengths.append((new_rows[kept], old.lengths[kept]))

    def write(self, folder: Path, chunks: int, k1: float, b: float) -> None:
        """Write the arrays of `ARRAYS` and `TERMS` into `folder`; the same chunks, the same bytes."""
        self._flush()
        self.close()
        lengths = np.zeros(chunks, "<i4")
        lengths[np.array(self._rows, np.int64)] = self._sizes
        for rows, sizes in self._lengths:
            lengths[rows] = sizes
        lengths.tofile(folder / "lengths.bin")
        vocabulary = sorted(self._vocabulary)
        encoded = [term.encode() for term in vocabulary]
        (folder / TERMS).write_bytes(b"".join(encoded))
        np.cumsum([*map(len, encoded)], dtype="<i8").tofile(folder / "term_ends.bin")
        numbers = np.array([self._vocabulary[term] for term in vocabulary], np.int64)
        counts = self._counts[numbers]
        ends = np.cumsum(counts, dtype="<i8")
        ends.tofile(folder / "posting_ends.bin")
        ranks = np.empty(len(numbers), np.int64)
        ranks[numbers] = np.arange(len(numbers))
        self._sort(ranks, ends)
        norm = _norms(lengths, k1, b)
        self._write_postings(folder, ends, norm)
        self._scratch.unlink()

    def close(self) -> None:
        """Let go of the scratch file."""
        self._spool.close()

    def _count(self, numbers: Rows, counts: NDArray[np.int64]) -> None:
        """Add to how many chunks hold each of the distinct terms."""
        if len(self._vocabulary) > len(self._counts):
            self._counts = np.pad(self._counts, (0, len(self._vocabulary) - len(self._counts)))
        self._counts[numbers] += counts

    def _flush(self) -> None:
        block = np.empty(len(self._pending[0]), POSTING)
        for name, values in zip(("term", "row", "tf"), self._pending, strict=True):
            block[name] = values
            del values[:]
        self._spool.write(block.tobytes())
        self._count(*np.unique(block["term"], return_counts=True))

    def _sort(self, ranks: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        """Bring the scratch file into the order of terms: a counting sort, block by block."""
        total = int(ends[-1]) if len(ends) else 0
        if not total:
            return
        target = self._scratch.with_suffix(".sorted")
        unsorted = np.memmap(self._scratch, POSTING, "r")
        out = np.memmap(target, POSTING, "w+", shape=(total,))
        filled = np.concatenate([[0], ends[:-1]])
        for start in range(0, total, _BLOCK):
            block = np.array(unsorted[start : start + _BLOCK])
            block["term"] = ranks[block["term"]]
            block = block[np.argsort(block["term"], kind="stable")]
            terms, first, counts = np.unique(block["term"], return_index=True, return_counts=True)
            within = np.arange(len(block)) - np.repeat(first, counts)
            out[filled[block["term"]] + within] = block
            filled[terms] += counts
        out.flush()
        del out, unsorted
        target.replace(self._scratch)

    def _write_postings(self, folder: Path, ends: NDArray[np.int64], norm: NDArray[np.float64]) -> None:
        with (
            (folder / "posting_rows.bin").open("wb") as rows,
            (folder / "posting_tfs.bin").open("wb") as tfs,
            (folder / "posting_weights.bin").open("wb") as weights,
        ):
            for term, start, end in _term_blocks(ends):
                block = np.fromfile(
                    self._scratch, POSTING, end - start, offset=start * POSTING.itemsize
                )
                block = block[np.lexsort((block["row"], block["term"]))]
                sizes = np.diff(ends[term[0] : term[1]], prepend=start)
                idf = np.repeat(_idf(len(norm), sizes.astype(np.float64)), sizes)
                tf = block["tf"].astype(np.float64)
                rows.write(block["row"].tobytes())
                tfs.write(block["tf"].tobytes())
                weights.write((idf * tf / (tf + norm[block["row"]])).astype("<f4").tobytes())


class _Numbers(dict[str, int]):
    """Terms, numbered as they are first asked for. Code points sort as their UTF-8 does."""

    def __missing__(self, term: str) -> int:
        self[term] = number = len(self)
        return number


def _term_blocks(ends: NDArray[np.int64]) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Yield `(first term, last term), first posting, last posting` of about `_BLOCK` postings."""
    first = start = 0
    while first < len(ends):
        last = max(first + 1, int(np.searchsorted(ends, start + _BLOCK, side="right")))
        end = int(ends[last - 1])
        yield (first, last), start, end
        first, start = last, end


def _idf(chunks: int, df: NDArray[np.float64] | np.float64) -> NDArray[np.float64] | np.float64:
    weight: NDArray[np.float64] = np.log1p((chunks - df + 0.5) / (df + 0.5))
    return weight


def _norms(lengths: NDArray[np.int32], k1: float, b: float) -> NDArray[np.float64]:
    mean = max(float(lengths.mean(dtype=np.float64)) if len(lengths) else 0.0, 1.0)
    norms: NDArray[np.float64] = k1 * (1 - b + b * lengths.astype(np.float64) / mean)
    return norms
