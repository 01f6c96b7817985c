"""What reading seeds gives: documents, and news of what could not be read."""

from dataclasses import dataclass

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


class Unreadable(Exception):  # noqa: N818 - not an error of the program but news of a file
    """The file holds no text that we can read; `str` says why."""

    def __init__(self, reason: str, lost: bool = True) -> None:
        super().__init__(reason)
        self.lost = lost
