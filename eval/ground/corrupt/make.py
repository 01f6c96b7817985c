"""All kinds of corruption over all sources, in fair shares and the same for one seed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from random import Random

from eval.gold import digest_of
from eval.ground.corrupt import dates, names, numbers, polarity, swaps, units
from eval.ground.values import Corruption, Edit, Stated

SEED = 20260101
PER_KIND = 60
"""Most corruptions of a kind."""

Maker = Callable[[Stated, Random], Iterator[Sequence[Edit]]]
"""Yields ways to corrupt a claim, each as the edits that do it."""

KINDS: Mapping[str, Maker] = {
    "number": numbers.other,
    "number of the passage": numbers.nearby,
    "date": dates.other,
    "date of the passage": dates.nearby,
    "name": names.other,
    "name of the passage": names.nearby,
    "unit": units.other,
    "negation added": polarity.denied,
    "negation removed": polarity.affirmed,
    "opposite": polarity.opposite,
    "swap": swaps.swapped,
}


def corruptions(
    stated: Sequence[Stated], seed: int = SEED, per_kind: int = PER_KIND
) -> list[Corruption]:
    """Return at most `per_kind` corruptions of each kind, one of a kind of any claim.

    The sources take turns, so that a small one is not lost beside a large one; within a source the
    order is that of a digest, so the order of `stated` does not matter.
    """
    turns = _in_turn(stated, seed)
    found: list[Corruption] = []
    for kind, maker in KINDS.items():
        mine: list[Corruption] = []
        for each in turns:
            rng = Random(digest_of([seed, kind, each.claim]))
            edits = next(maker(each, rng), None)
            if edits is not None:
                mine.append(Corruption(kind, each, edits))
            if len(mine) == per_kind:
                break
        found += mine
    return found


def _in_turn(stated: Sequence[Stated], seed: int) -> list[Stated]:
    """Return the claims by digest, the sources taking turns."""
    by_source: dict[str, list[Stated]] = {}
    for each in sorted(stated, key=lambda each: digest_of([seed, each.claim, each.cluster])):
        by_source.setdefault(each.source, []).append(each)
    rows = zip_longest(*(by_source[source] for source in sorted(by_source)))
    return [each for row in rows for each in row if each is not None]
