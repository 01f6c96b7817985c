"""What a sentence tells that can be looked up: numbers, dates and names.

The rules are the metrics' own and know nothing of the checker: a number is looked up by value, a
name by its words, a date by all of its parts together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from eval.metrics.words import names, numbers, tokens

_MONTHS = (
    "january february march april may june july august september october november december".split()
)
_MONTH = "|".join([*_MONTHS, *(f"{month[:3]}\\.?" for month in _MONTHS), "sept\\.?"])
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>\d{4}))?(?!\w)"
_DATES = (
    regex.compile(rf"(?i)\b{_DAY}(?: of)? (?P<month>{_MONTH}){_YEAR}"),
    regex.compile(rf"(?i)\b(?P<month>{_MONTH}) {_DAY}{_YEAR}"),
    regex.compile(
        rf"(?i)(?<!\d(?:st|nd|rd|th)?(?: of)? )\b(?P<month>{_MONTH}),? (?P<year>\d{{4}})(?P<day>)(?!\w)"
    ),
    regex.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"),
)
_ITEM = regex.compile(r"^\s*(?:\d{1,3}[.)]|[-*•])\s+")
"""What numbers an item of a list and is no number of the sentence."""
_DEMONYM = ("n", "an", "ian", "ean", "ern", "s", "i")
"""What makes of a name what is of it: Belarus, Belarusian; the West, Western."""


@dataclass(frozen=True, slots=True)
class Date:
    """A day, a month or both with a year, as far as told; 0 where it is not."""

    year: int
    month: int
    day: int

    def tells(self, other: "Date") -> bool:
        """Tell whether this date holds all that the other one tells."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(theirs in (0, ours) for ours, theirs in pairs)


def dates(text: str) -> set[Date]:
    """Return the dates of a text that name a month; a bare year is a number."""
    found = set()
    for form in _DATES:
        for match in form.finditer(text):
            month = match["month"]
            number = int(month) if month.isdigit() else _month(month)
            found.add(Date(int(match["year"] or 0), number, int(match["day"] or 0)))
    return found


def untold(sentence: str, quotes: Sequence[str], common: frozenset[str] = frozenset()) -> list[str]:
    """Return the sentence's numbers, dates and names that no quote holds; empty where all are held.

    `common` are words that are written small elsewhere: with a capital at the beginning of a
    sentence they are no names.
    """
    sentence = _ITEM.sub("", sentence)
    quoted = "\n\n".join(quotes)
    held = set(tokens(quoted))
    lacking = [f"number {each}" for each in sorted(numbers(sentence) - held)]
    known = dates(quoted)
    lacking += [
        f"date {each.year or '–'}-{each.month}-{each.day or '–'}"
        for each in sorted(dates(sentence), key=lambda date: (date.year, date.month, date.day))
        if not any(one.tells(each) for one in known)
    ]
    wanted = names(sentence) - held - common
    return lacking + [f"name {each}" for each in sorted(wanted) if not _of_stock(each, held)]


def _month(said: str) -> int:
    return next(at for at, month in enumerate(_MONTHS, 1) if month[:3] == said[:3].lower())


def _of_stock(name: str, held: set[str]) -> bool:
    """Tell whether the quotes hold a name's adjective, or the name of its adjective."""
    return any(
        name == each + ending or each == name + ending
        for each in held
        if len(each) > 3
        for ending in _DEMONYM
    )
