"""Rewordings of quotes, written by hand: faithful ones, and near ones that are not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.errors import EvalError
from eval.gold import read_lines

REWORDINGS = Path(__file__).with_name("paraphrases.jsonl")


@dataclass(frozen=True, slots=True)
class Rewording:
    """A sentence that tells what a quote tells, or that seems to."""

    id: str
    quote: str
    claim: str
    passage: str
    """The document of the quote, or the passage that stands in the file itself."""
    cluster: str
    language: str
    changed: str | None
    """What makes an unfaithful one unfaithful; None for a faithful one."""

    @property
    def faithful(self) -> bool:
        """Whether the quote supports it."""
        return self.changed is None


def read_rewordings(texts: Mapping[str, str], file: Path = REWORDINGS) -> list[Rewording]:
    """Return the rewordings whose document is among `texts` or whose passage stands with them.

    Raises `EvalError` where a line cannot be used, or its quote does not stand in its passage.
    """
    found = []
    for number, line in read_lines(file):
        try:
            row = json.loads(line)
            cluster = row.get("doc") or row["id"].rpartition("-")[0]
            passage = row.get("passage") or texts.get(row["doc"])
            changed = None if row["faithful"] else row["changed"]
            told = (row["id"], row["quote"], row["paraphrase"])
        except (ValueError, KeyError, TypeError):
            raise EvalError(f"{file} line {number} is no rewording.") from None
        if passage is None:
            continue
        if row["quote"] not in passage:
            raise EvalError(f"{file} line {number}: the quote does not stand in {cluster}.")
        found.append(Rewording(*told, passage, cluster, row["language"], changed))
    return found
