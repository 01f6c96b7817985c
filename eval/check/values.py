"""What checking a gold set gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from eval.anchor import Resolution
from eval.gold import Evidence


class Row(NamedTuple):
    """An evidence row and what became of it."""

    gold: Evidence
    now: Resolution


@dataclass(frozen=True, slots=True)
class Checked:
    """An item that a person should look at, with its rows that are not settled."""

    id: str
    question: str
    held: bool
    """Whether each group has a settled row nevertheless."""
    rows: Sequence[Row]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Warned:
    """A new sentence that may answer a question which the gold calls unanswerable."""

    id: str
    question: str
    doc: str
    start: int
    end: int
    sentence: str
    share: float
    """Of the question's content, 0..1."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A gold set against today's documents."""

    items: Sequence[Checked]
    counts: Mapping[str, int]
    """Rows by status."""
    warnings: Sequence[Warned]
    proposals: Mapping[str, Mapping[str, Any]]
    """The new gold line of each item that needs one, by id."""

    @property
    def stale(self) -> int:
        """Items that rest on text which is no longer there, or not surely."""
        return len(self.items)

    @property
    def ok(self) -> bool:
        """Whether nothing is left for a person to look at."""
        return not (self.items or self.warnings)
