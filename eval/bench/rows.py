"""What a benchmark is given and what it returns, and the table that people read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: `quick` takes less of everything, `data` holds the development sets."""

    data: Path
    scratch: Path
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `ratio` is `value / against` where there is something to compare with."""

    name: str
    value: float | None
    unit: str = ""
    against: float | None = None
    ratio: float | None = None
    note: str = ""


def compared(name: str, value: float, unit: str, against: float, note: str = "") -> Row:
    """Return a row whose ratio is `value / against`."""
    return Row(name, value, unit, against, value / against if against else None, note)


def skipped(name: str, why: str) -> Row:
    """Return a row without a figure: what cannot be measured has no value, never 0."""
    return Row(name, None, note=f"skipped: {why}")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text, one a line."""
    head = ("measured", "value", "unit", "against", "ratio", "note")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at in (1, 3, 4) else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    value = "n/a" if row.value is None else _figure(row.value)
    return row.name, value, row.unit, _figure(row.against), _figure(row.ratio), row.note


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
