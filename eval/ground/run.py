"""The checker on all that is there to measure it on, as one JSON value."""

from collections.abc import Iterator
from typing import Any

from eval.ask import Progress
from eval.ground import mistakes, totals
from eval.ground.corrupt import SEED, corruptions
from eval.ground.data import Data
from eval.ground.judge import judge_all, milliseconds
from eval.ground.values import Corruption, Judged
from rag.cite import Checker


def ground(data: Data, checker: Checker, progress: Progress, seed: int = SEED) -> dict[str, Any]:
    """Return how the checker does on labelled responses, on corruptions and on rewordings.

    `passed` lists every corrupted or unfaithful claim that it calls supported, `refused` every claim
    that it should support and does not. The same data and seed give the same but for the times.
    """
    made = corruptions(data.supported, seed)
    wanted = list(dict.fromkeys(_claims(data, made)))
    known = dict(zip(wanted, judge_all(checker, wanted, progress), strict=True))

    def said(claim: str, passage: str) -> Judged:
        return known[claim, passage]

    return {
        "checker": checker.name,
        "claims": len(known),
        "time": milliseconds(list(known.values())),
        "absent": list(data.absent),
        "labelled": {name: totals.labelled(rows, said) for name, rows in data.responses.items()},
        "rewordings": totals.reworded(data.cited, data.rewordings, said),
        "corruptions": totals.corrupted(made, said),
        "passed": mistakes.passed(made, data.rewordings, said),
        "refused": mistakes.refused(made, data.rewordings, data.cited, said),
    }


def _claims(data: Data, made: list[Corruption]) -> Iterator[tuple[str, str]]:
    """Yield every claim with its passage; some more than once."""
    for each in made:
        yield each.of.claim, each.of.passage
        yield each.claim, each.of.passage
    yield from ((each.claim, each.passage) for each in data.cited)
    yield from ((each.claim, each.passage) for each in data.rewordings)
    for rows in data.responses.values():
        yield from ((row.text, row.passage) for row in rows)
