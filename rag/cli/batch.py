"""Questions from files and options."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import FilterError, QuestionError
from rag.types import Filter, Message

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Line:
    """One question of a batch."""

    id: Any
    question: str
    history: Sequence[Message] = ()
    filter: Filter | None = None


def batch_lines(path: Path) -> list[Line]:
    """Read all lines before any is answered; raises `QuestionError` that names the broken one."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        lines = data.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise QuestionError(f"The batch {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise QuestionError(f"The batch {path} is not UTF-8 at byte {error.start}.") from None
    return [_line(path, n, line) for n, line in enumerate(lines, 1) if line.strip()]


def _line(path: Path, number: int, line: str) -> Line:
    try:
        value = json.loads(line)
        history = [Message(turn["role"], turn["content"]) for turn in value.get("history") or ()]
        question, where = value["question"], value.get("filter")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise QuestionError(
            f'Line {number} of {path} is not of the form {{"id","question","history"?,"filter"?}}, '
            'with a history of {"role","content"}.'
        ) from None
    turns = all(t.role in ROLES and isinstance(t.content, str) for t in history)
    if not isinstance(question, str) or not question.strip() or not turns:
        raise QuestionError(f"Line {number} of {path} has no question, or a history of no turns.")
    if where is not None and not isinstance(where, Mapping):
        raise QuestionError(f"Line {number} of {path} has a filter that is no object.")
    return Line(value.get("id"), question, history, where or None)


def parse_filter(given: Sequence[str] | None) -> Filter | None:
    """Return the filter that `KEY=VALUE` options make; a value matches as text and as JSON."""
    where: dict[str, Any] = {}
    for each in given or ():
        key, equals, value = each.partition("=")
        if not equals or not value:
            raise FilterError(f"Filter {each!r} is not of the form KEY=VALUE.")
        values = where.setdefault(key, [])
        values.append(value)
        if key.startswith("meta."):
            values.extend(_as_json(value))
    return where or None


def _as_json(value: str) -> list[Any]:
    try:
        parsed = json.loads(value)
    except ValueError:
        return []
    return [parsed] if isinstance(parsed, int | float | bool) else []
