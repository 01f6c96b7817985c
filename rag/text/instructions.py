"""Sentences that speak to whoever answers instead of about a matter: orders, and hidden text.

Found by wording, so others will get through. What is found is marked and never dropped from a text.
"""

from collections.abc import Sequence
from functools import cache, lru_cache

import regex

from rag.text.forms import FORMS
from rag.text.sentences import sentences
from rag.types import Span

_HIDDEN = regex.compile(
    r"(?<!\U0001f3f4[\U000e0020-\U000e007e]{0,6})[\U000e0001-\U000e007f]{2,}"  # but for flags
    r"|[\u200b\u2060\ufeff]{3,}"
    r"|(?:[\p{L}\p{N}][\u200b\u2060\ufeff]){4,}"
    r"|[\u202d\u202e]"  # overrides of direction; embeddings and isolates are of use
)
_UNSEEN = frozenset("\u200b\u2060\ufeff\u202d\u202e")
_CLAUSE = regex.compile(
    r"(?:^|[\n.!?:;,>*#\"'“„«»(\[{|`—–-]\s{0,3}|\b(?:please|now|then|and|must|should|shall)\s+)$",
    regex.IGNORECASE,
)
_NEAR = 16
"""Characters before a verb that tell whether a clause begins there."""


@lru_cache(maxsize=4096)
def instructions(text: str) -> Sequence[Span]:
    """Return the spans of sentences that hold an order to whoever answers, or what is hidden.

    In rising order, none touching another. The same passages are looked through for many questions,
    so what was found in the last few thousand texts is remembered.
    """
    hits = [*_worded(text), *_hidden(text)]
    if not hits:
        return ()
    hits += [
        each for each in sentences(text) if any(each[0] < end and at < each[1] for at, end in hits)
    ]
    joined: list[Span] = []
    for start, end in sorted(hits):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _worded(text: str) -> list[Span]:
    lowered = text.lower()
    return [
        match.span()
        for form in FORMS
        if any(cue in lowered for cue in form.cues)
        for match in _compiled(form.pattern).finditer(text)
        if not form.imperative or _begins_clause(text, match.start())
    ]


def _begins_clause(text: str, at: int) -> bool:
    return bool(_CLAUSE.search(text, max(0, at - _NEAR), at))


def _hidden(text: str) -> list[Span]:
    """Return where characters stand that no screen shows, many in a row, or that turn a line about."""
    if text.isascii() or not any(_may_hide(char) for char in set(text)):
        return []
    return [match.span() for match in _HIDDEN.finditer(text)]


def _may_hide(char: str) -> bool:
    return char in _UNSEEN or "\U000e0000" < char <= "\U000e007f"


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, regex.IGNORECASE | regex.VERSION1)
