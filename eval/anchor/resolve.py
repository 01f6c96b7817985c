"""`texts[r.doc][r.start:r.end] == r.quote` wherever a resolution names a place.

Only the quote itself settles anything.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from eval.anchor import context
from eval.anchor.likeness import Like, most_like
from eval.anchor.loss import denial_changed, lost
from eval.gold import Evidence
from rag.types import Span

IN_PLACE = 0.8
"""Likeness from which a stretch may be the quote edited although the quote stands elsewhere."""

Status = Literal["unchanged", "moved", "ambiguous", "edited", "relocated", "stale"]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of one evidence row."""

    status: Status
    settled: bool
    """Whether it is accepted by itself; then the quote stands at its place as it was."""
    doc: str
    start: int | None
    end: int | None
    quote: str | None
    """What stands there now."""
    survives: bool
    """Whether the quote's numbers and an accepted wording of the answer stand there."""
    note: str
    """A phrase for people; empty where there is nothing to say."""


def resolve(
    row: Evidence, texts: Texts, accepted: Sequence[str], others: Collection[str] = ()
) -> Resolution:
    """Find a row's quote; `accepted` are the wordings of the item's answers.

    The quote elsewhere beats what is like it here, unless that is at least `IN_PLACE` like it and
    says the same or has the surroundings of old. A row without a quote judges its document.
    `others` are digests of sentences that are known to be no edit of the quote.
    """
    text = texts.get(row.doc)
    if row.quote is None:
        return _document(row.doc, text is not None)
    if text is None:
        return _elsewhere(row, row.quote, texts) or _gone(row, "the document is gone")
    exact = _exact(row, row.quote, text)
    if exact is not None:
        return exact
    like = most_like(row, row.quote, text, others)
    if like is None:
        return _elsewhere(row, row.quote, texts) or _gone(row, "nothing like it is left")
    found = _edited(row, row.quote, text, like, accepted)
    here = found.survives or context.at_home(row, text, like.span)
    if like.likeness >= IN_PLACE and here:
        return found
    return _elsewhere(row, row.quote, texts) or found


def _document(doc: str, there: bool) -> Resolution:
    note = "" if there else "the document is gone"
    return Resolution("unchanged" if there else "stale", there, doc, None, None, None, there, note)


def _gone(row: Evidence, note: str) -> Resolution:
    return Resolution("stale", False, row.doc, None, None, None, False, note)


def _exact(row: Evidence, quote: str, text: str) -> Resolution | None:
    """Return the quote's place in its document, or None where it does not stand there as it was."""
    size = len(quote)
    starts = context.occurrences(row, quote, text)
    chosen = context.decided(row, [(text, (start, start + size)) for start in starts])
    best = None if chosen is None else starts[chosen]
    if row.start in starts and best in (None, row.start):
        return _at("unchanged", row.doc, quote, row.start or 0)
    if len(starts) == 1:
        return _lone(row, quote, text, starts[0])
    many = f"it stands {len(starts)} times"
    if best is not None:
        return _at("ambiguous", row.doc, quote, best, f"{many}; what surrounds it decides")
    if not starts:
        return None
    nearest = min(starts, key=lambda start: abs(start - (row.start or 0)))
    doubt = f"{many}, and nothing tells which is meant"
    return replace(_at("ambiguous", row.doc, quote, nearest, doubt), settled=False)


def _lone(row: Evidence, quote: str, text: str, start: int) -> Resolution:
    if not context.sure(row, text, (start, start + len(quote))):
        doubt = "these words stand there, but nothing around them is as it was"
        return replace(_at("ambiguous", row.doc, quote, start, doubt), settled=False)
    if row.start is None:
        return _at("unchanged", row.doc, quote, start)
    return _at("moved", row.doc, quote, start, f"from {row.start} to {start}")


def _at(status: Status, doc: str, quote: str, start: int, note: str = "") -> Resolution:
    return Resolution(status, True, doc, start, start + len(quote), quote, True, note)


def _edited(row: Evidence, quote: str, text: str, like: Like, accepted: Sequence[str]) -> Resolution:
    now = text[slice(*like.span)]
    missing = lost(quote, now, accepted)
    if missing:
        note = f"much like it, but without {missing}"
    elif like.likeness == 1:
        note = "only white space, case, quotes or the form of letters differ"
    else:
        note = "other words, with the same numbers and answer"
    if denial_changed(quote, now):
        note += "; one of the two denies what the other does not"
    status: Status = "stale" if missing else "edited"
    return Resolution(status, False, row.doc, *like.span, now, not missing, note)


def _elsewhere(row: Evidence, quote: str, texts: Texts) -> Resolution | None:
    """Return the one place outside of its document where the quote stands, or None.

    Part of a sentence may stand there by chance, so its surroundings must have come along.
    """
    found: list[tuple[str, Span]] = [
        (doc, (start, start + len(quote)))
        for doc, text in texts.items()
        if doc != row.doc and quote in text
        for start in context.occurrences(row, quote, text)
    ]
    places = [(texts[doc], span) for doc, span in found]
    chosen = context.decided(row, places)
    whole = context.is_whole(row, quote)
    if chosen is None and len(found) == 1 and (whole or context.at_home(row, *places[0])):
        chosen = 0
    if chosen is None:
        return None
    doc, (start, _) = found[chosen]
    there = "is gone" if row.doc not in texts else "no longer holds it"
    note = f"{row.doc} {there}"
    return replace(_at("relocated", doc, quote, start, note), settled=False)
