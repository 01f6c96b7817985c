"""What is most like a quote in a text that no longer holds it.

Likeness is twice the longest common subsequence of words over the words of both. Of the sentences
of SQuAD's dev paragraphs the one in twenty that has the nearest neighbour in its own paragraph is
.37 like it, and none is `LIKE` it; of the shipped seeds' one in twenty is .53, and four of 140 are
twins of more than `LIKE` ("In 2008, …", "In 2015, …"). One changed word in six gives .83.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq

from eval.anchor.align import carried, matched, places, words
from eval.anchor.context import common, in_place, is_whole
from eval.anchor.sentence import sentence_digest, sentence_digests, unmarked
from eval.gold import Evidence
from rag.text import sentences
from rag.types import Span

LIKE = 0.6
"""Likeness below which a stretch is another text, not the quote edited."""
_WINDOW = 3
"""Neighbouring sentences that may have become of one, and the other way round."""
_LEAST = 3
"""Words that a part of a sentence needs to be looked for without knowing what stood around it."""


@dataclass(frozen=True, slots=True)
class Like:
    """A stretch of a text and how like the quote it is, 0..1; 1 if only its spelling differs."""

    span: Span
    likeness: float


@dataclass(frozen=True, slots=True)
class _Windows:
    """Neighbouring sentences: their places, their words as one character each, their digests."""

    spans: Sequence[Span]
    codes: Sequence[str]
    digests: Sequence[frozenset[str]]
    known: Mapping[str, str]

    def encoded(self, tokens: Sequence[str]) -> str:
        return "".join(self.known.get(token, "\0") for token in tokens)


Found = Iterator[tuple[Like, frozenset[str]]]
"""What is like a quote, best first, each with the digests of the sentences that it lies in."""


def most_like(row: Evidence, quote: str, text: str, others: Collection[str] = ()) -> Like | None:
    """Return the stretch of a text that is most like a quote, or None below `LIKE`.

    Whole sentences are compared with one to `_WINDOW` sentences. A part of a sentence is found
    through what stood around it: what now stands between is its place. A sentence of `others`, by
    digest, is none of these, unless it stands where the quote stood.
    """
    respelled = _respelled(row, quote, text)
    if respelled is not None:
        return respelled
    others = frozenset(others).difference(sentence_digests(quote))
    find = _sentences_like if is_whole(row, quote) else _part_like
    for like, digests in find(row, quote, text):
        if others.isdisjoint(digests) or in_place(row, text, like.span):
            return like
    return None


def _respelled(row: Evidence, quote: str, text: str) -> Like | None:
    """Return where the quote stands but for white space, case, quotes and Unicode form."""
    held = words(text)
    spans = [held.span(place) for place in places(quote, text)]
    return Like(min(spans, key=_distance(row, text)), 1.0) if spans else None


def _sentences_like(row: Evidence, quote: str, text: str) -> Found:
    windows = _windows(text, max(_WINDOW, len(sentences(quote)) + 1))
    code = windows.encoded(words(quote).tokens)
    found = process.extract(
        code, windows.codes, scorer=Indel.normalized_similarity, score_cutoff=LIKE, limit=None
    )
    distance = _distance(row, text)
    for _, score, at in sorted(found, key=lambda each: (-each[1], distance(windows.spans[each[2]]))):
        yield Like(windows.spans[at], score), windows.digests[at]


def _part_like(row: Evidence, quote: str, text: str) -> Found:
    """Find a part of a sentence: its likeness is the share of all known words that are there."""
    known, part = _with_context(row, quote)
    alone = part == (0, len(known))
    if alone and len(known) < _LEAST:
        return
    windows = _windows(text, _WINDOW)
    found = process.extract(
        windows.encoded(known),
        windows.codes,
        scorer=LCSseq.similarity,
        score_cutoff=ceil(LIKE * len(known)),
        limit=None,
    )

    def order(each: tuple[str, float, int]) -> tuple[float, int, int]:
        start, end = windows.spans[each[2]]
        return -each[1], end - start, abs(start - (row.start or 0))

    for _, score, at in sorted(found, key=order):
        begin, end = windows.spans[at]
        now = words(text[begin:end])
        laid = matched(known, now.tokens) if alone else carried(known, now.tokens, part, False)
        if laid is None:
            return
        first, last = now.span(laid)
        yield Like((begin + first, begin + last), score / len(known)), windows.digests[at]


def _with_context(row: Evidence, quote: str) -> tuple[Sequence[str], Span]:
    """Return the words of the quote and what stood around it, and which of them are the quote's."""
    known = words(row.prefix + quote + row.suffix)
    first, last = len(row.prefix), len(row.prefix + quote)
    own = [at for at, (start, end) in enumerate(known.spans) if start < last and end > first]
    return known.tokens, (own[0], own[-1] + 1) if own else (0, 0)


@lru_cache(maxsize=64)
def _windows(text: str, most: int) -> _Windows:
    """Return each run of one to `most` neighbouring sentences, without the mark of a list."""
    held = words(text)
    known = {token: chr(1 + at) for at, token in enumerate(dict.fromkeys(held.tokens))}
    code = "".join(known[token] for token in held.tokens)
    starts = [start for start, _ in held.spans]
    bounds = sentences(text)
    named = [sentence_digest(text[slice(*span)]) for span in bounds]
    spans, codes, digests = [], [], []
    for first, span in enumerate(bounds):
        start, _ = unmarked(text, span)
        for last, (_, end) in enumerate(bounds[first : first + most], first):
            spans.append((start, end))
            codes.append(code[bisect_left(starts, start) : bisect_left(starts, end)])
            digests.append(frozenset(named[first : last + 1]))
    return _Windows(spans, codes, digests, known)


def _distance(row: Evidence, text: str) -> Callable[[Span], tuple[int, int]]:
    """Order spans by how much of the surroundings they keep, then by how near they are."""

    def distance(span: Span) -> tuple[int, int]:
        return -sum(common(row, text, span)), abs(span[0] - (row.start or 0))

    return distance
