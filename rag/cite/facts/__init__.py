"""What of a claim rules can check: numbers, units, dates, names, denial, and what goes with what."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import regex

from rag.cite.facts.aligned import put_in_place
from rag.cite.facts.binding import misplaced
from rag.cite.facts.dates import dates, undated
from rag.cite.facts.denial import denied_before, denies, opposites
from rag.cite.facts.names import lacking, names
from rag.cite.facts.numbers import Number, numbers
from rag.cite.facts.units import mentions, unit

__all__ = ["contradicted", "denied_before", "lacking_facts", "tells_facts", "values"]

_CODE = regex.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[^\s)\]]+[^\s)\].,;:]")
"""Addresses: their every character counts."""


def values(said: str, language: str) -> set[Decimal]:
    """Return what the numbers of a text may be worth."""
    return {value for number in numbers(said, language) for value in number.values}


def tells_facts(said: str, language: str) -> bool:
    """Tell whether a text holds a number or a name."""
    return bool(numbers(said, language)) or any(names(undated(said), "", language))


def lacking_facts(claim: str, said: str, language: str) -> Sequence[str]:
    """Return the numbers, dates and names of a claim that a text does not hold, for people."""
    return [
        *_numbers(claim, said, language),
        *_dates(claim, said),
        *(f"lacks {code}" for code in _CODE.findall(claim) if code.casefold() not in said.casefold()),
        *(f"lacks the name {name}" for name in lacking(_names(claim, said, language), said)),
    ]


def contradicted(claim: str, said: str, language: str) -> Sequence[str]:
    """Return what of a claim a text that lacks none of its facts says otherwise, for people."""
    found = [f"says {word}, the text the opposite" for word in opposites(claim, said, language)]
    if denies(claim, said, language):
        found.append("one denies what the other says")
    found += put_in_place(claim, said, language)
    elsewhere = misplaced(claim, said, _names(claim, said, language), language)
    return [*found, *(f"says {each} of something else" for each in elsewhere)]


def _names(claim: str, said: str, language: str) -> list[str]:
    return list(names(undated(claim), said, language))


def _numbers(claim: str, said: str, language: str) -> Iterator[str]:
    held = numbers(said, language)
    for number in numbers(claim, language):
        same = [other for other in held if other.values & number.values]
        counted = unit(claim, number)
        if not same and not _single(number, said):
            yield f"lacks the number {number.said}"
        elif counted and same and not _counts(counted, same, said):
            yield f"lacks {number.said} in {counted}"


def _single(number: Number, said: str) -> bool:
    """Tell whether a 1 of the claim is a bare "one" of the text."""
    return 1 in number.values and "one" in said.casefold().split()


def _counts(name: str, same: Sequence[Number], said: str) -> bool:
    """Tell whether a text has one of the numbers in the unit, or bare and the unit elsewhere."""
    units = {unit(said, number) for number in same}
    return name in units or (None in units and mentions(said, name))


def _dates(claim: str, said: str) -> Iterator[str]:
    held = dates(said)
    for date in dates(claim):
        if date.month is None and date.day is None:
            continue  # a year alone is a number
        if not any(date.fits(other) and other.month == date.month for other in held):
            yield f"lacks the date {claim[slice(*date.span)]}"
