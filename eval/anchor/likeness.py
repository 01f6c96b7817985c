"""What is most like a quote in a text that no longer holds it, and what it has lost.

Likeness is twice the longest common subsequence of words over the words of both. Of the sentences
of SQuAD's dev paragraphs the one in twenty that has the nearest neighbour in its own paragraph is
.37 like it, and none is `LIKE` it; of the shipped seeds' one in twenty is .53, and four of 140 are
twins of more than `LIKE` ("In 2008, …", "In 2015, …"). One changed word in six gives .83.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import regex
from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq

from eval.anchor.align import carried, matched, places, words
from eval.anchor.context import common, is_whole
from eval.gold import Evidence
from rag.text import sentences
from rag.types import Span

LIKE = 0.6
"""Likeness below which a stretch is another text, not the quote edited."""
_WINDOW = 3
"""Neighbouring sentences that may have become of one, and the other way round."""
_LEAST = 3
"""Words that a part of a sentence needs to be looked for without knowing what stood around it."""
_LIST_MARK = regex.compile(r"(?:[-*+•>|]|\d{1,3}[.)]|#{1,6})\s+")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_OTHER = "hundred thousand million billion dozen half first second third once twice".split()
_NUMBER = regex.compile(
    rf"(?<= )(?:(?P<tens>{'|'.join(_TENS)})(?: (?:- )?(?P<unit>{'|'.join(_SMALL[1:10])}))?"
    rf"|(?P<small>{'|'.join(_SMALL)})|(?P<digits>\d\S*)|(?P<other>{'|'.join(_OTHER)}))(?= )"
)
_SEPARATOR = regex.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DENIALS = frozenset("not no never none nobody nothing neither nor without cannot".split())


@dataclass(frozen=True, slots=True)
class Like:
    """A stretch of a text and how like the quote it is, 0..1; 1 if only its spelling differs."""

    span: Span
    likeness: float


@dataclass(frozen=True, slots=True)
class _Windows:
    """Neighbouring sentences: their places, and their words as one character each."""

    spans: Sequence[Span]
    codes: Sequence[str]
    known: Mapping[str, str]

    def encoded(self, tokens: Sequence[str]) -> str:
        return "".join(self.known.get(token, "\0") for token in tokens)


def most_like(row: Evidence, quote: str, text: str) -> Like | None:
    """Return the stretch of a text that is most like a quote, or None below `LIKE`.

    Whole sentences are compared with one to `_WINDOW` sentences. A part of a sentence is found
    through what stood around it: what now stands between is its place.
    """
    find = _sentences_like if is_whole(row, quote) else _part_like
    return _respelled(row, quote, text) or find(row, quote, text)


def _respelled(row: Evidence, quote: str, text: str) -> Like | None:
    """Return where the quote stands but for white space, case, quotes and Unicode form."""
    held = words(text)
    spans = [held.span(place) for place in places(quote, text)]
    return Like(min(spans, key=_distance(row, text)), 1.0) if spans else None


def _sentences_like(row: Evidence, quote: str, text: str) -> Like | None:
    windows = _windows(text, max(_WINDOW, len(sentences(quote)) + 1))
    code = windows.encoded(words(quote).tokens)
    found = process.extract(
        code, windows.codes, scorer=Indel.normalized_similarity, score_cutoff=LIKE, limit=None
    )
    best = [windows.spans[at] for _, score, at in found if score == found[0][1]]
    return Like(min(best, key=_distance(row, text)), found[0][1]) if found else None


def _part_like(row: Evidence, quote: str, text: str) -> Like | None:
    """Find a part of a sentence: its likeness is the share of all known words that are there."""
    known, part = _with_context(row, quote)
    alone = part == (0, len(known))
    if alone and len(known) < _LEAST:
        return None
    windows = _windows(text, _WINDOW)
    found = process.extract(
        windows.encoded(known),
        windows.codes,
        scorer=LCSseq.similarity,
        score_cutoff=ceil(LIKE * len(known)),
        limit=None,
    )
    if not found:
        return None
    most = found[0][1]
    best = [windows.spans[at] for _, score, at in found if score == most]
    window = min(best, key=lambda span: (span[1] - span[0], abs(span[0] - (row.start or 0))))
    now = words(text[slice(*window)])
    laid = matched(known, now.tokens) if alone else carried(known, now.tokens, part, False)
    if laid is None:
        return None
    start, end = now.span(laid)
    return Like((window[0] + start, window[0] + end), most / len(known))


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
    bounds = [_unmarked(text, span) for span in sentences(text)]
    spans, codes = [], []
    for first, (start, _) in enumerate(bounds):
        for _, end in bounds[first : first + most]:
            spans.append((start, end))
            codes.append(code[bisect_left(starts, start) : bisect_left(starts, end)])
    return _Windows(spans, codes, known)


def _unmarked(text: str, span: Span) -> Span:
    mark = _LIST_MARK.match(text, *span)
    return (mark.end() if mark else span[0]), span[1]


def _distance(row: Evidence, text: str) -> Callable[[Span], tuple[int, int]]:
    """Order spans by how much of the surroundings they keep, then by how near they are."""

    def distance(span: Span) -> tuple[int, int]:
        return -sum(common(row, text, span)), abs(span[0] - (row.start or 0))

    return distance
