"""Text as the metrics compare it: SQuAD's tokens, tokens with numbers by value, names."""

import string
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import regex

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_UNSEEN = regex.compile(r"\p{Cf}+")
_DASHES = str.maketrans("‐−", "--")
_ARTICLE = regex.compile(r"\b(?:a|an|the)\b")
_PIECE = regex.compile(rf"[{_UNSPACED}]\p{{M}}*|[^\s{_UNSPACED}]+")
_TOKEN = regex.compile(
    rf"""
    (?P<number>(?:(?<=\s|^)-)?\d+(?:[.,]\d+)*)(?:st|nd|rd|th)?(?![\w--[{_UNSPACED}]])
  | (?P<initials>\b(?:\p{{L}}\.){{2,}})
  | [{_UNSPACED}]\p{{M}}*
  | [\w--[{_UNSPACED}]]+
    """,
    regex.V1 | regex.VERBOSE,
)
_THOUSANDS = regex.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_DECIMAL = regex.compile(r"(-?\d+)[.,](\d{1,2}|\d{4,})")
_ARTICLES = frozenset(("a", "an", "the"))
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_UNITS = {word: value for value, word in enumerate(_SMALL)}
_UNITS |= {word: 10 * value for value, word in enumerate(_TENS, 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMERAL = "|".join([*_UNITS, "hundred", *_SCALES])
_PHRASE = regex.compile(
    rf"\b(?:{_NUMERAL}|\d+(?:[.,]\d+)*(?= (?:{'|'.join(_SCALES)})\b))"
    rf"(?:(?:-| and | )(?:{_NUMERAL}))*+\b"
)
"""Numerals with nothing but blanks and hyphens between them."""
_NAME = regex.compile(r"(?<=[\p{L}\p{N},;:)] )\p{Lu}[\w.'’-]*|\p{Lu}[\w'’-]*(?: \p{Lu}[\w'’-]*)+")
_INITIAL = frozenset(
    "a an the in on at of for from to by with and but or if when while as this that these those it "
    "its he she they we i you his her their our there here what who how why where which not no after "
    "before since during until over under most many some all both each every more less".split()
)
"""Words that begin a sentence with a capital and are no names."""


def squad_tokens(text: str) -> list[str]:
    """Return the tokens that SQuAD 2.0 scores: lower case, without ASCII punctuation and articles.

    Rajpurkar et al. 2018, official evaluation script. Scripts that put no blanks between words are
    cut into characters, as Lewis et al. 2020 (MLQA) do; the official script leaves them whole.
    """
    bare = _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION))
    return [match.group() for match in _PIECE.finditer(bare)]


def tokens(text: str) -> list[str]:
    """Return folded words without articles and marks; numbers by value, in digits.

    "Thirty-seven", "37" and "37.0" are one token, and so are "1,300" and "thirteen hundred".
    """
    return ["1" if token == "one" else token for token in _tokens(text)]


def numbers(text: str) -> set[str]:
    """Return the numbers of a text by value; a bare "one" is no number."""
    return {token for token in _tokens(text) if any(char.isdigit() for char in token)}


def names(text: str) -> set[str]:
    """Return the folded words of what looks like a name: capitals inside a sentence, or in a row.

    That holds for languages that write names alone with capitals. Where there are none there are
    no names.
    """
    found = {token for match in _NAME.finditer(text) for token in tokens(match.group())}
    return {token for token in found - _INITIAL if len(token) > 1 and not token[0].isdigit()}


def contains(text: Sequence[str], wording: Sequence[str]) -> bool:
    """Tell whether the tokens of a wording stand in a text's, one after another."""
    return bool(wording) and f" {' '.join(wording)} " in f" {' '.join(text)} "


@lru_cache(maxsize=4096)
def _tokens(text: str) -> Sequence[str]:
    folded = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).translate(_DASHES).casefold()
    found = []
    for match in _TOKEN.finditer(_PHRASE.sub(_in_digits, folded)):
        said = match.group()
        if match["number"]:
            said = _canonical(match["number"])
        elif match["initials"]:
            said = said.replace(".", "")
        if said not in _ARTICLES:
            found.append(said)
    return found


def _canonical(digits: str) -> str:
    """Return "1300" for "1,300", "3.5" for "3,50"; "1.300" could be either and stays."""
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    decimal = _DECIMAL.fullmatch(digits)
    return f"{decimal[1]}.{decimal[2]}".rstrip("0").rstrip(".") if decimal else digits


def _in_digits(match: regex.Match[str]) -> str:
    """Return English numerals in digits: "two hundred and five" is one, "two and five" are two."""
    said = regex.split("[ -]", match.group())
    if said == ["one"]:
        return "one"
    found, at = [], 0
    while at < len(said):
        value, end = _numeral(said, at)
        found.append(said[at] if value is None else f"{value:f}")
        at = end
    return " ".join(found)


def _numeral(said: Sequence[str], at: int) -> tuple[Decimal | None, int]:
    """Return the value of the numeral that begins at a word, if one does, and where it ends."""
    group, total = _leading(said[at]), Decimal(0)
    if group is None:
        return None, at + 1
    at += 1
    while at < len(said):
        word, before = said[at], said[at - 1]
        if word == "and" and before in ("hundred", *_SCALES):
            at += 1
            continue
        if word == "hundred" and 0 < group < 100:
            group *= 100
        elif word in _SCALES and group:
            total, group = total + group * _SCALES[word], Decimal(0)
        elif word in _UNITS and _goes_on(group, _UNITS[word], before):
            group += _UNITS[word]
        else:
            break
        at += 1
    return total + group, at


def _leading(word: str) -> Decimal | None:
    if word in _UNITS:
        return Decimal(_UNITS[word])
    digits = _canonical(word)
    return (
        Decimal(digits) if digits[0].isdigit() and digits.count(".") < 2 and "," not in digits else None
    )


def _goes_on(group: Decimal, value: int, before: str) -> bool:
    """Tell whether a numeral goes on with `value`: a unit after a ten, anything after a hundred."""
    if before in ("hundred", "and", *_SCALES):
        return value > 0
    return before in _TENS and 0 < value < 10
