"""Readers of text; a reader turns one file into documents. `formats` holds those of all else."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from rag.corpus.decode import decode, normalise
from rag.corpus.values import Failure, Found, Unreadable
from rag.errors import CorpusError
from rag.types import Document, Notice

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)\n*", re.DOTALL)
_ALIAS = re.compile(r"(?m)(?:^|[\s\[{,:])\*[\w-]|<<\s*:")
"""What stands for a value that was given before."""
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a source, its bytes read."""

    id: str
    data: bytes
    notices: list[Notice] = field(default_factory=list)

    def notice(self, code: str, said: str) -> None:
        """Have something of this file told."""
        self.notices.append(Notice(code, f"{self.id}: {said}."))

    def text(self) -> str:
        r"""Return its text as it will be indexed: decoded, newlines as `\n`, NFC."""
        return normalise(self._decoded())

    def lines(self) -> list[str]:
        """Return its lines as they stand: NFC would join an escape's letter with a mark after it."""
        return self._decoded().replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def _decoded(self) -> str:
        text, legacy = decode(self.data)
        if legacy:
            self.notice("legacy_encoding", f"it was read as {legacy}, which is a guess")
        return text


Reader = Callable[[File], Iterable[Document | Failure]]


def named(file: File) -> str:
    """Return a title for a file that has none: its name, in words."""
    return Path(file.id).stem.replace("_", " ").replace("-", " ")


def read_plain(file: File) -> Iterator[Document]:
    """Read a text file; its title is its name."""
    yield Document(file.id, _some(file.text()), named(file))


def read_markdown(file: File) -> Iterator[Document]:
    """Read Markdown; its title is its front matter's, the heading that it begins with, or its name.

    Front matter becomes `meta`, as far as its values are plain ones or lists of such, and is no text.
    """
    meta, text = _parted(_some(file.text()))
    first = next((line for line in text.split("\n") if line.strip()), "")
    heading = first.strip("# \t") if first.startswith("# ") else ""
    title = meta.pop("title", None) or heading or named(file)
    yield whole(Document(file.id, _some(text), str(title), meta, markup="markdown"))


def _parted(text: str) -> tuple[dict[str, Any], str]:
    """Return a page's front matter and what follows; none where it is no mapping in YAML."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    import yaml

    if _ALIAS.search(match[1]):
        return {}, text  # a few of them can stand for gigabytes
    try:
        value = yaml.safe_load(match[1])
    except Exception:
        return {}, text
    if not isinstance(value, Mapping):
        return {}, text
    plain = {str(key): _plain(each) for key, each in value.items()}
    return {key: each for key, each in plain.items() if each is not None}, text[match.end() :]


def _plain(value: Any) -> Any:
    """Return a value that can be filtered by, dates as text; None for one that cannot."""
    if isinstance(value, list):
        several = [_plain(each) for each in value if not isinstance(each, list)]
        return [each for each in several if each is not None]
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else None


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
    return whole(Document(doc, _some(normalise(text)), normalise(title), meta))


def whole(document: Document) -> Document:
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
                document = whole(replace(value, text=_some(normalise(value.text))))
            elif isinstance(value, str):
                document = whole(Document(str(number), _some(normalise(value))))
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
    "plain": read_plain,
    "markdown": read_markdown,
    "jsonl": read_jsonl,
}
