"""Text → the terms that lexical search and overlap compare, by script and language.

Words are folded in case, width and accents and stemmed where a Snowball stemmer knows the
language; runs of scripts that put no blanks between words give pairs of characters. Beside these
stems the index holds two weaker kinds of evidence: the word itself where stemming changed it (for
unspaced scripts the single character), and pairs of neighbouring stems.
"""

import threading
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import regex

from rag.text.language import LANGUAGES, UNKNOWN

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々"
_TOKEN = regex.compile(
    rf"(?P<run>[{_UNSPACED}][{_UNSPACED}\p{{M}}]*)"
    rf"|(?P<word>[[\p{{L}}\p{{N}}_]--[{_UNSPACED}]][[\p{{L}}\p{{M}}\p{{N}}_]--[{_UNSPACED}]]*)",
    regex.V1,
)
_ASCII_TOKEN = regex.compile(r"[A-Za-z0-9_]+")
_POSSESSIVE = regex.compile(r"['’]s\b")
_MARKS = regex.compile(r"[\p{M}&&[\p{Inherited}\p{Arabic}\p{Hebrew}]]+", regex.V1)
"""Accents and points; the vowel signs of Indic scripts are no accents."""
_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
_OF_THREAD = threading.local()


SURFACE = 0.3
"""Weight of an unstemmed word beside its stem; with `PAIR`, tuned on SQuAD 2.0 dev paragraphs."""
PAIR = 0.15


@dataclass(frozen=True, slots=True)
class _Analysed:
    """`stems[i]` came from `surfaces[i]`; `runs` are those of unspaced scripts."""

    stems: list[str]
    surfaces: list[str]
    runs: list[str]

    def grams(self) -> list[str]:
        """Return the pairs of characters of the runs; a single character stands for itself."""
        return [run[at : at + 2] for run in self.runs for at in range(max(1, len(run) - 1))]

    def pairs(self) -> list[str]:
        """Return neighbouring stems, joined."""
        return [f"{one} {other}" for one, other in pairwise(self.stems)]


def stems(text: str, of: str = UNKNOWN) -> list[str]:
    """Return the stems of a text in a language, function words included."""
    found = _analysed(text, of)
    return found.stems + found.grams()


def content_stems(text: str, of: str = UNKNOWN, own: str = UNKNOWN) -> list[str]:
    """Return the stems of a text without the function words of that language, nor of its `own`."""
    found = _analysed(text, of)
    known = _function_words(of, own)
    spaced = zip(found.stems, found.surfaces, strict=True)
    return [stem for stem, word in spaced if word not in known] + found.grams()


def index_terms(text: str, of: str = UNKNOWN) -> tuple[list[str], int]:
    """Return all terms that a text is found by, and its length in stems."""
    found = _analysed(text, of)
    spaced = zip(found.stems, found.surfaces, strict=True)
    surfaces = [f"={word}" for stem, word in spaced if word != stem]
    singles = [f"={char}" for run in found.runs if len(run) > 1 for char in run]
    grams = found.grams()
    every = [*found.stems, *grams, *surfaces, *singles, *found.pairs()]
    return every, len(found.stems) + len(grams)


def query_terms(text: str, of: str = UNKNOWN, own: str = UNKNOWN) -> dict[str, float]:
    """Return the terms to search for and their weights; function words count only in pairs.

    `of` is the language of what is searched, `own` that of the question where it is another.
    """
    found = _analysed(text, of)
    known = _function_words(of, own)
    weights: defaultdict[str, float] = defaultdict(float)
    for stem, word in zip(found.stems, found.surfaces, strict=True):
        if word in known:
            continue
        weights[stem] += 1.0 if word != stem else 1.0 + SURFACE
        if word != stem:
            weights[f"={word}"] += SURFACE
    for gram in found.grams():
        weights[gram] += 1.0
    for run in found.runs:
        for char in run if len(run) > 1 else "":
            weights[f"={char}"] += SURFACE
    for pair in found.pairs():
        weights[pair] += PAIR
    return dict(weights)


def foreign_terms(text: str, of: str = UNKNOWN, own: str = UNKNOWN) -> dict[str, str]:
    """Return what finds each of a question's words, as it stands, in other languages, and its stem.

    There another stemmer may change a word that ours leaves alone, and leave one that ours changes.
    """
    found = _analysed(text, of)
    known = _function_words(of, own)
    spaced = zip(found.stems, found.surfaces, strict=True)
    return {f"={word}" if word == stem else word: stem for stem, word in spaced if word not in known}


def _function_words(*languages: str) -> frozenset[str]:
    return frozenset[str]().union(*(LANGUAGES.get(code, frozenset()) for code in languages))


def _analysed(text: str, of: str) -> _Analysed:
    spaced: list[str] = []
    runs: list[str] = []
    folded = _POSSESSIVE.sub("", _folded(text))
    if folded.isascii():  # no accents to strip, no unspaced script
        spaced = _ASCII_TOKEN.findall(folded)
        return _Analysed(_stemmed(spaced, of), spaced, [])
    for match in _TOKEN.finditer(folded):
        (runs if match["run"] else spaced).append(match.group())
    plain = [*map(_unaccented, spaced)]
    return _Analysed([*map(_unaccented, _stemmed(spaced, of))], plain, runs)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _unaccented(word: str) -> str:
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", word)))


def _stemmed(found: list[str], of: str) -> list[str]:
    name = _STEMMERS.get(of)
    if name is None:
        return found
    stemmed: list[str] = _stemmer(name).stemWords(found)
    return stemmed


def _stemmer(name: str) -> Any:
    """Return this thread's stemmer: one is not safe to share."""
    mine: dict[str, Any] = _OF_THREAD.__dict__.setdefault("stemmers", {})
    if name not in mine:
        import Stemmer

        mine[name] = Stemmer.Stemmer(name)
    return mine[name]
