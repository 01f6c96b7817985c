"""Dates: another year, month or day, made up or from elsewhere in the passage."""

from collections.abc import Iterator, Sequence
from random import Random

import regex

from eval.ground.corrupt.context import holds, is_new, said_elsewhere
from eval.ground.values import Edit, Stated

MONTHS = "January February March April May June July August September October November December".split()
_MONTH = "|".join(MONTHS)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_BEFORE_YEAR = f"in|of|until|since|during|early|late|year|from|to|and|the|{_MONTH}|\\d,"
_PARTS = {
    "year": regex.compile(
        rf"(?i)(?<=\b(?:{_BEFORE_YEAR}) )(?:1[0-9]{{3}}|20[0-2][0-9])"
        r"(?![\p{L}\p{N}–\-]|,\d| (?:\p{Ll}+s|to)\b)"
        r"|(?<=\bthe )(?:1[0-9]{3}|20[0-2][0-9])(?= \p{L})"
    ),
    "month": regex.compile(
        rf"(?<!\p{{L}})(?:{_MONTH})(?= \d|,| of|\.)|(?<=\d(?:st|nd|rd|th)? (?:of )?)(?:{_MONTH})\b"
    ),
    "day": regex.compile(
        rf"(?<![\p{{N}}–,.-])\d{{1,2}}(?=(?:st|nd|rd|th)? (?:of )?(?:{_MONTH})\b)"
        rf"|(?<=\b(?:{_MONTH}) )\d{{1,2}}(?=\b(?![–,.-]\d))"
    ),
    "weekday": regex.compile(rf"\b(?:{'|'.join(_DAYS)})\b"),
    "century": regex.compile(r"\b\d{1,2}(?:st|nd|rd|th)(?=(?: |-)centur(?:y|ies))"),
}
_OPEN = regex.compile(
    r"(?i)\b(?:before|after|by|until|since|from|between)(?: (?:the|early|late|\p{L}+|\d+,?)){0,3} $"
)
"""Before a date that bounds a time: what holds of one bound may hold of another."""


def other(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with a year, month or day that the passage does not hold."""
    for part, match in _found(of.claim, rng):
        if _OPEN.search(of.claim[: match.start()]):
            continue
        for _ in range(20):
            new = _changed(part, match.group(), rng)
            edit = Edit.of(match, new)
            if new != match.group() and not holds(of.passage, new) and is_new(of, [edit]):
                yield [edit]
                break


def nearby(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with the same part of another date of the passage."""
    for part, match in _found(of.claim, rng):
        if _OPEN.search(of.claim[: match.start()]):
            continue
        there = sorted({each.group() for each in _PARTS[part].finditer(of.passage)})
        rng.shuffle(there)
        for new in there:
            edit = Edit.of(match, new)
            if (
                new.casefold() != match.group().casefold()
                and not holds(of.claim, new)
                and not said_elsewhere(of, match.group(), new)
                and is_new(of, [edit])
            ):
                yield [edit]


def years(claim: str) -> list[regex.Match[str]]:
    """Return the years of a claim."""
    return list(_PARTS["year"].finditer(claim))


def _found(claim: str, rng: Random) -> list[tuple[str, "regex.Match[str]"]]:
    found = [(part, match) for part, form in _PARTS.items() for match in form.finditer(claim)]
    rng.shuffle(found)
    return found


def _changed(part: str, old: str, rng: Random) -> str:
    if part == "year":
        return str(min(2029, int(old) + rng.choice([-30, -10, -7, -4, -3, -2, -1, 1, 2, 3, 4, 7, 10])))
    if part == "month":
        return rng.choice(MONTHS)
    if part == "weekday":
        return rng.choice(_DAYS)
    if part == "century":
        return rng.choice([f"{number}th" for number in range(4, 21)])
    return str(rng.randint(2, 28))
