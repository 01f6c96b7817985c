"""Questions and texts changed by a little, so that the text no longer answers.

They teach what questions written to mislead do: that being about the same thing is not enough.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import regex

from eval.reader.rows import Row
from rag import text
from rag.cite.facts.denial import PAIRS

_WORD = regex.compile(r"\p{L}+")
_NUMBER = regex.compile(r"\b\d[\d,.]*\b")
_NAME = regex.compile(r"(?<=[\p{Ll}\d,] )\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*")
"""Capitalised words that do not begin a sentence."""
_FORMS = (
    "won lost|win lose|gained lost|accepted rejected|allowed banned|allowed prevented|began ended|"
    "started stopped|opened closed|increased decreased|increase decrease|rose fell|raised lowered|"
    "supported opposed|included excluded|joined left|bought sold|before after|most least|best worst|"
    "largest smallest|highest lowest|longest shortest|oldest youngest|earliest latest|first second|"
    "inside outside|created destroyed|built destroyed|arrived departed|agreed disagreed|"
    "succeeded failed|encouraged discouraged|required forbidden|married divorced|born died"
)
_OPPOSED = [(*pair,) for pair in PAIRS] + [tuple(pair.split()) for pair in _FORMS.split("|")]
_AUXILIARY = regex.compile(
    r"\b(?:did|does|do|was|were|is|are|has|have|had|could|would|should)\b(?! not)", regex.I
)
_SUBJECT = regex.compile(r"^(?:what|who|which\s\w+)\s(?:is|was|were|are)\s(?=\p{Ll})", regex.I)
_DENIAL = regex.compile(r"\b(?:not|no|never|none|nor|neither|without)\b|n['’]t\b", regex.I)

_Pair = tuple["regex.Match[str]", list[str]]
"""A part of a question, and what can stand in its stead."""
Change = Callable[[Row, Sequence[str], np.random.Generator], str | None]


def misleading(row: Row, beside: Sequence[str], rng: np.random.Generator) -> str | None:
    """Return the question changed so that its text does not answer it, in a way that is drawn.

    None where that way does not fit it. `beside` are texts about like things, from which names and
    numbers may come.
    """
    way = _WAYS[int(rng.choice(len(_WAYS), p=_SHARES))]
    return way(row, beside, rng)


def without_answer(row: Row) -> str | None:
    """Return the text without the sentences that hold an accepted wording.

    None where little would be left.
    """
    kept = [said for said, answers in _told(row) if not answers]
    return " ".join(kept) if len(kept) >= 2 else None


def altered(row: Row, rng: np.random.Generator) -> str | None:
    """Return the text with one word or number that it shares with the question made another one.

    What is altered stands in the sentences of the answer, not in the answer. None where there is
    no such word.
    """
    shared = {match.group().casefold() for match in _WORD.finditer(row.question)}
    asked = set(_NUMBER.findall(row.question))
    found: list[tuple[int, int, str]] = []
    for start, end in text.sentences(row.context):
        if not (start < row.end and row.start < end):
            continue
        for match in _WORD.finditer(row.context, start, end):
            other = _opposite(match.group(), rng) if match.group().casefold() in shared else None
            if other and _is_outside(match, row):
                found.append((*match.span(), other))
        for match in _NUMBER.finditer(row.context, start, end):
            if match.group() in asked and _is_outside(match, row):
                found.append((*match.span(), _near(match.group(), rng)))
    if not found:
        return None
    start, end, other = found[int(rng.integers(len(found)))]
    return f"{row.context[:start]}{other}{row.context[end:]}"


def _renamed(row: Row, beside: Sequence[str], rng: np.random.Generator) -> str | None:
    """Put a number or name of another text in the stead of one that the text has."""
    pairs: list[_Pair] = []
    for pattern in (_NUMBER, _NAME):
        known = set(pattern.findall(row.context))
        new = sorted({name for each in beside for name in pattern.findall(each)} - known)
        new = [name for name in new if name not in row.context and name not in row.question]
        pairs += _alike([m for m in pattern.finditer(row.question) if m.group() in known], new)
    return _put(row.question, pairs, rng)


def _confused(row: Row, _: Sequence[str], rng: np.random.Generator) -> str | None:
    """Put a number or name from elsewhere in the text in the stead of one of the answer's sentence."""
    pairs: list[_Pair] = []
    near = " ".join(said for said, answers in _told(row) if answers)
    far = " ".join(said for said, answers in _told(row) if not answers)
    folded = [answer.casefold() for answer in row.answers]
    for pattern in (_NUMBER, _NAME):
        known = set(pattern.findall(near))
        new = sorted(set(pattern.findall(far)) - known)
        new = [name for name in new if name not in near and name not in row.question]
        new = [name for name in new if not any(name.casefold() in answer for answer in folded)]
        pairs += _alike([m for m in pattern.finditer(row.question) if m.group() in known], new)
    return _put(row.question, pairs, rng)


