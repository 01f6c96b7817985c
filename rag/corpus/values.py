"""What reading seeds gives: documents, and news of what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.types import Document, Notice


@dataclass(frozen=True, slots=True)
class Failure:
    """A document or file that was left out, and why."""

    doc: str
    reason: str
    file: str = ""
    lost: bool = True
    """Whether it may hold text that we cannot get at, so that an earlier version is worth keeping."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document and the file, below its source, that it stands in."""

    document: Document
    file: str
    notices: tuple[Notice, ...] = ()
    file_sha256: str = ""


def document_of(value: Mapping[str, Any]) -> Document:
    """Return a document that was kept as a JSON value of `asdict`."""
    return Document(**{**value, "places": tuple((at, said) for at, said in value["places"])})


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A file that need not be read: it is as it was."""

    file: str


class Unreadable(Exception):  # noqa: N818 - not an error of the program but news of a file
    """The file holds no text that we can read; `str` says why."""

    def __init__(self, reason: str, lost: bool = True) -> None:
        super().__init__(reason)
        self.lost = lost
