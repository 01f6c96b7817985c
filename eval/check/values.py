"""What checking a gold set gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.anchor import Resolution
from eval.gold import Evidence


@dataclass(frozen=True, slots=True)
class Row:
    """An evidence row and what became of it."""

    gold: Evidence
    now: Resolution


@dataclass(frozen=True, slots=True)
class Checked:
    """An item that a person should look at, with its rows that are not settled."""

    id: str
    question: str
    stale: bool
    """Whether some group has no settled row."""
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
    stale: int
    """Items some group of which has no settled row."""
    warnings: Sequence[Warned]
    proposals: Mapping[str, Mapping[str, Any]]
    """The new gold line of each item that needs one, by id."""

    @property
    def ok(self) -> bool:
        """Whether nothing is left for a person to look at."""
        return not (self.items or self.warnings)
