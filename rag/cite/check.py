"""The span of a passage that supports a claim best, and whether it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import regex

from rag import text
from rag.cite.facts import contradicted, denied_before, lacking_facts, values
from rag.protocols import Judge
from rag.types import Span

_WINDOW = 3
"""Neighbouring sentences of a passage that may support one sentence together."""
_READ = 4
"""Windows that the judge reads: those that hold most of the claim's words."""
_CONTRADICTED = 0.38
"""The highest score of a text that lacks or contradicts a fact of the claim."""
_LONGER = 0.92
"""What is left of the score for each further sentence that a window takes."""
_INSIDE_WORD = regex.compile(
    r"[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]]{2}", regex.V1
)
_INSIDE_NUMBER = regex.compile(r"\d[.,]\d")
_ITEM = regex.compile(r"(?:[-*+•]|\d{1,3}[.)]|\#{1,6}|\|)\s")
_TAIL = ".!?…。！？ "
_LONGEST = 2000
"""Characters beyond which a claim is no sentence for a reader to check; rules would take minutes."""


@dataclass(frozen=True, slots=True)
class Support:
    """How well a passage supports a claim, where, and what speaks against it."""

    span: Span
    """Within the passage."""
    score: float
    supported: bool
    against: Sequence[str] = ()
    """What of the claim its text lacks or contradicts, for people: `lacks 38`."""


class Checker:
    """Checks claims against passages: their facts by rule, the rest by a judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @property
    def name(self) -> str:
        """The judge's name."""
        return self._judge.name

    def support(self, claim: str, passage: str, language: str = text.UNKNOWN) -> Support:
        """Return the span of a passage that supports a claim best, and whether it does.

        Verbatim words (but for case, width, quotes and white space) support, unless what stands before
        them in their clause denies them. Else the span must hold the claim's numbers, dates, units and
        names, each with what it is said of, deny what the claim denies and nothing else, and satisfy
        the judge; a claim of more than `_LONGEST` characters is not supported.
        """
        verbatim = text.fold(passage).find(text.fold(claim).text.strip(_TAIL))
        if verbatim and _whole_words(passage, verbatim):
            if denied_before(passage, verbatim[0]):
                return Support(
                    _with_stop(passage, verbatim), _CONTRADICTED, False, ["the text denies it"]
                )
            return Support(_with_stop(passage, verbatim), 1.0, True)
        if len(claim) > _LONGEST:
            return Support((0, len(passage)), 0.0, False, ["is too long to be checked"])
        spans = _windows(claim, passage, language)
        texts = [passage[slice(*span)] for span in spans]
        scores = self._judge.scores(claim, texts, language)
        found = [
            self._found(claim, span, said, score, language)
            for span, said, score in zip(spans, texts, scores, strict=True)
        ]
        best = max(found, key=lambda each: (not each.against, each.score))
        said = passage[slice(*best.span)]
        against = best.against or contradicted(claim, said, language)
        if against:
            return Support(best.span, min(best.score, _CONTRADICTED), False, against)
        return replace(best, supported=best.score >= self._judge.threshold)

    def _found(self, claim: str, span: Span, said: str, score: float, language: str) -> Support:
        """Return a window as a candidate: longer ones count less, those that lack facts go last."""
        longer = len(text.sentences(said)) - 1
        return Support(span, score * _LONGER**longer, False, lacking_facts(claim, said, language))

    def holds(self, claim: str, said: str, language: str = text.UNKNOWN) -> bool:
        """Tell whether a text as a whole supports a claim."""
        if len(claim) > _LONGEST:
            return False
        if lacking_facts(claim, said, language) or contradicted(claim, said, language):
            return False
        return self._judge.scores(claim, [said], language)[0] >= self._judge.threshold


def _windows(claim: str, passage: str, language: str) -> list[Span]:
    """Return up to `_READ` runs of sentences that hold most of a claim's words and numbers."""
    wanted = {*text.content_stems(claim, language), *values(claim, language)}
    spans = text.sentences(passage) or [(0, len(passage))]
    parts = [passage[slice(*span)] for span in spans]
    held = [wanted.intersection([*text.stems(p, language), *values(p, language)]) for p in parts]
    ranked = []
    for size in range(1, _WINDOW + 1):
        for first in range(len(spans) - size + 1):
            if any(_apart(parts[at]) for at in range(first + 1, first + size)):
                continue
            share = len(set().union(*held[first : first + size])) / max(1, len(wanted))
            ranked.append((size * 0.1 - share, size, spans[first][0], spans[first + size - 1][1]))
    return [(start, end) for _, _, start, end in sorted(ranked)[:_READ]]


def _apart(said: str) -> bool:
    """Tell whether a sentence is an item of a list or a heading, so that it goes with none before."""
    return bool(_ITEM.match(said))


def _whole_words(passage: str, span: Span) -> bool:
    """Tell whether no word is cut at either end; scripts without blanks have no such ends."""
    edges = passage[max(0, span[0] - 1) : span[0] + 1], passage[span[1] - 1 : span[1] + 1]
    figures = passage[max(0, span[0] - 2) : span[0] + 1], passage[span[1] - 1 : span[1] + 2]
    return not (
        any(_INSIDE_WORD.fullmatch(edge) for edge in edges)
        or any(_INSIDE_NUMBER.fullmatch(edge) for edge in figures)
    )


def _with_stop(passage: str, span: Span) -> Span:
    start, end = span
    return (start, end + 1) if passage[end : end + 1] in tuple(".!?…。！？") else span
