"""What the checker is measured on, read from wherever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.errors import EvalError
from eval.gold import Gold
from eval.ground.labelled import Response, read_responses
from eval.ground.reworded import Rewording
from eval.ground.sources import attributed, faithful, quotes, read_squad
from eval.ground.values import Stated

LABELLED = {"begin": "begin_grounding", "halueval": "halueval_qa"}
SQUAD = "squad2_dev"
"""Folders that `--data` may hold."""


@dataclass(frozen=True, slots=True)
class Data:
    """What the checker is measured on."""

    cited: Sequence[Stated]
    """The gold's quotes that stand in the seeds."""
    rewordings: Sequence[Rewording]
    responses: Mapping[str, Sequence[Response]]
    squad: Sequence[Stated] = ()
    absent: Sequence[str] = ()
    """Folders of labelled sets that are not there."""

    @classmethod
    def read(
        cls,
        gold: Gold,
        texts: Mapping[str, str],
        rewordings: Sequence[Rewording],
        folder: Path | None,
    ) -> "Data":
        """Add the labelled sets that a folder holds.

        Raises `EvalError` where it holds none of them or one cannot be read.
        """
        cited = list(quotes(gold, texts))
        if folder is None:
            return cls(cited, rewordings, {}, absent=[*LABELLED.values(), SQUAD])
        there = {name: folder / part for name, part in LABELLED.items() if (folder / part).is_dir()}
        squad = folder / SQUAD
        if not there and not squad.is_dir():
            known = ", ".join([*LABELLED.values(), SQUAD])
            raise EvalError(f"{folder} holds none of the folders {known}, so there is nothing to read.")
        responses = {name: read_responses(path) for name, path in there.items()}
        stated = list(read_squad(squad)) if squad.is_dir() else ()
        absent = [part for part in (*LABELLED.values(), SQUAD) if not (folder / part).is_dir()]
        return cls(cited, rewordings, responses, stated, absent)

    @property
    def supported(self) -> list[Stated]:
        """The claims that corruptions begin with."""
        begin = attributed(self.responses.get("begin", ()))
        return [*self.cited, *faithful(self.rewordings), *begin, *self.squad]
