"""Two things of one kind change places: names, years or numbers."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random

import regex

from eval.ground.corrupt import dates, names, numbers
from eval.ground.corrupt.context import is_new
from eval.ground.values import Edit, Stated
from rag.types import Span

_SYMMETRIC = regex.compile(
    r"""(?xi)\b(?:and|or|with|between|both|borders?|bordering|meet|met|near|versus|vs|like|alongside
    |joined|relations?|separat\w+|married|allied|alliance|agree\w*|differ\w*|similar|together|along
    |equal\w*|including|such\ as|called|known|also|among)\b|[,;/&–]|^\s*$"""
)
"""Between two names: what is said of them may be true both ways."""
_MEETING = regex.compile(
    r"(?i)\b(?:between|relations?|border|treaty|alliance|talks|dialogue|rapprochement|both|meet\w*|met)\b"
)
"""Anywhere: two who meet may be told in either order."""
_RANGE = regex.compile(
    r"(?i)^[\s\p{P}]*(?:(?:to|and|or|of|out|by|x|in|per|once|more|again|also|then|both)[\s\p{P}]*)*$"
)
"""Between two figures: a range or a list, or what makes no sense the other way round."""


def swapped(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims in which two names, years or numbers have changed places."""
    choices = [*_names(of.claim), *_figures(of.claim)]
    rng.shuffle(choices)
    for one, other in choices:
        edits = _exchange(of.claim, one, other)
        if of.claim[slice(*one)] != of.claim[slice(*other)] and is_new(of, edits):
            yield edits


def _names(claim: str) -> Iterator[tuple[Span, Span]]:
    if _MEETING.search(claim):
        return
    for (kind, one), (other_kind, other) in combinations(names.found(claim), 2):
        first, second = sorted((one.span(), other.span()))
        if kind == other_kind and not _SYMMETRIC.search(claim[first[1] : second[0]]):
            yield first, second


def _figures(claim: str) -> Iterator[tuple[Span, Span]]:
    spans = [[match.span() for match in dates.years(claim)]]
    there = numbers.found(claim)
    spans += [[(n.start, n.end) for n in there if n.spelt == spelt] for spelt in (True, False)]
    for each in spans:
        for one, other in combinations(each, 2):
            if not _RANGE.match(claim[one[1] : other[0]]):
                yield one, other


def _exchange(claim: str, one: Span, other: Span) -> list[Edit]:
    first, second = claim[slice(*one)], claim[slice(*other)]
    if one[0] == 0 and second[0].isalpha():
        second = second[0].upper() + second[1:]
    return [Edit(*one, second), Edit(*other, first)]
