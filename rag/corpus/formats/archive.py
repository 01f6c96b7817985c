"""Zipped documents (Office, OpenDocument, EPUB), opened within bounds."""

import zipfile
import zlib
from io import BytesIO

from lxml import etree

from rag.corpus.values import Unreadable

MOST_MB = 512
"""What the parts of a document may take together when they are unpacked."""
MOST_PARTS = 20_000
_TYPES = "[Content_Types].xml"
_WORD = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_SHOW = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
_PLAIN = (
    (b"application/vnd.ms-word.document.macroEnabled.main+xml", _WORD),
    (b"application/vnd.ms-word.template.macroEnabledTemplate.main+xml", _WORD),
    (_WORD.replace(b"document.main", b"template.main"), _WORD),
    (b"application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml", _SHOW),
    (_SHOW.replace(b"presentation.main", b"slideshow.main"), _SHOW),
    (_SHOW.replace(b"presentation.main", b"template.main"), _SHOW),
)
"""What templates, shows and files with macros are called, and what is read alike."""


def opened(data: bytes) -> zipfile.ZipFile:
    """Return a document's archive; raises `Unreadable` where it is damaged, or would grow too large.

    An archive cannot unpack to more than it declares: what is beyond is not read.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise Unreadable("it is damaged, or cut off") from None
    parts = archive.infolist()
    size = sum(part.file_size for part in parts) / 1e6
    if size > MOST_MB or len(parts) > MOST_PARTS:
        raise Unreadable(
            f"it unpacks to {size:,.0f} MB in {len(parts)} parts, more than {MOST_MB} MB or "
            f"{MOST_PARTS} parts"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("it is protected by a password; save it without one")
    return archive


def as_plain(archive: zipfile.ZipFile, data: bytes) -> bytes:
    """Return a template, a show, or a file with macros as the plain document that it is otherwise."""
    types = part(archive, _TYPES) if _TYPES in archive.namelist() else b""
    plain = types
    for other, usual in _PLAIN:
        plain = plain.replace(other, usual)
    if plain == types:
        return data
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for name in archive.namelist():
            written.writestr(name, plain if name == _TYPES else part(archive, name))
    return out.getvalue()


def part(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a part's bytes; raises `Unreadable` where it is missing or damaged."""
    try:
        return archive.read(name)
    except KeyError:
        raise Unreadable(f"its part {name} is missing") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError):
        raise Unreadable(f"its part {name} is damaged") from None


def xml(data: bytes) -> etree._Element:
    """Return the root of an XML part; its entities are not followed. Raises `Unreadable`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"its XML is damaged: {error.msg}") from None
