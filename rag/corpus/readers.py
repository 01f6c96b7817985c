"""A reader turns one file into documents; `READERS` is the seam for further formats."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rag.corpus.decode import decode, normalise
from rag.corpus.values import Failure, Found, Unreadable
from rag.errors import CorpusError
from rag.types import Document, Notice

_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a source, its bytes read."""

    id: str
    data: bytes
    notices: list[Notice] = field(default_factory=list)

    def text(self) -> str:
        r"""Return its text as it will be indexed: decoded, newlines as `\n`, NFC."""
        return normalise(self._decoded())

    def lines(self) -> list[str]:
        """Return its lines as they stand: NFC would join an escape's letter with a mark after it."""
        return self._decoded().replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def _decoded(self) -> str:
        text, legacy = decode(self.data)
        if legacy:
            self.notices.append(
                Notice("legacy_encoding", f"{self.id} was read as {legacy}, which is a guess.")
            )
        return text


Reader = Callable[[File], Iterable[Document | Failure]]


def _named(file: File) -> str:
    return Path(file.id).stem.replace("_", " ").replace("-", " ")


def read_plain(file: File) -> Iterator[Document]:
    """Read a text file; its title is its name."""
    yield Document(file.id, _some(file.text()), _named(file))


def read_markdown(file: File) -> Iterator[Document]:
    """Read Markdown; its title is the heading that it begins with, or else its name."""
    text = _some(file.text())
    first = next((line for line in text.split("\n") if line.strip()), "")
    title = first.strip("# \t") if first.startswith("# ") else ""
    yield Document(file.id, text, title or _named(file), markup="markdown")


def read_jsonl(file: File) -> Iterator[Document | Failure]:
    """Read one document a line: `{"id","text","title"?,"meta"?}`."""
    some = False
    for number, line in enumerate(file.lines(), 1):
        if not line.strip():
            continue
        some = True
        try:
            yield document_from(json.loads(line))
        except RecursionError:
            yield Failure(f"{file.id}:{number}", "the line nests too deeply", file.id)
        except Unreadable as news:
            yield Failure(f"{file.id}:{number}", str(news), file.id, news.lost)
        except ValueError as error:
            yield Failure(f"{file.id}:{number}", f"the line is no JSON: {error}", file.id)
    if not some:
        raise Unreadable("it is empty", lost=False)


def document_from(value: Any) -> Document:
    """Return the document that a decoded JSON value describes; raises `Unreadable`."""
    if not isinstance(value, Mapping):
        raise Unreadable("it is no object with id and text")
    doc, text = value.get("id"), value.get("text")
    title, meta = value.get("title") or "", value.get("meta") or {}
    if not isinstance(doc, str) or not doc.strip():
        raise Unreadable("it has no id (a string)")
    if not isinstance(text, str):
        raise Unreadable(f"{doc!r} has no text (a string)")
    if not isinstance(title, str) or not isinstance(meta, dict):
        raise Unreadable(f"{doc!r}: title must be a string and meta an object")
    return _whole(Document(doc, _some(normalise(text)), normalise(title), meta))


def _whole(document: Document) -> Document:
    """Return a document that can be written as UTF-8 and JSON; raises `Unreadable`."""
    try:
        meta = json.dumps(dict(document.meta), ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise Unreadable(f"{document.id!r} has a meta that JSON cannot hold: {error}") from None
    if any(_HALF.search(part) for part in (document.id, document.text, document.title, meta)):
        raise Unreadable(f"{document.id!r} holds half of a surrogate pair, which is no character")
    return document


def found_in_memory(
    documents: Iterable[Document | Mapping[str, Any] | str],
) -> Iterator[tuple[int, Found]]:
    """Yield documents given as values, as if they had been read from source 0.

    Raises `CorpusError` for one that cannot be used.
    """
    for number, value in enumerate(documents):
        try:
            if isinstance(value, Document):
                document = _whole(replace(value, text=_some(normalise(value.text))))
            elif isinstance(value, str):
                document = _whole(Document(str(number), _some(normalise(value))))
            else:
                document = document_from(value)
        except Unreadable as news:
            raise CorpusError(f"Document {number} cannot be used: {news}.") from None
        yield 0, Found(document, "")


def _some(text: str) -> str:
    if not text.strip():
        raise Unreadable("it is empty", lost=False)
    return text


READERS: dict[str, Reader] = {
    ".txt": read_plain,
    ".text": read_plain,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".jsonl": read_jsonl,
}
