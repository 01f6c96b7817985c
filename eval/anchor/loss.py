"""What a quote said that the words in its place no longer say: numbers, answers, denials."""

from collections import Counter
from collections.abc import Sequence

from eval.anchor.align import places, words
from eval.metrics.words import tokens

_COUNTED = frozenset("half first second third once twice dozen hundred thousand million".split())
"""Words that say how many or which, beside those that `tokens` turns into digits."""
_DENIALS = frozenset("not no never none nobody nothing neither nor without cannot".split())


def lost(quote: str, now: str, accepted: Sequence[str]) -> str:
    """Say which numbers and accepted wordings of the quote no longer stand; empty if none."""
    gone = [f"the number {number}" for number in sorted(lost_numbers(quote, now))]
    gone += [f"the answer “{wording}”" for wording in _lost_answers(quote, now, accepted)]
    return " and ".join(gone)


def lost_numbers(quote: str, now: str) -> set[str]:
    """Return the numbers, by value, that the quote states more often than what stands there now."""
    return set(numbers(quote) - numbers(now))


def numbers(text: str) -> Counter[str]:
    """Return the numbers of a text by value: "37" for "thirty-seven"."""
    said = tokens(text)
    return Counter(token for token in said if token in _COUNTED or any(map(str.isdigit, token)))


def denial_changed(quote: str, now: str) -> bool:
    """Tell whether one of two texts denies something more often than the other."""
    return _denials(quote) != _denials(now)


def _lost_answers(quote: str, now: str, accepted: Sequence[str]) -> list[str]:
    """Return the longest wording of each stretch of the quote that stated an answer and is lost.

    Wordings that overlap ("four waves", "four") state one thing; each may stand for the other, and so
    may a wording that the quote did not use.
    """
    found = sorted((place, wording) for wording in accepted for place in places(wording, quote))
    stated: list[tuple[int, set[str]]] = []
    for (start, end), wording in found:
        if stated and start < stated[-1][0]:
            stated[-1] = max(end, stated[-1][0]), stated[-1][1] | {wording}
        else:
            stated.append((end, {wording}))
    used = {wording for _, wording in found}
    held = {wording for wording in accepted if places(wording, now)}
    gone = [wordings for _, wordings in stated if not held & wordings and held <= used]
    return list(dict.fromkeys(max(sorted(wordings), key=len) for wordings in gone))


def _denials(text: str) -> int:
    said = words(text)
    return said.joined.count("n ' t ") + sum(token in _DENIALS for token in said.tokens)
