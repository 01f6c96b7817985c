"""Reports as bytes: equal reports give equal bytes, and an item's every key has a line in a diff."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

_DEPTH = 3
"""Levels that are broken into lines."""
_DIGITS = 12
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def dump(report: Mapping[str, Any]) -> bytes:
    """Return a report as JSON in UTF-8."""
    return (escaped(_lines(report, 0)) + "\n").encode()


def digest(report: Mapping[str, Any]) -> str:
    """Return the start of the sha256 of a report's bytes."""
    return hashlib.sha256(dump(report)).hexdigest()[:_DIGITS]


def escaped(text: str) -> str:
    """Return JSON in which lone surrogates, which UTF-8 cannot hold, are written as escapes."""
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _lines(value: Any, depth: int) -> str:
    """Return JSON with keys sorted, `id` before all."""
    if depth == _DEPTH or not _has_parts(value):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    inner = "\n" + " " * (depth + 1)
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (key != "id", key))
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_lines(value[key], depth + 1)}" for key in keys
        ]
    else:
        parts = [_lines(each, depth + 1) for each in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    return f"{begin}{inner}{f',{inner}'.join(parts)}\n{' ' * depth}{end}"


def _has_parts(value: Any) -> bool:
    """Tell whether a value is worth several lines; a list of plain values is not."""
    if isinstance(value, dict):
        return bool(value)
    return isinstance(value, list | tuple) and any(
        isinstance(each, dict | list | tuple) for each in value
    )
