"""Days and months of a text, whatever way round they are written."""

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from rag.cite.facts.numbers import lowered
from rag.types import Span

_NAMES = (
    "january januar enero janvier gennaio janeiro januari января январь jan",
    "february februar febrero février febbraio fevereiro februari февраля февраль feb",
    "march märz marzo mars março maart марта март mar",
    "april abril avril aprile апреля апрель apr",
    "may mai mayo maggio maio mei мая май",
    "june juni junio juin giugno junho июня июнь jun",
    "july juli julio juillet luglio julho июля июль jul",
    "august agosto août augustus августа август aug",
    "september septiembre septembre settembre setembro сентября сентябрь sept sep",
    "october oktober octubre octobre ottobre outubro октября октябрь oct",
    "november noviembre novembre novembro ноября ноябрь nov",
    "december dezember diciembre décembre dicembre dezembro декабря декабрь dec",
)
_MONTHS = {name: n for n, names in enumerate(_NAMES, 1) for name in names.split()}
_NAMED = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.|er)?"
_YEAR = r"(?P<year>[12]\d{3})"
_MONTH = rf"(?P<month>{_NAMED})\b\.?"
_FORMS = [
    regex.compile(form, regex.I)
    for form in (
        rf"\b{_DAY}(?:\s+of|\s+de)?\s+{_MONTH}(?:(?:,|\s+of|\s+de)?\s+{_YEAR}\b)?",
        rf"\b{_MONTH}\s+{_DAY}(?![\d%]|\s?(?:percent|per cent))\b(?:,?\s+{_YEAR}\b)?",
        r"\b(?P<year>[12]\d{3})-(?P<month>[01]\d)-(?P<day>[0-3]\d)\b",
        r"(?P<year>[12]\d{3})年(?:(?P<month>[01]?\d)月)?(?:(?P<day>[0-3]?\d)日)?",
        r"(?P<month>[01]?\d)月(?:(?P<day>[0-3]?\d)日)?",
        rf"\b{_MONTH}(?:(?:,|\s+of|\s+de)?\s+{_YEAR}\b)?",
    )
]
_SURE = regex.compile(r"\p{Lu}")
_VERBS = frozenset({"may", "march", "mar", "mars", "mei", "mai", "dec", "sep"})
"""Months that are other words in small letters."""


@dataclass(frozen=True, slots=True)
class Date:
    """A month with what stands beside it."""

    month: int | None
    day: int | None
    year: int | None
    span: Span

    def fits(self, other: "Date") -> bool:
        """Tell whether both may be one date: what both name is the same."""
        pairs = ((self.month, other.month), (self.day, other.day), (self.year, other.year))
        return all(one is None or two is None or one == two for one, two in pairs)


def dates(text: str) -> list[Date]:
    """Return the dates of a text in order."""
    found: list[Date] = []
    for form in _FORMS:
        for date in _matched(form, text):
            if not any(date.span[0] < old.span[1] and old.span[0] < date.span[1] for old in found):
                found.append(date)
    return sorted(found, key=lambda date: date.span)


def undated(text: str) -> str:
    """Return the text with blanks where its dates stand, every other character at its place."""
    out = list(text)
    for date in dates(text):
        start, end = date.span
        out[start:end] = " " * (end - start)
    return "".join(out)


def _matched(form: "regex.Pattern[str]", text: str) -> Iterator[Date]:
    for match in form.finditer(text):
        parts = {"day": None, "month": None, "year": None} | match.groupdict()
        month = parts["month"]
        if month and not month.isdigit():
            if month in _VERBS and parts["day"] is None and parts["year"] is None:
                continue
            month = str(_MONTHS[lowered(month)])
        number = _int(month)
        if number is not None and not 1 <= number <= 12:
            continue
        yield Date(number, _int(parts["day"]), _int(parts["year"]), match.span())


def _int(digits: str | None) -> int | None:
    return int(digits) if digits else None
