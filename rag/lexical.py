"""BM25 over chunks: postings that are written once, mapped from disk, and carried over cheaply.

The idf is Lucene's, ln(1 + (N - df + 0.5) / (df + 0.5)), and so is tf / (tf + k1 (1 - b + b len /
avg)); Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond".
Each posting's weight is computed when the index is built, so a query only adds them up.

A term is known by 64 bits of its hash: no vocabulary is held in memory, however large it grows,
and keys spread evenly, so postings are sorted on disk one even part after the other.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.types import Rows, Scores

POSTING = np.dtype([("key", "<u8"), ("row", "<i4"), ("tf", "<i4")])
ARRAYS: Mapping[str, str] = {
    "term_keys.bin": "<u8",
    "term_bounds.bin": "<f4",
    "posting_ends.bin": "<i8",
    "posting_rows.bin": "<i4",
    "posting_tfs.bin": "<u2",
    "posting_weights.bin": "<f4",
    "lengths.bin": "<i4",
}
"""The index's arrays on disk and their types."""

_LONG = 1 / 64
"""Share of all chunks from which a term's postings are worth looking whether we can do without."""
_MANY = 1 / 8
"""Share of all chunks from which it is faster to look at all than to know which have a score."""
_FEW = 4096
"""Chunks in which terms are looked up faster than their postings are added up."""
_SMALL = 1 << 15
"""Chunks that are looked at faster than it is known which have a score."""
_SLACK = 1e-4
"""What sums of the same weights in another order may differ by."""
_LEAST = 1e-30
_MOST = 65_535
"""Times that a term is counted in a chunk."""
_BLOCK = 1 << 20
"""Postings that are held in memory at a time while building."""


