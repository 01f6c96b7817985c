"""Numbers: another one, made up or from elsewhere in the passage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import regex

from eval.ground.corrupt.context import holds, is_new, said_elsewhere
from eval.ground.values import Edit, Stated

_SMALL = "two three four five six seven eight nine ten eleven twelve".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMERAL = "|".join([*_SMALL, *_TENS])
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBER = regex.compile(
    rf"""(?xi)
    (?<![\p{{L}}\p{{N}}.,/:–\-])
    (?<!\b(?:{_MONTHS}|and|hundred|no\.|number|level|volume)\ )
    (?:
      (?P<digits>\d{{1,3}}(?:,\d{{3}})+|\d+)(?P<part>\.\d+)?
      | (?P<word>(?:{_NUMERAL})(?:-(?:{"|".join(["one", *_SMALL[:8]])}))?)
    )
    (?![\p{{L}}\p{{N}}/:–\-])(?![.,]\d)
    (?!\ (?:{_MONTHS}|hundred|and\ a|of\ the\ |to\ \d|bc|ad|b\.c|a\.d|or|degrees|{_NUMERAL})\b)
    """
)
_TITLED = regex.compile(
    r"(?<=\S )(?!In |About |Over |Some )\p{Lu}[\p{L}.]+ $|^(?:Stage|Article|Chapter) $"
)
"""Before a number: it is part of a name."""
_AT_LEAST = regex.compile(
    r"(?i)\b(?:more than|at least|over|above|upwards of|no fewer than|exceed(?:s|ed|ing)?)\s+\$?$"
)
_AT_MOST = regex.compile(
    r"(?i)\b(?:fewer than|less than|at most|up to|under|below|nearly|almost|only|within|between|from)"
    r"\s+\$?$"
)
_ALIKE = 30
"""How many times as large a number may be that takes another's place, so that it is no nonsense."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number where it stands."""

    start: int
    end: int
    text: str
    value: float
    spelt: bool


def found(text: str) -> list[Number]:
    """Return the counts and measures of a text: no years, days, ranges or parts of names."""
    numbers = []
    for match in _NUMBER.finditer(text):
        said = match.group()
        if match["digits"] and "," not in said and match["part"] is None:
            if len(said) == 4 and 1000 <= int(said) <= 2100:
                continue
            if len(said) > 1 and said.startswith("0"):
                continue
        if not _TITLED.search(text[: match.start()]):
            spelt = bool(match["word"])
            numbers.append(Number(match.start(), match.end(), said, _value(said), spelt))
    return numbers


def other(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with a number that the passage does not hold."""
    for number in _usable(of):
        for _ in range(20):
            new = _changed(number, rng)
            if _truly_other(of, number, _value(new)) and not _told(of.passage, new):
                yield [Edit(number.start, number.end, new)]
                break


def nearby(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with another number of the passage in the place of theirs."""
    there = found(of.passage)
    rng.shuffle(there)
    for number in _usable(of):
        for each in there:
            edit = Edit(number.start, number.end, _cased(number.text, each.text))
            alike = ("." in each.text) == ("." in number.text) and each.value > 1
            alike &= each.value <= _ALIKE * number.value and number.value <= _ALIKE * each.value
            percent = of.claim[number.end :].lstrip(" -").startswith(("%", "percent", "per cent"))
            if (
                alike
                and not (percent and each.value > 100)
                and not holds(of.claim, each.text)
                and _truly_other(of, number, each.value)
                and not said_elsewhere(of, number.text, each.text)
                and is_new(of, [edit])
            ):
                yield [edit]


def _usable(of: Stated) -> list[Number]:
    return [each for each in found(of.claim) if not _AT_MOST.search(of.claim[: each.start])]


def _truly_other(of: Stated, number: Number, value: float) -> bool:
    """Tell whether a number is another, and not implied: more than 1,300 is more than 900 too."""
    if value == number.value:
        return False
    return value > number.value or not _AT_LEAST.search(of.claim[: number.start])


def _told(passage: str, new: str) -> bool:
    return any(each.value == _value(new) for each in found(passage)) or holds(passage, new)


def _changed(number: Number, rng: Random) -> str:
    """Return a number that is written alike: as many digits, or a word for a word."""
    if number.spelt:
        tens, _, ones = number.text.lower().partition("-")
        if ones:
            return _cased(number.text, f"{rng.choice(_TENS)}-{ones}")
        return _cased(number.text, rng.choice(_TENS if tens in _TENS else _SMALL))
    places = [at for at, char in enumerate(number.text) if char.isdigit()]
    at = rng.choice(places[:2])
    digit = rng.choice("123456789")
    return number.text[:at] + digit + number.text[at + 1 :]


def _cased(old: str, new: str) -> str:
    """Return a numeral with a capital where the old one has one."""
    return new.capitalize() if old[0].isupper() else new.lower()


def _value(said: str) -> float:
    if said[0].isdigit():
        return float(said.replace(",", ""))
    tens, _, ones = said.lower().partition("-")
    return float(_word(tens) + (_word(ones) if ones else 0))


def _word(said: str) -> int:
    if said == "one":
        return 1
    return _SMALL.index(said) + 2 if said in _SMALL else 10 * (_TENS.index(said) + 2)
