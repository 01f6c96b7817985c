"""What a claim puts in the place of a text's words, where both run alike to either side.

A claim that repeats a sentence but for a few words is laid beside it, word by word. A name in the
place of another name, a number in that of a number, a unit, a word of time, or a negation on one side
alone is no rewording.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import regex

from rag.cite.facts.denial import opposed
from rag.cite.facts.names import folded, lacking
from rag.cite.facts.numbers import numbers
from rag.cite.facts.units import unit_of
from rag.cite.facts.words import COMMON
from rag.text import stems

_ALIKE = 0.5
"""Share of the claim's words that must run alike."""
_FEW = 4
"""Words at most that stand in each other's place."""
_BESIDE = 3
"""Words beside them at least that both have."""
_WORD = regex.compile(r"(?:\p{L}\.){2,}|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’]\p{L}+)?(?:[.,]\p{N}+)*")
_NEGATION = frozenset(
    "not no never none nobody nothing neither nor without cannot nicht kein keine ne pas".split()
)
_AUXILIARY = frozenset(
    "do does did is are was were be been has have had will would can could may might shall should must "
    "any some with a an the even".split()
)


def put_in_place(claim: str, said: str, language: str) -> Iterator[str]:
    """Yield what stands in a claim where the text says something else, for people."""
    own, theirs = _WORD.findall(claim), _WORD.findall(said)
    matcher = SequenceMatcher(None, _keys(own, language), _keys(theirs, language), autojunk=False)
    codes = matcher.get_opcodes()
    alike = sum(end - start for tag, start, end, _, _ in codes if tag == "equal")
    if alike < _ALIKE * len(own):
        return
    for at, (tag, start, end, first, last) in enumerate(codes):
        around = [_length(codes[near]) for near in (at - 1, at + 1) if 0 <= near < len(codes)]
        if tag == "equal" or max(end - start, last - first) > _FEW or sum(around) < _BESIDE:
            continue
        if len(around) == 1 and tag != "replace":
            continue  # what one has before or after the other
        mine, yours = own[start:end], theirs[first:last]
        if _denied(mine) != _denied(yours) and _only_denial(mine, yours):
            yield "one denies what the other says"
        elif _exchanged(mine, yours, language):
            yield f"says {' '.join(mine)}, the text {' '.join(yours)}"


def _length(code: tuple[str, int, int, int, int]) -> int:
    tag, start, end, _, _ = code
    return end - start if tag == "equal" else 0


def _keys(words: Sequence[str], language: str) -> list[str]:
    found = []
    for word in words:
        stemmed = stems(word, language)
        found.append(" ".join(stemmed) if stemmed else folded(word))
    return found


def _denied(words: Sequence[str]) -> bool:
    return any(
        word.casefold() in _NEGATION or word.casefold().endswith(("n't", "n’t")) for word in words
    )


def _only_denial(mine: Sequence[str], yours: Sequence[str]) -> bool:
    known = _NEGATION | _AUXILIARY
    return all(word.casefold() in known or "n't" in word or "n’t" in word for word in (*mine, *yours))


def _exchanged(mine: Sequence[str], yours: Sequence[str], language: str) -> bool:
    own, theirs = " ".join(mine), " ".join(yours)
    counts, others = numbers(own, language), numbers(theirs, language)
    if counts and others:
        return not any(one.values & other.values for one in counts for other in others)
    if any(opposed(one, other) for one in mine for other in yours):
        return True
    one, two = ({unit_of(word) for word in words} - {None} for words in (mine, yours))
    if one and two:
        return one.isdisjoint(two)
    named, called = _named(mine), _named(yours)
    return bool(named and called) and len(lacking(named, theirs)) == len(named)


def _named(words: Sequence[str]) -> list[str]:
    return [word for word in words if word[0].isupper() and word.casefold() not in COMMON]
