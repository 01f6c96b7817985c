"""Answers kept on disk, so that a run that was cut off goes on where it was.

A file holds the answers of one system; its name is the digest of all that the system is. A line
holds one answer under the digest of all that was asked, with the digest of what it holds. A line
that does not fit its digest, as the last one after a crash, counts as absent.
"""

import json
from pathlib import Path
from typing import Any

from eval.gold import digest_of


class AnswerCache:
    """The answers of one system."""

    def __init__(self, folder: Path, system: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{digest_of(system)}.jsonl"
        before = self._path.read_bytes() if self._path.exists() else b""
        self._known = _answers(before)
        self._file = self._path.open("ab", buffering=0)
        if before and not before.endswith(b"\n"):
            self._file.write(b"\n")

    def __enter__(self) -> "AnswerCache":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def get(self, asked: Any) -> dict[str, Any] | None:
        """Return what was answered to `asked`, a JSON value, or None."""
        value: dict[str, Any] | None = self._known.get(digest_of(asked))
        return value

    def put(self, asked: Any, value: dict[str, Any]) -> None:
        """Keep an answer; once this returns it survives the end of this process."""
        key = digest_of(asked)
        line = {"asked": key, "sum": digest_of(value), "value": value}
        self._file.write((json.dumps(line) + "\n").encode())
        self._known[key] = value


def _answers(lines: bytes) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for data in lines.split(b"\n"):
        try:
            line = json.loads(data)
            if digest_of(line["value"]) == line["sum"]:
                known[line["asked"]] = line["value"]
        except (ValueError, TypeError, KeyError):
            continue
    return known
