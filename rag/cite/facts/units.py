"""What a number counts: the units that an answer may mix up."""

from collections.abc import Mapping

import regex

from rag.cite.facts.numbers import Number

_UNITS: Mapping[str, str] = {
    "percentage points": "percentage points?",
    "percent": r"percent|per cent|%|prozent|por ciento|pour cent|per cento|por cento|процент\p{L}*",
    "dollars": r"(?:us )?dollars?|usd|\$",
    "euros": r"euros?|eur|€",
    "pounds": r"pounds?|gbp|£|lbs?",
    "rubles": r"rou?bles?|rub|₽",
    "yen": r"yen|jpy|¥",
    "kilometres": r"kilomet(?:er|re)s?|km",
    "metres": r"met(?:er|re)s?|m",
    "centimetres": r"centimet(?:er|re)s?|cm",
    "millimetres": r"millimet(?:er|re)s?|mm",
    "miles": r"miles?",
    "feet": r"feet|foot|ft",
    "inches": r"inch(?:es)?",
    "yards": r"yards?",
    "kilograms": r"kilo(?:gram)?s?|kg",
    "grams": r"grams?|g",
    "tonnes": r"ton(?:ne)?s?",
    "litres": r"lit(?:er|re)s?",
    "barrels": r"barrels?",
    "gallons": r"gallons?",
    "hectares": r"hectares?|ha",
    "acres": r"acres?",
    "seconds": r"seconds",
    "minutes": r"minutes?|min",
    "hours": r"hours?|h",
    "days": r"days?",
    "weeks": r"weeks?",
    "months": r"months?",
    "years": r"years?",
    "decades": r"decades?",
    "centuries": r"centur(?:y|ies)",
    "celsius": r"°\s?c|degrees celsius",
    "fahrenheit": r"°\s?f|degrees fahrenheit",
    "watts": r"watts?|w",
    "kilowatts": r"kilowatts?|kw",
    "megawatts": r"megawatts?|mw",
    "bytes": r"bytes?",
    "megabytes": r"megabytes?|mb",
    "gigabytes": r"gigabytes?|gb",
}
_AFTER = regex.compile(
    r"[\s-]{0,2}(?:"
    + "|".join(rf"(?P<u{n}>{form})" for n, form in enumerate(_UNITS.values()))
    + r")(?!\p{L})",
    regex.I,
)
_BEFORE = {"$": "dollars", "€": "euros", "£": "pounds", "₽": "rubles", "¥": "yen"}
_NAMES = list(_UNITS)


def unit(text: str, number: Number) -> str | None:
    """Return the unit that a number of a text stands with, if it is a known one."""
    before = text[: number.span[0]].rstrip()[-1:]
    if before in _BEFORE:
        return _BEFORE[before]
    match = _AFTER.match(text, number.span[1])
    if match is None or match.lastgroup is None:
        return None
    return _NAMES[int(match.lastgroup[1:])]


def unit_of(word: str) -> str | None:
    """Return the unit that a word of three letters or more names."""
    if len(word) < 3:
        return None
    found = (name for name, form in _UNITS.items() if regex.fullmatch(form, word, regex.I))
    return next(found, None)


def mentions(text: str, name: str) -> bool:
    """Tell whether a unit is named anywhere in a text."""
    return bool(regex.search(rf"(?<!\p{{L}})(?:{_UNITS[name]})(?!\p{{L}})", text, regex.I))
