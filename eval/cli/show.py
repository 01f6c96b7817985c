"""What people see beside the reports: JSON and short lists."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def as_json(value: Any) -> None:
    """Print one JSON value."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def write(path: Path, value: Any) -> None:
    """Write one JSON value."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def some(names: Sequence[str], most: int = 5) -> str:
    """Return the first of the names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
