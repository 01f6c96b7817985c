"""Whether numbers and names are said of what the text says them of, not of each other's.

A number or name of a claim has neighbours. Where another number or name of the text stands among the
same neighbours, and its own stands among others, the claim has put it in the other's place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex

from rag import text
from rag.cite.facts.dates import undated
from rag.cite.facts.names import folded
from rag.cite.facts.numbers import numbers
from rag.cite.facts.words import COMMON, EMPTY
from rag.types import Span

_REACH = 4
"""Content words to either side that are looked at; the nearest count most."""
_TURNED = 0.3
"""What a neighbour on the other side counts for."""
_BETTER = 0.7
"""By how much another number must fit better, in neighbours at the nearest place."""
_EXCHANGED = 1.0
"""By how much two must fit better in each other's places."""
_MUTUAL = frozenset("meet met talk negoti agre marri sign border differ cooper discuss resembl".split())
"""Stems of what two do alike, whoever is named first."""
_JOINING = frozenset("and or the a an".split())
_PASSIVE = regex.compile(
    r"\b(?:is|are|was|were|be|been|being|got)\s+(?:\w+ly\s+)?\w+(?:ed|en|n|t|d)\s+by\b", regex.I
)
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}\p{N}]*|\d+")
_CLAUSE = regex.compile(r"[;.!?。！？]\s|\n")
_NAME = regex.compile(r"\p{Lu}[\p{L}\p{M}\p{N}]*(?:[ -]\p{Lu}[\p{L}\p{M}\p{N}]*)*")


@dataclass(frozen=True, slots=True)
class _Item:
    """A number or a name at its place, with its neighbours' weights by side and stem."""

    kind: str
    keys: frozenset[object]
    said: str
    near: Mapping[tuple[int, str], float]


def misplaced(claim: str, said: str, wanted: Sequence[str], language: str) -> Iterator[str]:
    """Yield the numbers, and those names among `wanted`, that stand in another's place."""
    if bool(_PASSIVE.search(claim)) != bool(_PASSIVE.search(said)):
        return
    known = {folded(name) for name in wanted}
    own, theirs = list(_items(claim, language)), list(_items(said, language))
    for item in own:
        if item.kind == "number" or item.keys & known:
            rivals = [each for each in theirs if each.kind == item.kind and not each.keys & item.keys]
            if any(_in_place_of(item, rival, own, theirs) for rival in rivals):
                yield item.said


def _in_place_of(item: _Item, rival: _Item, own: Sequence[_Item], theirs: Sequence[_Item]) -> bool:
    """Tell whether an item of a claim has taken the place that a rival has in the text."""
    gain = _likeness(item, rival) - _at_home(item, theirs)
    exchanged = [each for each in own if each.keys & rival.keys]
    if not exchanged:
        return item.kind == "number" and gain >= _BETTER and _same_next(item, rival)
    back = max(
        max((_likeness(each, other) for other in theirs if other.keys & item.keys), default=0.0)
        - _at_home(each, theirs)
        for each in exchanged
    )
    return gain + back >= _EXCHANGED and gain > 0


def _same_next(one: _Item, other: _Item) -> bool:
    """Tell whether both count the same: the word that follows is one."""
    return any(
        side == 1 and weight == other.near.get((side, stem)) == 1
        for (side, stem), weight in one.near.items()
    )


def _at_home(item: _Item, theirs: Sequence[_Item]) -> float:
    return max((_likeness(item, other) for other in theirs if other.keys & item.keys), default=0.0)


def _items(said: str, language: str) -> Iterator[_Item]:
    clauses = _clauses(said)
    for start, end in clauses:
        part = said[start:end]
        words = [(match.span(), match.group()) for match in _WORD.finditer(part)]
        stems = [(span, _stem(word, language)) for span, word in words]
        content = [(span, stem) for span, stem in stems if stem]
        counts = numbers(part, language)
        places = [number.span for number in counts]
        for number in counts:
            near = _near(number.span, content, places)
            yield _Item("number", frozenset(number.values), number.said, near)
        part = undated(part)
        small = [
            (span, stem or word.casefold())
            for (span, stem), (_, word) in zip(stems, words, strict=True)
            if word[0].islower() and stem not in _MUTUAL and word not in _JOINING
        ]
        for match in _NAME.finditer(part):
            keys = frozenset(folded(word) for word in match.group().replace("-", " ").split())
            keys -= COMMON
            if keys:
                yield _Item("name", keys, match.group(), _near(match.span(), small))


def _clauses(said: str) -> list[Span]:
    ends = [match.end() for match in _CLAUSE.finditer(said)]
    return list(zip([0, *ends], [*ends, len(said)], strict=True))


def _stem(word: str, language: str) -> str:
    """Return the stem of a word that says something by itself, or nothing."""
    found = [] if word.casefold() in EMPTY else text.content_stems(word, language)
    return found[0] if found else ""


def _near(
    span: Span, content: Sequence[tuple[Span, str]], bounds: Sequence[Span] = ()
) -> dict[tuple[int, str], float]:
    """Return the content words around a span, no further than the next of the bounds."""
    begin = max((end for _, end in bounds if end <= span[0]), default=0)
    stop = min(
        (start for start, _ in bounds if start >= span[1]),
        default=content[-1][0][1] + 1 if content else 0,
    )
    before = [stem for place, stem in content if begin <= place[0] and place[1] <= span[0]]
    after = [stem for place, stem in content if span[1] <= place[0] < stop]
    near: dict[tuple[int, str], float] = {}
    for side, stems in ((-1, before[::-1]), (1, after)):
        for distance, stem in enumerate(stems[:_REACH], 1):
            near.setdefault((side, stem), 1 / distance if bounds else distance**-0.5)
    return near


def _likeness(one: _Item, other: _Item) -> float:
    """Return how much of the neighbourhood two items share, each other left out."""
    own = {str(key) for key in (*one.keys, *other.keys)}
    total = 0.0
    for (side, stem), weight in one.near.items():
        if stem in own:
            continue
        same, turned = other.near.get((side, stem), 0.0), other.near.get((-side, stem), 0.0)
        total += min(weight, max(same, _TURNED * turned))
    return total
