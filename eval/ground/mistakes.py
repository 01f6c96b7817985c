"""The claims that the checker was wrong about, for people to read."""

from collections.abc import Sequence
from typing import Any

from eval.ground.reworded import Rewording
from eval.ground.totals import Said
from eval.ground.values import Corruption, Stated


def passed(
    made: Sequence[Corruption], rewordings: Sequence[Rewording], said: Said
) -> list[dict[str, Any]]:
    """Return the corrupted and the unfaithful claims that are called supported."""
    rows = [
        (each.kind, each.of.source, each.of.verbatim, each.claim, each.of.claim, each.of.passage)
        for each in made
    ]
    rows += [
        (f"unfaithful: {each.changed}", each.id, False, each.claim, each.quote, each.passage)
        for each in rewordings
        if not each.faithful
    ]
    return [
        {
            "kind": kind,
            "source": source,
            "verbatim": verbatim,
            "claim": claim,
            "original": original,
            "score": said(claim, passage).score,
            "passage": passage,
        }
        for kind, source, verbatim, claim, original, passage in rows
        if said(claim, passage).supported
    ]


def refused(
    made: Sequence[Corruption],
    rewordings: Sequence[Rewording],
    cited: Sequence[Stated],
    said: Said,
) -> list[dict[str, Any]]:
    """Return the supported claims that are not called so, with what the checker has against them."""
    rows = {(each.claim, each.passage): each.source for each in cited}
    rows |= {(each.claim, each.passage): each.id for each in rewordings if each.faithful}
    for each in made:
        rows.setdefault((each.of.claim, each.of.passage), each.of.source)
    return [
        {
            "source": source,
            "claim": claim,
            "score": said(claim, passage).score,
            "against": list(said(claim, passage).against),
            "passage": passage,
        }
        for (claim, passage), source in rows.items()
        if not said(claim, passage).supported
    ]