@dataclass(frozen=True, slots=True)
class Lexical:
    """An inverted index. Term `t` has the postings from `ends[t-1]` to `ends[t]`, rows rising."""

    term_keys: NDArray[np.uint64]
    term_bounds: NDArray[np.float32]
    """The greatest weight among each term's postings."""
    posting_ends: NDArray[np.int64]
    posting_rows: NDArray[np.int32]
    posting_tfs: NDArray[np.uint16]
    posting_weights: NDArray[np.float32]
    lengths: NDArray[np.int32]

    def top(self, weights: Mapping[str, float], k: int, allowed: Rows | None = None) -> Rows:
        """Return the `k` rows, best first, of the highest BM25 scores above 0, ties by row.

        Once no chunk without the terms that are still to come can be among the best, these are only
        looked up in the chunks that can (MaxScore; Turtle and Flood 1995, "Query Evaluation:
        Strategies and Optimizations").
        """
        places = self.places(weights)
        rows = self._candidates(places, k) if allowed is None else allowed
        scores = self._totals(places, rows)
        rows, scores = rows[scores > 0], scores[scores > 0]
        if len(rows) > k:
            least = np.partition(scores, len(scores) - k)[len(scores) - k]
            rows, scores = rows[scores >= least], scores[scores >= least]
        return rows[np.lexsort((rows, -scores))[:k]]

    def scores(self, weights: Mapping[str, float], rows: Rows) -> Scores:
        """Return the BM25 score of each of `rows` for weighted terms, shape (len(rows),)."""
        return self._totals(self.places(weights), rows)

    def _totals(self, places: Mapping[int, float], rows: Rows) -> Scores:
        total = np.zeros(len(rows), np.float32)
        sought = rows.astype(np.int32)
        for place, weight in sorted(places.items()):
            start, end = self._postings(place)
            held = self.posting_rows[start:end]
            at = np.minimum(held.searchsorted(sought), end - start - 1)
            found = held[at] == sought
            total[found] += self.posting_weights[start:end][at[found]] * np.float32(weight)
        return total

    def most(self, weights: Mapping[str, float]) -> float:
        """Return what no chunk's score for weighted terms exceeds; an unknown term is the rarest."""
        return float(self.idf(self.df(weights)) @ np.array([*weights.values()]))

    def _candidates(self, places: Mapping[int, float], k: int) -> Rows:
        """Return rows, rising, among which are those of the `k` highest scores."""
        known = [(float(self.term_bounds[at]) * weight, at, weight) for at, weight in places.items()]
        known.sort(reverse=True)
        total = np.zeros(len(self.lengths), np.float32)
        rest = sum(bound for bound, _, _ in known)
        alive: Rows | None = np.empty(0, np.intp) if len(total) > _SMALL else None
        is_open = True
        for bound, place, weight in known:
            start, end = self._postings(place)
            if end - start > max(_LONG * len(total), _FEW):
                least = _kth(total if alive is None else total[alive], k) - _SLACK
                if rest < least:
                    alive, is_open = _at_least(total, alive, least - rest), False
                    if len(alive) <= _FEW:
                        return np.sort(alive)
            rows = self.posting_rows[start:end].astype(np.intp)
            scores = total[rows]
            if is_open and alive is not None:
                alive = np.concatenate([alive, rows[scores == 0]])
                alive = None if len(alive) > _MANY * len(total) else alive
            total[rows] = scores + self.posting_weights[start:end] * np.float32(weight)
            rest -= bound
        least = _kth(total if alive is None else total[alive], k) - _SLACK
        return np.sort(_at_least(total, alive, max(least, _LEAST)))

    def places(self, weights: Mapping[str, float]) -> dict[int, float]:
        """Return weights by the terms' places, of the terms that there are."""
        found = dict(zip(self._places(weights).tolist(), weights.values(), strict=True))
        found.pop(-1, None)
        return found

    def weights(self, first: int, last: int) -> Iterator[dict[int, float]]:
        """Yield for each of the rows from `first` to `last` its terms' places and BM25 weights."""
        at = np.flatnonzero((self.posting_rows >= first) & (self.posting_rows < last))
        places = self.posting_ends.searchsorted(at, side="right")
        rows, weights = self.posting_rows[at], self.posting_weights[at]
        order = np.argsort(rows, kind="stable")
        cuts = rows[order].searchsorted(np.arange(first, last + 1))
        for start, end in pairwise(cuts.tolist()):
            some = order[start:end]
            yield dict(zip(places[some].tolist(), weights[some].tolist(), strict=True))

    def df(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return how many chunks hold each of the terms."""
        places = self._places(terms)
        held = [end - start for start, end in map(self._postings, places.tolist())]
        return np.array(held, np.int64)

    def idf(self, df: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how rare terms are that so many chunks hold; one that none holds is the rarest."""
        return _idf(len(self.lengths), df.astype(np.float64))

    def _places(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return which of the index's terms each is, or -1."""
        sought = np.array([*map(key, terms)], np.uint64)
        if len(self.term_keys) == 0:
            return np.full(len(sought), -1, np.int64)
        at = np.minimum(self.term_keys.searchsorted(sought), len(self.term_keys) - 1)
        return np.where(self.term_keys[at] == sought, at, -1)

    def _postings(self, place: int) -> tuple[int, int]:
        """Return from where to where the postings of a term stand; nothing for place -1."""
        if place < 0:
            return 0, 0
        return int(self.posting_ends[place - 1]) if place else 0, int(self.posting_ends[place])


def _at_least(total: Scores, rows: Rows | None, least: float) -> Rows:
    """Return those of `rows`, or of all, whose total is at least that."""
    return np.flatnonzero(total >= least) if rows is None else rows[total[rows] >= least]


def _kth(scores: Scores, k: int) -> float:
    """Return the `k`-th highest of scores above 0, or 0 where they are fewer."""
    highest = float(scores.max(initial=0))
    for share in (0.5, 0.25, 0.0):
        some = scores[scores > share * highest]
        if len(some) >= k:
            return float(np.partition(some, len(some) - k)[len(some) - k])
    return 0.0


@lru_cache(maxsize=1 << 16)
def key(term: str) -> int:
    """Return the 64 bits that a term is known by, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")


_Part = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32], NDArray[np.uint16]]
"""Keys, rising, how many postings each has, and their rows and counts."""
_NONE: _Part = (
    np.empty(0, np.uint64),
    np.empty(0, np.int64),
    np.empty(0, np.int32),
    np.empty(0, np.uint16),
)


class LexicalBuilder:
    """Collects postings in sorted runs on disk and merges them, in bounded memory."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._spool = scratch.open("wb")
        self._runs: list[tuple[int, int]] = []
        self._old: tuple[Lexical, NDArray[np.int32]] | None = None
        self._written = 0
        self._pending = array("Q"), array("i"), array("i")
        self._lengths: list[tuple[Rows, NDArray[np.int32]]] = []
        self._rows = array("q")
        self._sizes = array("i")

    def add(self, row: int, terms: Sequence[str], length: int) -> None:
        """Take in a new chunk; `length` is what the correction for length goes by."""
        counts = Counter(terms)
        keys, rows, tfs = self._pending
        keys.extend(map(key, counts))
        rows.extend([row] * len(counts))
        tfs.extend(counts.values())
        self._rows.append(row)
        self._sizes.append(length)
        if len(keys) >= _BLOCK:
            self._flush()

    def reuse(self, old: Lexical, new_rows: Rows) -> None:
        """Take over the chunks of another index; `new_rows[old row]` is the new row, or -1.

        The new rows rise with the old ones.
        """
        kept = new_rows >= 0
        self._old = old, new_rows.astype(np.int32)
        self._lengths.append((new_rows[kept], old.lengths[kept]))

    def write(self, folder: Path, chunks: int, k1: float, b: float) -> None:
        """Write the arrays of `ARRAYS` into `folder`: the same chunks, the same bytes."""
        self._flush()
        self.close()
        lengths: NDArray[np.int32] = np.zeros(chunks, np.int32)
        lengths[np.array(self._rows, np.int64)] = self._sizes
        for moved, known in self._lengths:
            lengths[moved] = known
        norms = _norms(lengths, k1, b)
        out = {name: (folder / name).open("wb") for name in ARRAYS}
        out["lengths.bin"].write(lengths.astype("<i4").tobytes())
        total = 0
        for keys, sizes, rows, tfs in self._parts():
            idf = np.repeat(_idf(chunks, sizes.astype(np.float64)), sizes)
            tf = tfs.astype(np.float64)
            weights = idf * tf / (tf + norms[rows])
            first = np.cumsum(sizes) - sizes
            out["term_keys.bin"].write(keys.tobytes())
            out["term_bounds.bin"].write(np.maximum.reduceat(weights, first).astype("<f4").tobytes())
            out["posting_ends.bin"].write((total + np.cumsum(sizes, dtype="<i8")).tobytes())
            out["posting_rows.bin"].write(rows.astype("<i4").tobytes())
            out["posting_tfs.bin"].write(tfs.astype("<u2").tobytes())
            out["posting_weights.bin"].write(weights.astype("<f4").tobytes())
            total += len(rows)
        for file in out.values():
            file.close()
        self._scratch.unlink()

    def close(self) -> None:
        """Let go of the scratch file."""
        self._spool.close()

    def _flush(self) -> None:
        run = np.empty(len(self._pending[0]), POSTING)
        for name, values in zip(("key", "row", "tf"), self._pending, strict=True):
            run[name] = np.asarray(values)
            del values[:]
        run["tf"] = np.minimum(run["tf"], _MOST)
        self._write(run[np.argsort(run["key"], kind="stable")])

    def _write(self, run: NDArray[np.void]) -> None:
        """Append a run that is sorted by key."""
        if len(run):
            self._spool.write(run.tobytes())
            self._runs.append((self._written, self._written + len(run)))
            self._written += len(run)

    def _parts(self) -> Iterator[_Part]:
        """Yield all postings by key and row, in parts that hold every posting of their keys."""
        old = self._old[0] if self._old else None
        size = self._written + (len(old.posting_rows) if old else 0)
        postings = np.memmap(self._scratch, POSTING, "r") if self._written else np.empty(0, POSTING)
        runs = [postings[start:end] for start, end in self._runs]
        count = -(-size // _BLOCK)
        bounds = [(number << 64) // count for number in range(count)]
        cuts = [[*(_first_at(run, bound) for bound in bounds), len(run)] for run in runs]
        for number in range(count):
            pieces = [
                self._read(start + cut[number], start + cut[number + 1])
                for (start, _), cut in zip(self._runs, cuts, strict=True)
            ]
            fresh = np.concatenate([np.empty(0, POSTING), *pieces])
            fresh = fresh[np.lexsort((fresh["row"], fresh["key"]))]
            high = bounds[number + 1] if number + 1 < count else 1 << 64
            part = _merged(self._carried(bounds[number], high), fresh)
            if len(part[0]):
                yield part

    def _carried(self, low: int, high: int) -> _Part:
        """Return the other index's postings of the keys from `low` to below `high`."""
        if self._old is None:
            return _NONE
        old, moved = self._old
        keys = old.term_keys
        first = int(keys.searchsorted(np.uint64(low)))
        last = int(keys.searchsorted(np.uint64(high))) if high < 1 << 64 else len(keys)
        start = int(old.posting_ends[first - 1]) if first else 0
        end = int(old.posting_ends[last - 1]) if last else 0
        rows, tfs = moved[old.posting_rows[start:end]], old.posting_tfs[start:end]
        kept = rows >= 0
        if kept.all():
            return keys[first:last], np.diff(old.posting_ends[first:last], prepend=start), rows, tfs
        counted = np.concatenate([[0], np.cumsum(kept)])
        sizes = np.diff(counted[old.posting_ends[first:last] - start], prepend=0)
        some = sizes > 0
        return keys[first:last][some], sizes[some], rows[kept], tfs[kept]

    def _read(self, start: int, end: int) -> NDArray[np.void]:
        size = POSTING.itemsize
        return np.fromfile(self._scratch, POSTING, end - start, offset=start * size)


def _first_at(run: NDArray[np.void], bound: int) -> int:
    """Return where the keys reach a bound; numpy's own search would copy all keys into memory."""
    return bisect_left(range(len(run)), bound, key=lambda at: int(run[at]["key"]))


def _merged(part: _Part, fresh: NDArray[np.void]) -> _Part:
    """Return postings with others, sorted by key and row, put in at their places."""
    keys, sizes, rows, tfs = part
    if len(fresh) == 0:
        return part
    new, firsts, counts = np.unique(fresh["key"], return_index=True, return_counts=True)
    at = keys.searchsorted(new)
    known = np.append(keys, np.uint64(0))[at] == new
    known &= at < len(keys)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    places = np.repeat(starts[at], counts)
    for term in np.flatnonzero(known).tolist():
        first, last = int(firsts[term]), int(firsts[term] + counts[term])
        held = rows[starts[at[term]] : starts[at[term] + 1]]
        places[first:last] += held.searchsorted(fresh["row"][first:last])
    sizes = sizes.copy()
    sizes[at[known]] += counts[known]
    return (
        np.insert(keys, at[~known], new[~known]),
        np.insert(sizes, at[~known], counts[~known]),
        np.insert(rows, places, fresh["row"]),
        np.insert(tfs, places, fresh["tf"]),
    )


def _idf(chunks: int, df: NDArray[np.float64]) -> NDArray[np.float64]:
    weight: NDArray[np.float64] = np.log1p((chunks - df + 0.5) / (df + 0.5))
    return weight


def _norms(lengths: NDArray[np.int32], k1: float, b: float) -> NDArray[np.float64]:
    mean = max(float(lengths.mean(dtype=np.float64)) if len(lengths) else 0.0, 1.0)
    norms: NDArray[np.float64] = k1 * (1 - b + b * lengths.astype(np.float64) / mean)
    return norms
