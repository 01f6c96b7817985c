"""Names of a text: words with a capital that no place in the sentence gives them."""

import unicodedata
from collections.abc import Collection, Iterator

import regex

from rag import text
from rag.cite.facts.words import COMMON, PLACES
from rag.text.language import LANGUAGES

_WORD = regex.compile(r"(?:\p{L}\.){2,}|\p{L}[\p{L}\p{M}\p{N}]*(?:['’]\p{L}{2,})*")
_AFTER = regex.compile(r"[ -]\p{Lu}")
_BEFORE = regex.compile(r"(\p{Lu}[\p{L}\p{M}.]*)[ -]$")
_BEGINS = regex.compile(r"(?:^|[.!?:;…。]|[\"“„«‘(\[]|\n\s*[-*•>#]*)\s*[\"“„«‘'(\[*_]*$")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that are no others with accents, and are written as these."""
_ENDS = ("", "s", "n", "an", "ian", "ans", "ians", "ese", "ish", "i", "is", "er", "ers", "en", "ns")
"""What a name may have more or less where people or things are called after it."""
_COMMON_ENDS = tuple("s ly tion ment ness ity sion ism ence ing ed wards".split())
"""How words end that are rarely names, but for countries and peoples."""
_ALWAYS_CAPITAL = frozenset({"de"})
"""Languages that write every noun with a capital, so that a single one tells nothing."""


def names(claim: str, evidence: str, language: str) -> Iterator[str]:
    """Yield the words of a claim that are names, as they stand there.

    What begins a sentence is one too in a row of capitals or in capitals alone; a lone word there is
    one only if it is sure to be. Months and a bare "I" are left to others.
    """
    small = {folded(word) for word in _WORD.findall(evidence) if word[:1].islower()}
    small |= set(text.stems(" ".join(small), language))
    known = LANGUAGES.get(language, frozenset()) | LANGUAGES["en"] | COMMON
    for match in _WORD.finditer(claim):
        said = match.group()
        if not said[0].isupper() or len(said.rstrip(".")) < 2:
            continue
        alone = not (_row(claim, match, known) or said.replace(".", "").isupper())
        begins = match.start() == 0 or bool(_BEGINS.search(claim, 0, match.start()))
        if begins and (
            _is_common(said, small | known, language) or (alone and _may_be_common(said, language))
        ):
            continue
        if alone and language in _ALWAYS_CAPITAL:
            continue
        yield said


def _is_common(said: str, known: Collection[str], language: str) -> bool:
    forms = (said.casefold(), folded(said), *text.stems(said, language))
    return any(form in known for form in forms)


def _may_be_common(said: str, claim: str) -> bool:
    """Tell whether a lone word that begins a sentence is not sure to be a name.

    It is one where it names a country or people, or is written so inside the claim as well.
    """
    if folded(said) in PLACES or regex.search(rf"(?<=\p{{L}} ){said}\b", claim):
        return False
    return said.casefold().endswith(_COMMON_ENDS)


def lacking(found: list[str], evidence: str) -> list[str]:
    """Return those names that a text has in no form: inflected, called after, or as initials."""
    words = [match.group() for match in _WORD.finditer(evidence)]
    held = {folded(word) for word in words}
    capitals = [word for word in words if word[0].isupper()]
    initials = {
        "".join(w[0] for w in capitals[at : at + n])
        for n in (2, 3, 4, 5)
        for at in range(len(capitals))
    }
    short = {word.replace(".", "") for word in words if word.replace(".", "").isupper()}
    own = [each[0] for each in found if not each.replace(".", "").isupper()]
    runs = {"".join(own[at : at + n]) for n in (2, 3, 4, 5) for at in range(len(own))}
    spelt = "".join(runs & short)
    return [
        name
        for name in found
        if not (_held(folded(name), held) or name[0] in spelt or _abbreviates(name, initials))
    ]


def folded(word: str) -> str:
    """Return a word without case, accents, points and possessive."""
    bare = regex.sub(r"['’]s$", "", word).replace(".", "")
    plain = unicodedata.normalize("NFD", bare.casefold().translate(_LETTERS))
    return "".join(char for char in plain if not unicodedata.combining(char))


def _held(name: str, held: set[str]) -> bool:
    return name in held or any(_akin(name, other) for other in held)


def _akin(one: str, other: str) -> bool:
    """Tell whether one is called after the other: Belarus, Belarusians; but not Niger, Nigeria."""
    short, long = sorted((one, other), key=len)
    for stem in (short, short.rstrip("aeosyn")):
        if len(stem) >= 4 and long.startswith(stem) and long[len(stem) :] in _ENDS:
            return True
    return False


def _abbreviates(name: str, initials: set[str]) -> bool:
    bare = name.replace(".", "")
    return bare.isupper() and bare in initials


def _row(claim: str, match: "regex.Match[str]", known: Collection[str]) -> bool:
    """Tell whether another capitalised word stands right beside a word."""
    before = _BEFORE.search(claim, 0, match.start())
    return bool(_AFTER.match(claim, match.end()) or (before and before[1].casefold() not in known))
