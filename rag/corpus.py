"""Seeds on disk → `Document`s; what cannot be read is reported with its reason, never fatal.

A reader turns one file's bytes into documents; `READERS` is the seam for further formats.
"""

import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rag.errors import CorpusError, SeedsNotFoundError
from rag.text import language
from rag.types import Document, Notice

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SAMPLE = 1 << 16
_CENTRAL = frozenset({"cp1250", "iso8859_2", "mac_latin2", "cp852", "cp1257", "cp1254", "iso8859_9"})
_WESTERN = frozenset({"da", "de", "en", "es", "fi", "fr", "it", "nl", "no", "pt", "sv"})
"""Encodings that are guessed for short texts in these languages, whose own is another."""
_HALF = re.compile("[\ud800-\udfff]")


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


def read_source(
    source: Path, max_file_mb: float, index: Path | None = None
) -> Iterator[Found | Failure]:
    """Yield the documents of a folder (recursively, in the order of their paths) or of one file.

    A document's id is its path below the folder, with `/`; in a `.jsonl` corpus, the line's `id`.
    Hidden files and folders are left alone, and so is the `index` where it lies inside. Raises
    `SeedsNotFoundError`.
    """
    if not source.exists():
        raise SeedsNotFoundError(f"There are no seeds at {source}; name a folder or a file.")
    for name, path in _files(source, index.resolve() if index else None):
        if isinstance(path, Failure):
            yield path
        else:
            yield from _read_file(name, path, max_file_mb * 1e6)


def _files(source: Path, index: Path | None) -> Iterator[tuple[str, Path | Failure]]:
    if source.is_file():
        yield source.name, source
        return
    root = source.resolve()
    found: list[tuple[str, Path | Failure]] = []

    def closed(error: OSError) -> None:
        doc = Path(error.filename).relative_to(source).as_posix()
        found.append((doc, Failure(_shown(doc), f"it cannot be opened: {error.strerror}", doc)))

    for folder, folders, files in os.walk(source, onerror=closed):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (index is None or Path(folder, name).resolve() != index)
        )
        for name in sorted(folders):
            path = Path(folder, name)
            if path.is_symlink():
                doc = path.relative_to(source).as_posix()
                reason = "a link to a folder is not followed; name that folder as a source"
                found.append((doc, Failure(_shown(doc), reason, doc, lost=False)))
        for name in files:
            if name.startswith("."):
                continue
            path = Path(folder, name)
            doc = path.relative_to(source).as_posix()
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                reason = "a link that leaves the folder is not followed"
                found.append((doc, Failure(_shown(doc), reason, doc, lost=False)))
            else:
                found.append((doc, path))
    yield from sorted(found, key=lambda item: os.fsencode(item[0]))


def _read_file(name: str, path: Path, limit: float) -> Iterator[Found | Failure]:
    shown = _shown(name)
    reader = READERS.get(path.suffix.lower())
    try:
        if shown != name:
            raise Unreadable("its name is not valid Unicode; rename it")
        if reader is None:
            known = ", ".join(sorted(READERS))
            raise Unreadable(
                f"no reader for {path.suffix or 'files without a suffix'}; we read {known}"
            )
        if not path.is_file():
            raise Unreadable("it is not a regular file, or its link leads nowhere")
        size = path.stat().st_size
        if size > limit:
            raise Unreadable(
                f"it has {size / 1e6:.1f} MB, more than max_file_mb = {limit / 1e6:g} allows"
            )
        file = File(name, path.read_bytes())
        for item in reader(file):
            if isinstance(item, Failure):
                yield item
            else:
                yield Found(item, name, tuple(file.notices))
                file.notices.clear()
    except Unreadable as news:
        yield Failure(shown, str(news), name, news.lost)
    except OSError as error:
        yield Failure(shown, f"it cannot be opened: {error.strerror or error}", name)


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def decode(data: bytes) -> tuple[str, str | None]:
    """Return the text of `data`, and the encoding's name where it had to be guessed.

    Raises `Unreadable` for bytes that are no text.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding), None
            except UnicodeDecodeError as error:
                raise Unreadable(f"it begins as {encoding} but breaks at byte {error.start}") from None
    sample = data[:_SAMPLE]
    if b"\x00" in sample:
        return _utf16(data), None
    if sum(byte < 9 or (13 < byte < 32 and byte != 27) for byte in sample) > max(3, len(sample) // 100):
        raise Unreadable("it is binary, not text")
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    if best is None:
        raise Unreadable("its encoding cannot be told; save it as UTF-8")
    western = data.decode("cp1252", "replace")
    if best.encoding in _CENTRAL and "\ufffd" not in western and language(western) in _WESTERN:
        return western, "cp1252"
    return str(best), best.encoding


def _utf16(data: bytes) -> str:
    """Decode UTF-16 without a mark, by where the zero bytes of its blanks and letters stand."""
    sample = data[: _SAMPLE // 2 * 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(data) % 2 == 0 and max(even, odd) > max(len(sample) // 4, 4 * min(even, odd)):
        try:
            text = data.decode("utf-16-le" if odd > even else "utf-16-be")
        except UnicodeDecodeError:
            text = ""
        if text and all(char.isprintable() or char.isspace() for char in text[:_SAMPLE]):
            return text
    raise Unreadable("it is binary, not text")


def normalise(text: str) -> str:
    r"""Return `text` as it is indexed: newlines as `\n`, NFC."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


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
