"""What the checker said of all claims → shares, areas and intervals."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eval.ground.labelled import Response
from eval.ground.reworded import Rewording
from eval.ground.separation import BASELINES, area, decisions, overlap, rate, separation
from eval.ground.values import Corruption, Judged, Stated
from eval.metrics.abstention import auroc
from eval.totals import rounded

Said = Callable[[str, str], Judged]
"""What the checker said of a claim and a passage."""
Asked = Sequence[tuple[str, str]]


def labelled(rows: Sequence[Response], said: Said) -> dict[str, Any]:
    """Return AUROCs and decisions over the responses that claim something; the others apart."""
    claims = [row for row in rows if row.supported is not None]
    generic = [(row.text, row.passage) for row in rows if row.supported is None]
    judged = [said(row.text, row.passage) for row in claims]
    supported = [bool(row.supported) for row in claims]
    scores: dict[str, Sequence[float]] = {"checker": [each.score for each in judged]}
    for name, score in BASELINES.items():
        scores[name] = [score(row.text, row.passage) for row in claims]
    return {
        "n": len(claims),
        "auroc": separation(scores, supported, [row.cluster for row in claims]),
        "supported": decisions([each.supported for each in judged], supported),
        "generic": _rate_of(generic, said),
    }


def reworded(cited: Sequence[Stated], rewordings: Sequence[Rewording], said: Said) -> dict[str, Any]:
    """Return the shares that are called supported, of quotes and of their rewordings by kind."""
    groups = {
        "quotes": [(each.claim, each.passage) for each in cited],
        "faithful": _asked(rewordings, lambda r: r.faithful and r.language == "en"),
        "faithful, other languages": _asked(rewordings, lambda r: r.faithful and r.language != "en"),
        "unfaithful": _asked(rewordings, lambda r: not r.faithful),
    }
    for changed in sorted({each.changed for each in rewordings if each.changed}):
        groups[f"unfaithful: {changed}"] = [
            (each.claim, each.passage) for each in rewordings if each.changed == changed
        ]
    return {name: _rate_of(rows, said) for name, rows in groups.items()}


def corrupted(made: Sequence[Corruption], said: Said) -> dict[str, Any]:
    """Return how originals and corruptions part: over all, by kind, by source, by wording."""
    groups: dict[str, list[Corruption]] = {"all": list(made)}
    for name in ("kind", "source", "original"):
        for each in made:
            groups.setdefault(f"{name}: {_traits(each)[name]}", []).append(each)
    return {name: _pairs(rows, said) for name, rows in groups.items()}


def _traits(each: Corruption) -> Mapping[str, str]:
    verbatim = "verbatim" if each.of.verbatim else "not verbatim"
    return {"kind": each.kind, "source": each.of.source, "original": verbatim}


def _pairs(rows: Sequence[Corruption], said: Said) -> dict[str, Any]:
    """Return the AUROC of originals against corruptions, and how many of each are supported.

    `ranked` is the share of pairs of which the original has the higher score; equal ones count half.
    """
    originals = [(row.of.claim, row.of.passage) for row in rows]
    changed = [(row.claim, row.of.passage) for row in rows]
    both = [*originals, *changed]
    supported = [True] * len(originals) + [False] * len(changed)
    clusters = [row.of.cluster for row in rows] * 2
    scores = [said(*each).score for each in both]
    pairs = zip(scores[: len(rows)], scores[len(rows) :], strict=True)
    ranked = sum((one > other) + (one == other) / 2 for one, other in pairs)
    return {
        "pairs": len(rows),
        "auroc": area(scores, supported, clusters),
        "overlap": rounded(auroc([overlap(*each) for each in both], supported)),
        "ranked": rounded(ranked / len(rows)) if rows else None,
        "originals_supported": _rate_of(originals, said),
        "corrupted_supported": _rate_of(changed, said),
    }


def _asked(rewordings: Sequence[Rewording], wanted: Callable[[Rewording], bool]) -> Asked:
    return [(each.claim, each.passage) for each in rewordings if wanted(each)]


def _rate_of(rows: Asked, said: Said) -> dict[str, Any]:
    return rate(sum(said(*row).supported for row in rows), len(rows))
