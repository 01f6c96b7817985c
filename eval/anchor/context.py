"""Where a quote stands as it is, and what its surroundings say of each such place."""

from collections.abc import Sequence

from rapidfuzz.distance import Postfix, Prefix

from eval.anchor.align import cuts, cuts_number
from eval.anchor.sentence import unmarked
from eval.gold import Evidence
from rag.text import sentences
from rag.types import Span


def occurrences(row: Evidence, quote: str, text: str) -> list[int]:
    """Return where the quote stands, overlapping places too.

    A place that cuts a word ("110" in "1100") is none, unless the quote was anchored like that.
    """
    starts: list[int] = []
    at = text.find(quote)
    while at >= 0:
        if not _newly_cut(row, quote, text, at):
            starts.append(at)
        at = text.find(quote, at + 1)
    return starts


def common(row: Evidence, text: str, span: Span) -> tuple[int, int]:
    """Return how many characters next to a span are those of the prefix and of the suffix."""
    before = text[max(0, span[0] - len(row.prefix)) : span[0]]
    after = text[span[1] : span[1] + len(row.suffix)]
    return Postfix.similarity(row.prefix, before), Prefix.similarity(row.suffix, after)


def at_home(row: Evidence, text: str, span: Span) -> bool:
    """Tell whether at least half of the prefix or of the suffix is beside a span."""
    left, right = common(row, text, span)
    return (0 < len(row.prefix) <= 2 * left) or (0 < len(row.suffix) <= 2 * right)


def in_place(row: Evidence, text: str, span: Span) -> bool:
    """Tell whether at least half of the prefix and half of the suffix is beside a span."""
    left, right = common(row, text, span)
    return 0 < len(row.prefix) <= 2 * left and 0 < len(row.suffix) <= 2 * right


def decided(row: Evidence, places: Sequence[tuple[str, Span]]) -> int | None:
    """Return which of the places, (text, span), has the surroundings of old, or None.

    It has half of them, and more than any other place.
    """
    kept = [sum(common(row, text, span)) for text, span in places]
    best = max(kept, default=0)
    if best * 2 < len(row.prefix + row.suffix) or best == 0 or kept.count(best) > 1:
        return None
    return kept.index(best)


def sure(row: Evidence, text: str, span: Span) -> bool:
    """Tell whether the only place of a quote is the quote's.

    A few words ("four") may stand by chance where nothing around them is as it was. A sentence does
    not, and where only one side was ever known there is nothing to doubt by.
    """
    if not (row.prefix and row.suffix) or at_home(row, text, span):
        return True
    return any(span in (each, unmarked(text, each)) for each in sentences(text))


def is_whole(row: Evidence, quote: str) -> bool:
    """Tell whether the quote is whole sentences, as far as its surroundings show."""
    start, end = len(row.prefix), len(row.prefix + quote)
    was = row.prefix + quote + row.suffix
    spans = sentences(was)
    begins = any(start in (first, unmarked(was, (first, last))[0]) for first, last in spans)
    ends = any(last == end for _, last in spans)
    known = row.prefix or row.suffix or quote[-1:] in tuple(".!?。！？")
    return bool(known) and begins and ends


def _newly_cut(row: Evidence, quote: str, text: str, start: int) -> bool:
    """Tell whether the quote at `start` begins or ends inside a word, as it did not before.

    Where nothing around it is known, only a number that is cut elsewhere than before is new.
    """
    if not (row.prefix or row.suffix):
        edges = (start, start + len(quote))
        return start != row.start and any(cuts_number(text, at) for at in edges)
    was, first, last = row.prefix + quote + row.suffix, len(row.prefix), len(row.prefix + quote)
    begins = cuts(text, start) and not cuts(was, first)
    return begins or (cuts(text, start + len(quote)) and not cuts(was, last))
