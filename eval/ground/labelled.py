"""Responses that people, or those who made them, labelled as supported or not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.errors import EvalError
from eval.gold import read_lines

SUPPORTED: Mapping[str, bool | None] = {
    "Fully attributable": True,
    "Not fully attributable": False,
    "Generic": None,
    "supported": True,
    "unsupported": False,
}
"""What labels say; a generic response claims nothing and counts apart."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response, its evidence, and whether that supports it: None where it claims nothing."""

    text: str
    passage: str
    cluster: str
    supported: bool | None


def read_responses(folder: Path) -> list[Response]:
    """Return the responses of `grounding.jsonl` with the texts of `corpus.jsonl` beside it.

    Raises `EvalError` that names a file or a line that cannot be used.
    """
    texts = read_corpus(folder)
    file = folder / "grounding.jsonl"
    found = []
    for number, line in read_lines(file):
        try:
            row = json.loads(line)
            passage = "\n\n".join(texts[doc] for doc in row["contexts"])
            label = SUPPORTED[row["label"]]
            found.append(Response(row["response"], passage, row["contexts"][0], label))
        except (ValueError, KeyError, TypeError, IndexError):
            raise EvalError(f"{file} line {number} is no labelled response.") from None
    return found


def read_corpus(folder: Path) -> dict[str, str]:
    """Return the documents of `corpus.jsonl` by id; raises `EvalError`."""
    file = folder / "corpus.jsonl"
    found = {}
    for number, line in read_lines(file):
        try:
            row = json.loads(line)
            found[row["id"]] = row["text"]
        except (ValueError, KeyError, TypeError):
            raise EvalError(f"{file} line {number} is no document.") from None
    return found
