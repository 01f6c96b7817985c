"""EPUB: the pages of a book in the order of its spine."""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from rag.corpus.formats.archive import opened, part, xml
from rag.corpus.formats.html import parsed, write_html
from rag.corpus.formats.written import Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.types import Document

_MARK = "\ufeff"
_CONTAINER = "META-INF/container.xml"
_LOCKED = "META-INF/encryption.xml"


def read_epub(file: File) -> Iterator[Document]:
    """Read a book; its headings say where in it we are."""
    archive = opened(file.data)
    known = set(archive.namelist())
    roots = xml(part(archive, _CONTAINER)).iter("{*}rootfile")
    package = next((root.get("full-path", "") for root in roots), "")
    book = xml(part(archive, package))
    locked = part(archive, _LOCKED) if _LOCKED in known else b""
    pages = {
        item.get("id"): posixpath.normpath(
            posixpath.join(posixpath.dirname(package), unquote(item.get("href", "")))
        )
        for item in book.iter("{*}item")
        if "nav" not in item.get("properties", "").split()
    }
    written, missing = Written(), 0
    for reference in book.iter("{*}itemref"):
        name = pages.get(reference.get("idref"))
        if name is None:
            continue
        if name not in known:
            missing += 1
            continue
        if name.encode() in locked:
            raise Unreadable("it is protected against copying")
        page = part(archive, name).decode("utf-8", "replace")
        body = parsed(f"<?xml?>{page.removeprefix(_MARK)}").body
        if body is not None:
            write_html(body, written)
    if missing:
        file.notice("parts_missing", f"{missing} of its pages are missing")
    title = next((said.text or "" for said in book.iter("{*}title")), "")
    yield written.document(file.id, title.strip() or named(file))