def _reversed(row: Row, _: Sequence[str], rng: np.random.Generator) -> str | None:
    """Put a word of opposite sense in the stead of one."""
    said = row.context.casefold()
    pairs = []
    for match in _WORD.finditer(row.question):
        other = _opposite(match.group(), rng)
        if other and match.group().casefold() in said and other.casefold() not in said:
            pairs.append((match, [other]))
    return _put(row.question, pairs, rng)


def _denied(row: Row, _: Sequence[str], rng: np.random.Generator) -> str | None:
    """Ask for the contrary, where neither the question nor the answer's sentence says no."""
    near = " ".join(said for said, answers in _told(row) if answers)
    if _DENIAL.search(row.question) or _DENIAL.search(near):
        return None
    found = [(match, [f"{match.group()}n't"]) for match in _AUXILIARY.finditer(row.question)]
    if plain := _SUBJECT.search(row.question):
        found.append((plain, [f"{plain.group()}not "]))
    return _put(row.question, found[-2:], rng)


_WAYS: Sequence[Change] = (_renamed, _confused, _reversed, _denied)
_SHARES = (0.28, 0.36, 0.26, 0.10)
"""How often each is tried; a denial fits almost every question, the others a fourth of them."""


def _told(row: Row) -> list[tuple[str, bool]]:
    """Return the text's sentences, each with whether it holds an accepted wording."""
    folded = [answer.casefold() for answer in row.answers]
    found = []
    for start, end in text.sentences(row.context):
        said = row.context[start:end]
        touched = start < row.end and row.start < end
        found.append((said, touched or any(answer in said.casefold() for answer in folded)))
    return found


def _alike(old: Sequence["regex.Match[str]"], new: Sequence[str]) -> Iterator[_Pair]:
    """Yield what is to be replaced with what can stand there: a number by one of its length."""
    for match in old:
        figure = match.group()[0].isdigit()
        fitting = [name for name in new if not figure or len(name) == len(match.group())]
        if fitting:
            yield match, fitting


def _put(question: str, pairs: Sequence[_Pair], rng: np.random.Generator) -> str | None:
    if not pairs:
        return None
    found, fitting = pairs[int(rng.integers(len(pairs)))]
    put = fitting[int(rng.integers(len(fitting)))]
    return f"{question[: found.start()]}{put}{question[found.end() :]}"


def _opposite(word: str, rng: np.random.Generator) -> str | None:
    """Return a word of opposite sense, capitalised alike."""
    folded = word.casefold()
    found = sorted({b if a == folded else a for a, b in _OPPOSED if folded in (a, b)})
    if not found:
        return None
    other = found[int(rng.integers(len(found)))]
    return other.capitalize() if word[0].isupper() else other


def _near(number: str, rng: np.random.Generator) -> str:
    """Return a number with one digit changed."""
    digits = [at for at, sign in enumerate(number) if sign.isdigit()]
    at = digits[int(rng.integers(len(digits)))]
    digit = (int(number[at]) + int(rng.integers(1, 9))) % 10
    return f"{number[:at]}{digit or 1 if at == 0 else digit}{number[at + 1 :]}"


def _is_outside(match: "regex.Match[str]", row: Row) -> bool:
    """Tell whether a part of the text lies outside the answer."""
    return bool(match.end() <= row.start or row.end <= match.start())
