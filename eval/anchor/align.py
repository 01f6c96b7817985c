"""The words of two texts laid beside each other: how alike they are, and what became of which.

Words are compared composed and as `rag.text.fold` leaves them, so neither case nor typographic
quotes part them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from unicodedata import normalize

import regex

from rag.text import fold
from rag.types import Span

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(
    rf"\d+(?:[.,]\d+)*[\w--[{_UNSPACED}]]*|[\w--[{_UNSPACED}]]+|[{_UNSPACED}]\p{{M}}*|[^\w\s]",
    regex.V1,
)
_IN_WORD = regex.compile(rf"(?<=[\w--[{_UNSPACED}]])(?=[\w--[{_UNSPACED}]])", regex.V1)
_IN_NUMBER = regex.compile(r"(?<=\d)(?=[.,]?\d)|(?<=\d[.,])(?=\d)")


@dataclass(frozen=True, slots=True)
class Words:
    """`tokens[i]` is the folded form of what stands at `spans[i]`; marks are tokens, too."""

    tokens: Sequence[str]
    spans: Sequence[Span]
    joined: str
    """Each token with a blank before and after it."""

    def span(self, places: Span) -> Span:
        """Return the characters from one token up to another."""
        return self.spans[places[0]][0], self.spans[places[1] - 1][1]


@lru_cache(maxsize=512)
def words(text: str) -> Words:
    """Return the words and marks of a text; a number with its separators is one word."""
    folded = fold(text)
    tokens: list[str] = []
    spans: list[Span] = []
    for match in _WORD.finditer(folded.text):
        tokens.append(normalize("NFC", match.group()))
        spans.append((folded.origin[match.start()], folded.origin[match.end() - 1] + 1))
    return Words(tokens, spans, f" {' '.join(tokens)} ")


def places(wording: str, text: str) -> list[Span]:
    """Return the token spans at which the words of `wording` stand in `text`, one after another."""
    wanted, held = words(wording), words(text).joined
    found: list[Span] = []
    at = held.find(wanted.joined) if wanted.tokens else -1
    while at >= 0:
        first = held.count(" ", 0, at)
        found.append((first, first + len(wanted.tokens)))
        at = held.find(wanted.joined, at + 1)
    return found


def stands(wording: str, text: str) -> bool:
    """Tell whether the words of `wording` stand in `text`, one after another."""
    return bool(places(wording, text))


def cuts(text: str, at: int) -> bool:
    """Tell whether `at` lies inside a word or a number of the text."""
    return _IN_WORD.match(text, at) is not None or cuts_number(text, at)


def cuts_number(text: str, at: int) -> bool:
    """Tell whether `at` lies between two digits of one number."""
    return _IN_NUMBER.match(text, at) is not None


def matched(old: Sequence[str], new: Sequence[str]) -> Span | None:
    """Return the token span of `new` from the first to the last token that matches one of `old`."""
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()[:-1]
    return (blocks[0].b, blocks[-1].b + blocks[-1].size) if blocks else None


def carried(old: Sequence[str], new: Sequence[str], span: Span, strict: bool = True) -> Span | None:
    """Return the token span of `new` that `old[span]` has become, or None if nothing is left of it.

    Where the span ends inside a stretch that was replaced by one of another length, its end cannot
    be told: None if `strict`, else all of that stretch.
    """
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    start = end = None
    for kind, i1, i2, j1, j2 in blocks:
        alike = kind == "equal" or (kind == "replace" and i2 - i1 == j2 - j1)
        if i1 <= span[0] < i2:
            known = alike or span[0] == i1 or not strict
            start = (j1 + span[0] - i1 if alike else j1) if known else None
        if i1 < span[1] <= i2:
            known = alike or span[1] == i2 or not strict
            end = (j1 + span[1] - i1 if alike else j2) if known else None
    return (start, end) if start is not None and end is not None and start < end else None
