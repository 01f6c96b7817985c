"""Numbers of a text by value, and the units they stand with.

"1,300", "thirteen hundred" and "1.3 thousand" are one number. A sign that may group or part decimals
is read as the language has it, or both ways.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext

import regex

from rag.types import Span

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES: dict[str, int] = {
    **{word: value for value, word in enumerate(_UNITS)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
}
_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "m": 10**6, "mn": 10**6, "bn": 10**9, "millionen": 10**6, "milliarden": 10**9, "mio": 10**6,
    "mrd": 10**9, "millones": 10**6, "millón": 10**6, "millions": 10**6, "milliards": 10**9,
    "milioni": 10**6, "miliardi": 10**9, "milhões": 10**6, "тысяч": 10**3, "тысячи": 10**3,
    "миллионов": 10**6, "млн": 10**6, "млрд": 10**9, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8,
}  # fmt: skip
_ORDINALS: dict[str, int] = {
    **dict(
        zip(
            "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(),
            range(3, 13),
            strict=True,
        )
    ),
    "twentieth": 20, "dozen": 12, "thirds": 3, "quarters": 4,
}  # fmt: skip
_ELSEWHERE = {
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze",
    "it": "due tre quattro cinque sei sette otto nove dieci undici dodici",
    "pt": "dois três quatro cinco seis sete oito nove dez onze doze",
    "nl": "twee drie vier vijf zes zeven acht negen tien elf twaalf",
    "ru": "два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать",
}
"""From two to twelve; what a text in another language writes out beyond that is compared as words."""
_DIGITS_OF_HAN = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"两": 2, "兩": 2}
_HAN = regex.compile(
    r"(?<![〇一二三四五六七八九两兩十百千])[〇一二三四五六七八九两兩十百千]++(?=[万萬亿億]?[个個名人年月日岁歲次家国國天%])"
)
_WORDS = "|".join([*_VALUES, "hundred", "thousand", "[mb]illion", "trillion"])
_SPELT = regex.compile(rf"\b(?:{_WORDS})(?:(?:[-\s]|\sand\s)(?:{_WORDS}))*+\b", regex.I)
_FIGURE = regex.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*")
_AFTER = regex.compile(
    rf"[\s-]?({'|'.join(sorted((s for s in _SCALES if s.isalpha()), key=len, reverse=True))})"
    r"(?:(?<=\p{Han})|(?!\p{L}))",
    regex.I,
)
_EXACT = Context(prec=100_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Python's own context rounds to 28 digits, and takes no number of a million."""
_GROUPED = regex.compile(r"\d{1,3}([.,'’\u00a0\u202f])\d{3}(?:\1\d{3})*(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a text: what it may be worth, and where it stands."""

    values: frozenset[Decimal]
    span: Span
    said: str


def numbers(text: str, language: str) -> list[Number]:
    """Return the numbers of a text in order; a bare "one" and "a" are none."""
    with localcontext(_EXACT):
        found = [*_figures(text, language), *_spelt(text), *_elsewhere(text, language), *_han(text)]
    return sorted(found, key=lambda number: number.span)


def lowered(word: str) -> str:
    """Return a word as a table has it that a pattern without case found it by: İ passes for i there."""
    return word.replace("İ", "i").casefold()


def _figures(text: str, language: str) -> Iterator[Number]:
    for match in _FIGURE.finditer(text):
        readings = _readings(match.group(), language)
        if not readings:
            for part in regex.finditer(r"\d+", match.group()):
                start = match.start() + part.start()
                value = Decimal(part.group()).normalize()
                yield Number(frozenset([value]), (start, start + len(part.group())), part.group())
            continue
        after = _AFTER.match(text, match.end())
        end = match.end()
        if after and (
            len(after[1]) > 1 or after[1] in "万萬亿億" or after[1].isupper() or after.end() - end == 1
        ):
            scale = _SCALES[lowered(after[1])]
            readings, end = [value * scale for value in readings], after.end()
        yield Number(frozenset(readings), (match.start(), end), text[match.start() : end])


def _readings(figure: str, language: str) -> list[Decimal]:
    """Return what a figure may be worth: "1,234" groups in English, and parts decimals in German.

    None where it is several figures, such as a date's.
    """
    signs = [char for char in figure if not char.isdigit()]
    found = []
    if _GROUPED.fullmatch(figure) and not (len(signs) == 1 and signs[0] == _decimal_sign(language)):
        found.append(figure.replace(signs[0], "").replace(",", "."))
    if len(signs) == 1 and signs[0] in ".," and (not found or _decimal_sign(language) is None):
        found.append(figure.replace(",", "."))
    if not signs:
        found.append(figure)
    return [Decimal(each).normalize() for each in found]


def _decimal_sign(language: str) -> str | None:
    """Return what parts decimals in a language; None where both signs do."""
    if language in _ELSEWHERE:
        return ","
    return "." if language in ("en", "zh", "ja", "ko") else None


def _spelt(text: str) -> Iterator[Number]:
    for match in _SPELT.finditer(text):
        said = regex.split(r"[-\s]+", lowered(match.group()))
        scaled = said[0] in _SCALES and regex.search(r"\d[\s-]?$", text[: match.start()])
        if said == ["one"] or scaled:
            continue
        for value in _spoken(said):
            yield Number(frozenset([value]), match.span(), match.group())
    for match in regex.finditer(rf"\b(?:{'|'.join(_ORDINALS)})\b", text, regex.I):
        value = Decimal(_ORDINALS[lowered(match.group())])
        yield Number(frozenset([value.normalize()]), match.span(), match.group())


def _spoken(said: Sequence[str]) -> Iterator[Decimal]:
    """Yield the values of number words: "two hundred and five" is one, "two and five" are two."""
    total = group = 0
    before = ""
    for word in said:
        if word == "and":
            before = before if before in _SCALES else "and"
            continue
        value = _VALUES.get(word)
        if value is None:
            if word == "hundred":
                group = (group or 1) * 100
            else:
                total, group = total + (group or 1) * _SCALES[word], 0
        elif _goes_on(before, value):
            group += value
        else:
            yield Decimal(total + group).normalize()
            total, group = 0, value
        before = word
    yield Decimal(total + group).normalize()


def _goes_on(before: str, value: int) -> bool:
    """Tell whether a numeral goes on with a value: anything after a hundred, a unit after a ten."""
    return not before or before in _SCALES or (before in _TENS and 0 < value < 10)


def _elsewhere(text: str, language: str) -> Iterator[Number]:
    if language in _ELSEWHERE:
        known = {word: n for n, word in enumerate(_ELSEWHERE[language].split(), 2)}
        for match in regex.finditer(rf"\b(?:{'|'.join(known)})\b", text, regex.I):
            value = Decimal(known[lowered(match.group())])
            yield Number(frozenset([value]), match.span(), match.group())


def _han(text: str) -> Iterator[Number]:
    for match in _HAN.finditer(text):
        total = digit = 0
        for char in match.group():
            if char in _DIGITS_OF_HAN:
                digit = _DIGITS_OF_HAN[char]
            else:
                total, digit = total + (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char], 0
        yield Number(frozenset([Decimal(total + digit).normalize()]), match.span(), match.group())
