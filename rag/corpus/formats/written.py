"""Text in the making: what a reader finds in a file, as Markdown, with the places that it stands in.

What is written is what is indexed and quoted, so nothing is added to it but the signs of headings,
lists, tables and code.
"""

import re
from collections.abc import Iterable, Sequence

from rag.corpus.decode import normalise
from rag.corpus.values import Unreadable
from rag.text import squeeze
from rag.types import Document, Place

_LOOKS_LIKE_MARKUP = re.compile(r"(?m)^(?=[ ]{0,3}(?:#{1,6}[ \t]|```|~~~|(?:=+|-{2,})[ \t]*$))")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b\ufeff\ufffe\uffff\ud800-\udfff]")
"""Control characters, soft hyphens and halves of pairs: extractors leave them behind."""
_BLANKS = re.compile(r"[^\S\n]+")


CELL = 500
"""Characters of a table's longest cell, beyond which it arranges text and is read as such."""


class Written:
    """Markdown that grows piece by piece; blocks stand apart by a blank line."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._places: list[Place] = []
        self.first_heading = ""
        self._listing = False

    def place(self, label: str) -> None:
        """Say on which page, slide or sheet what follows stands."""
        self._places.append((self._length, label))

    def heading(self, level: int, said: str) -> None:
        """Write a heading of level 1 to 6."""
        if name := squeeze(clean(said)):
            if not self._length:
                self.first_heading = name
            self._block(f"{'#' * max(1, min(6, level))} {name}")

    def paragraph(self, said: str, goes_on: bool = False) -> None:
        """Write a paragraph, or what `goes_on` with the one before; its lines stay lines."""
        lines = (_BLANKS.sub(" ", line).strip() for line in clean(said).split("\n"))
        if kept := "\n".join(line for line in lines if line):
            self._block(_LOOKS_LIKE_MARKUP.sub("    ", kept), " " if goes_on else "\n\n")

    def item(self, said: str, depth: int = 0) -> None:
        """Write an item of a list, without its bullet or number."""
        if kept := squeeze(clean(said)):
            self._block(f"{'  ' * min(depth, 8)}- {kept}", "\n" if self._listing else "\n\n")
            self._listing = True

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Write a table's rows; the first one heads it."""
        shown = [[squeeze(clean(cell)).replace("|", "¦") for cell in row] for row in rows]
        shown = [row for row in shown if any(row)]
        for number, row in enumerate(shown):
            self._block(f"| {' | '.join(row)} |", "\n" if number else "\n\n")
            if number == 0 and len(shown) > 1:
                self._block(f"|{'---|' * len(row)}", "\n")

    def markdown(self, said: str) -> None:
        """Write what is Markdown already."""
        if kept := clean(said).strip():
            if not self._length and kept.startswith("# "):
                self.first_heading = kept.split("\n")[0].strip("# \t")
            self._block(kept)

    def code(self, said: str) -> None:
        """Write lines that stand as they are."""
        if kept := clean(said).strip("\n").rstrip():
            fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall(r"`+", kept))])
            self._block(f"{fence}\n{kept}\n{fence}")

    def document(self, doc: str, title: str = "") -> Document:
        """Return what was written; without a title it is the heading that it begins with.

        Raises `Unreadable` where nothing was.
        """
        text = "".join(self._pieces)
        if not text.strip():
            raise Unreadable("it holds no text")
        title = title or self.first_heading
        return Document(doc, text, title, markup="markdown", places=tuple(self._places))

    @property
    def length(self) -> int:
        """Code points so far."""
        return self._length

    def _block(self, said: str, apart: str = "\n\n") -> None:
        said = (apart if self._length else "") + normalise(said)
        self._pieces.append(said)
        self._length += len(said)
        self._listing = False


def clean(said: str) -> str:
    """Return text without what no reader sees."""
    return _UNSEEN.sub("", normalise(said))
