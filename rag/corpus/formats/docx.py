"""DOCX: paragraphs with their headings, lists, tables, notes and comments (python-docx; MIT)."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import docx
import regex
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn

from rag.corpus.formats.archive import as_plain, opened, part, xml
from rag.corpus.formats.written import CELL, Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.types import Document

_HEADING = regex.compile(r"^(?:heading|überschrift|titre|título|titolo|заголовок|标题)\s*(\d)", regex.I)
_GONE = {qn(f"w:{name}") for name in ("del", "moveFrom", "instrText", "rPr", "pPr", "sdtPr")} | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}
_TEXTS = {qn("w:t"), "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}
_SIGNS = {
    qn("w:tab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_NOTES = ("word/footnotes.xml", "word/endnotes.xml", "word/comments.xml")


def read_docx(file: File) -> Iterator[Document]:
    """Read a document of Word; footnotes, endnotes and comments stand at its end."""
    archive = opened(file.data)
    try:
        document = docx.Document(BytesIO(as_plain(archive, file.data)))
    except (PackageNotFoundError, KeyError, ValueError):
        raise Unreadable("it is no Word document that we understand") from None
    styles = {style.style_id: style.name or "" for style in document.styles}
    written = Written()
    _write(document.element.body, written, styles)
    for name in _NOTES:
        if name in archive.namelist():
            for note in xml(part(archive, name)):
                for said in map(_said, note.iter(qn("w:p"))):
                    written.paragraph(said)
    yield written.document(file.id, written.first_heading or named(file))


def _write(parent: Any, written: Written, styles: dict[str, str]) -> None:
    for child in parent:
        if child.tag == qn("w:p"):
            _paragraph(child, written, styles)
        elif child.tag == qn("w:tbl"):
            _table(child, written, styles)
        elif child.tag in (qn("w:sdt"), qn("w:ins"), qn("w:customXml")):
            content = child.find(qn("w:sdtContent"))
            _write(child if content is None else content, written, styles)


def _paragraph(paragraph: Any, written: Written, styles: dict[str, str]) -> None:
    said = _said(paragraph)
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    name = styles.get(style.get(qn("w:val")), "") if style is not None else ""
    numbered = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    if name.lower() == "title":
        written.heading(1, said)
    elif match := _HEADING.match(name):
        written.heading(int(match[1]), said)
    elif numbered is not None or name.lower().startswith("list "):
        depth = numbered.find(qn("w:ilvl")) if numbered is not None else None
        written.item(said, int(depth.get(qn("w:val"), 0)) if depth is not None else 0)
    else:
        written.paragraph(said)
    for box in paragraph.iter(qn("w:txbxContent")):
        if not any(above.tag in _GONE for above in box.iterancestors()):
            _write(box, written, styles)


def _table(table: Any, written: Written, styles: dict[str, str]) -> None:
    """Write a table's rows, or what stands in its cells where it only arranges the page."""
    rows = [list(row.iterchildren(qn("w:tc"))) for row in table.iterchildren(qn("w:tr"))]
    cells = [cell for row in rows for cell in row]
    texts = {cell: " ".join(map(_said, cell.iterchildren(qn("w:p")))) for cell in cells}
    nests = any(cell.find(f".//{qn('w:tbl')}") is not None for cell in cells)
    longest = max((len(said) for said in texts.values()), default=0)
    if nests or longest > CELL or max(map(len, rows), default=0) < 2:
        for cell in cells:
            _write(cell, written, styles)
    else:
        written.table([[texts[cell] for cell in row] for row in rows])


def _said(paragraph: Any) -> str:
    """Return a paragraph's text, formulas included, without what was deleted or stands in boxes."""
    said: list[str] = []
    steps = [paragraph]
    while steps:
        element = steps.pop()
        if element.tag in _TEXTS:
            said.append(element.text or "")
        elif element.tag in _SIGNS:
            said.append(_SIGNS[element.tag])
        elif element.tag not in _GONE and element.tag != qn("w:txbxContent"):
            steps.extend(reversed(element))
    return "".join(said)
