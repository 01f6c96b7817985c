"""OpenDocument texts and presentations (ODT, ODP): their XML, walked once."""

from collections.abc import Iterator
from typing import Any

from rag.corpus.formats.archive import opened, part, xml
from rag.corpus.formats.written import CELL, Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.types import Document

_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_TEXT, _OFFICE, _TABLE, _DRAW = (
    f"{{{_NAMES}:{name}:1.0}}" for name in ("text", "office", "table", "drawing")
)
_GONE = {f"{_OFFICE}annotation", f"{_TEXT}tracked-changes", f"{_TEXT}note-citation"}
_BLOCKS = {f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}list", f"{_TABLE}table", f"{_DRAW}text-box"}


def read_odf(file: File) -> Iterator[Document]:
    """Read a text or a presentation; each slide is a place."""
    archive = opened(file.data)
    if "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in part(
        archive, "META-INF/manifest.xml"
    ):
        raise Unreadable("it is protected by a password; save it without one")
    body = xml(part(archive, "content.xml")).find(f"{_OFFICE}body")
    written = Written()
    if body is not None:
        _Body(written).write(body)
    yield written.document(file.id, written.first_heading or named(file))


class _Body:
    def __init__(self, written: Written) -> None:
        self._written = written
        self._slides = 0

    def write(self, parent: Any, depth: int = -1) -> None:
        """Write the blocks in an element, those in boxes and notes after the one that they are in."""
        for child in parent:
            tag = child.tag
            if tag in _GONE or not isinstance(tag, str):
                continue
            if tag == f"{_TEXT}h":
                self._written.heading(int(child.get(f"{_TEXT}outline-level", "1")), _said(child))
            elif tag == f"{_TEXT}p":
                if depth >= 0:
                    self._written.item(_said(child), depth)
                else:
                    self._written.paragraph(_said(child))
            elif tag == f"{_TABLE}table" and (rows := _rows(child)):
                self._written.table(rows)
                continue
            elif tag == f"{_DRAW}page":
                self._slides += 1
                self._written.place(f"slide {self._slides}")
            self.write(child, depth + (tag == f"{_TEXT}list"))


def _rows(table: Any) -> list[list[str]]:
    """Return a table's rows; none where it only arranges the page."""
    if any(inner is not table for inner in table.iter(f"{_TABLE}table")):
        return []
    rows = [
        [" ".join(map(_said, cell.iter(f"{_TEXT}p"))) for cell in row.iter(f"{_TABLE}table-cell")]
        for row in table.iter(f"{_TABLE}table-row")
    ]
    longest = max((len(cell) for row in rows for cell in row), default=0)
    return rows if longest <= CELL and max(map(len, rows), default=0) > 1 else []


def _said(element: Any) -> str:
    """Return the text of a paragraph, without the blocks in it."""
    said: list[str] = [element.text or ""]
    steps = list(reversed(element))
    while steps:
        child = steps.pop()
        if isinstance(child, str):
            said.append(child)
            continue
        steps.append(child.tail or "")
        if child.tag == f"{_TEXT}s":
            said.append(" " * min(80, int(child.get(f"{_TEXT}c", "1"))))
        elif child.tag == f"{_TEXT}tab":
            said.append("\t")
        elif child.tag == f"{_TEXT}line-break":
            said.append("\n")
        elif isinstance(child.tag, str) and child.tag not in _GONE and child.tag not in _BLOCKS:
            steps.extend(reversed(child))
            steps.append(child.text or "")
    return "".join(said)
