"""What kind a file is of: by its name, unless its first bytes say otherwise."""

import zipfile
from importlib import import_module
from importlib.metadata import version
from io import BytesIO
from pathlib import PurePosixPath

import regex

from rag.corpus.decode import decode
from rag.corpus.readers import Reader
from rag.corpus.values import Unreadable

_FORMATS = {
    "pdf": "pdf:read_pdf",
    "docx": "docx:read_docx",
    "pptx": "pptx:read_pptx",
    "sheets": "rows:read_sheets",
    "csv": "rows:read_csv",
    "odf": "odf:read_odf",
    "epub": "epub:read_epub",
    "html": "html:read_html",
    "json": "data:read_json",
    "notebook": "data:read_notebook",
    "rtf": "mail:read_rtf",
    "eml": "mail:read_eml",
    "msg": "mail:read_msg",
}
"""Module and function of each format that is read by a worker."""
_SUFFIXES = {
    **dict.fromkeys((".txt", ".text", ".log"), "plain"),
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".htm", ".html", ".xhtml"), "html"),
    **dict.fromkeys((".docx", ".docm", ".dotx"), "docx"),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx"), "pptx"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "sheets"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".odt", ".ott", ".odp"), "odf"),
    ".pdf": "pdf",
    ".epub": "epub",
    ".json": "json",
    ".ipynb": "notebook",
    ".rtf": "rtf",
    ".eml": "eml",
    ".msg": "msg",
}
_TEXTUAL = frozenset("plain markdown jsonl html csv json notebook eml".split())
"""Kinds whose files are text, so that binary bytes at the head of one say that it is another."""
_LIBRARIES = (
    "charset-normalizer",
    "lxml",
    "pypdfium2",
    "python-calamine",
    "python-docx",
    "python-oxmsg",
    "python-pptx",
    "PyYAML",
    "selectolax",
    "striprtf",
)
_BLANK = b"\xef\xbb\xbf \t\r\n"
_HEAD = 4096
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARTS = (
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("xl/workbook.xml", "sheets"),
    ("xl/workbook.bin", "sheets"),
    ("META-INF/container.xml", "epub"),
    ("content.xml", "odf"),
)
_FOLDERS = (("word", "docx"), ("ppt", "pptx"), ("xl", "sheets"))
_STREAMS = (
    ("__properties_version1.0", "msg"),
    ("EncryptedPackage", "it is protected by a password; save it without one"),
    ("WordDocument", "it is an old Word document; save it as .docx"),
    ("PowerPoint Document", "it is an old presentation; save it as .pptx"),
    ("Workbook", "sheets"),
    ("Book", "sheets"),
)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*")
_ARCHIVES = (b"\x1f\x8b\x08", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\x00")
_PAGE = regex.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html)\b", regex.I | regex.S
)


def kind_of(name: str, data: bytes) -> str:
    """Return the kind of a file; raises `Unreadable` for one that we have no reader for."""
    suffix = PurePosixPath(name).suffix.lower()
    named = named_kind(name)
    if (seen := _seen(data, named)) is not None:
        return seen
    return named if named in _TEXTUAL else _otherwise(suffix, named, data)


def named_kind(name: str) -> str | None:
    """Return the kind that a file's name says it is of."""
    return _SUFFIXES.get(PurePosixPath(name).suffix.lower())


def reader_of(kind: str) -> Reader:
    """Return what reads files of a kind."""
    module, _, function = _FORMATS[kind].partition(":")
    found: Reader = getattr(import_module(f"rag.corpus.formats.{module}"), function)
    return found


def known_suffixes() -> list[str]:
    """Return the suffixes that we have a reader for."""
    return sorted(_SUFFIXES)


def reader_versions() -> dict[str, str]:
    """Return the versions of the libraries that what is read depends on."""
    return {name: version(name) for name in _LIBRARIES}


def _seen(data: bytes, named: str | None) -> str | None:
    """Return the kind that a file's bytes tell, or None; raises `Unreadable` for one without text."""
    head = data[:_HEAD]
    if b"%PDF-" in (head[:1024] if named not in _TEXTUAL else head.lstrip(_BLANK)[:5]):
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data)
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith(_OLE):
        return _compound(data)
    if head.startswith(_PICTURES):
        raise Unreadable("it is a picture; have its text recognised (OCR) first")
    if head.startswith(_ARCHIVES):
        raise Unreadable("it is an archive; unpack it")
    return "html" if _PAGE.match(head) else None


def _zipped(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and b"spreadsheet" in archive.open("mimetype").read(100):
                return "sheets"
    except Exception:
        return None
    for part, kind in _PARTS:
        if part in names:
            return kind
    if "[Content_Types].xml" in names:
        folders = {name.partition("/")[0] for name in names}
        return next((kind for folder, kind in _FOLDERS if folder in folders), None)
    raise Unreadable("it is an archive; unpack it")


def _compound(data: bytes) -> str:
    """Return what a file is that Office of before 2007 wrote, or that it encrypted."""
    for stream, kind in _STREAMS:
        if stream.encode("utf-16-le") in data:
            if " " in kind:
                raise Unreadable(kind)
            return kind
    raise Unreadable("it is a kind of Office file that we do not read")


def _otherwise(suffix: str, named: str | None, data: bytes) -> str:
    """Return what a file is whose name says nothing, or nothing that its bytes bear out."""
    if named is not None and not data:
        raise Unreadable("it is empty")
    try:
        decode(data)
    except Unreadable:
        if named is None:
            said = f"no reader for {suffix or 'files without a suffix'}; we read text"
            raise Unreadable(f"{said} and {', '.join(known_suffixes())}") from None
        raise Unreadable(f"it is damaged or cut off, or no {suffix} file at all") from None
    return "plain"
