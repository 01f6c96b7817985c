"""Files of many formats, made as their programs make them, and what is read of them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap

from reportlab.pdfgen.canvas import Canvas

from rag.corpus import Failure, Found, Limits, read_source
from rag.types import Document

LIMITS = Limits(seconds=20, memory_mb=512)

RIVER = (
    "In the spring of the year the river rose above its banks and the people of the lower town "
    "carried their goods to the church on the hill, where they stayed for nine days. When the water "
    "fell, the mill was gone. Nobody had heard it break. "
) * 2
BRIDGE = (
    "A bridge of stone was built in the place of the old one between 1702 and 1709 by masons from "
    "the north. The toll was a penny for a man and two for a horse. In 1988 the toll was ended, and "
    "the house of the keeper became a museum of the river. "
) * 2


def pdf(*pages: Sequence[str], password: str | None = None) -> bytes:
    """Return a PDF of pages of paragraphs."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(420, 595), encrypt=password)
    for page in pages:
        y = 560
        for paragraph in page:
            for line in wrap(paragraph, 66):
                canvas.drawString(40, y, line)
                y -= 14
            y -= 14
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def columns(left: str, right: str, order: str) -> bytes:
    """Return a PDF of two columns, drawn `across`, or `right` one first."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    canvas.setFont("Helvetica", 10)
    canvas.drawString(200, 800, "The River and the Bridge")
    lines = [wrap(left, 46), wrap(right, 46)]
    drawn = [
        (x, 770 - 12 * at, said)
        for x, s in zip((50, 310), lines, strict=True)
        for at, said in enumerate(s)
    ]
    key = (
        (lambda each: (-each[1], each[0])) if order == "across" else (lambda each: (-each[0], -each[1]))
    )
    for x, y, said in sorted(drawn, key=key):
        canvas.drawString(x, y, said)
    canvas.drawString(50, 400, "This note stands below both columns and reaches over the whole width.")
    canvas.save()
    return out.getvalue()


def turned(lines: Sequence[str], degrees: int) -> bytes:
    """Return a PDF whose page is shown turned clockwise, with text that then stands upright."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(300, 300))
    canvas.setPageRotation(degrees)
    canvas.translate(150, 150)
    canvas.rotate(degrees)
    canvas.translate(-150, -150)
    for at, line in enumerate(lines):
        canvas.drawString(40, 260 - 60 * at, line)
    canvas.save()
    return out.getvalue()


def picture_pdf() -> bytes:
    """Return a PDF whose only page is a picture."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(200, 200))
    canvas.drawImage(ImageReader(Image.new("RGB", (60, 60), "white")), 10, 10, 180, 180)
    canvas.save()
    return out.getvalue()


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip of the given parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in parts.items():
            zipped.writestr(name, data)
    return out.getvalue()


def changed(data: bytes, parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip with some of its parts replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        known = {name: zipped.read(name) for name in zipped.namelist()}
    return archive({**known, **parts})


def docx(fill: bool = True) -> bytes:
    """Return a Word document with headings, a list, a table and a comment."""
    import docx as word

    document = word.Document()
    if fill:
        document.add_heading("The mill", 0)
        document.add_paragraph("The mill was built in 1702.")
        document.add_heading("Its end", 1)
        lost = document.add_paragraph("The flood took it.")
        document.add_paragraph("nine days of rain", style="List Bullet")
        table = document.add_table(rows=2, cols=2)
        for cell, said in zip(
            (c for r in table.rows for c in r.cells), ("Year", "Toll", "1988", "none"), strict=True
        ):
            cell.text = said
        document.add_comment(lost.runs, "Is that certain?", author="Ada")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def nested_docx() -> bytes:
    """Return a Word document with a table in a table, and one that only arranges the page."""
    import docx as word

    document = word.Document()
    outer = document.add_table(rows=1, cols=2)
    outer.cell(0, 0).text = "outer"
    inner = outer.cell(0, 0).add_table(rows=1, cols=2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "inner 1", "inner 2"
    outer.cell(0, 1).text = "beside"
    layout = document.add_table(rows=1, cols=1)
    layout.cell(0, 0).paragraphs[0].text = "Heading"
    layout.cell(0, 0).paragraphs[0].style = "Heading 1"
    layout.cell(0, 0).add_paragraph("A paragraph.")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def retyped(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """Return a zip in whose part one type stands for another."""
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        known = zipped.read(name)
    assert old in known
    return changed(data, {name: known.replace(old, new)})


def pptx() -> bytes:
    """Return a presentation of two slides with notes."""
    import pptx as point

    show = point.Presentation()
    for title, said, note in (
        ("Tolls", "A penny for a man", "Say it slowly."),
        ("Floods", "Nine days", ""),
    ):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = said
        if note:
            slide.notes_slide.notes_text_frame.text = note
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """Return a workbook."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    book.close()
    return out.getvalue()


_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def odt(body: str) -> bytes:
    """Return an OpenDocument text."""
    names = " ".join(f'xmlns:{name}="{_OFFICE}:{name}:1.0"' for name in ("office", "text", "table"))
    content = (
        f"<office:document-content {names}><office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>"
    )
    return archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def epub(
    pages: Mapping[str, str], title: str = "The mill", spine: Sequence[str] | None = None
) -> bytes:
    """Return a book of pages."""
    items = "".join(f'<item id="{name}" href="{name}" media-type="x"/>' for name in spine or pages)
    refs = "".join(f'<itemref idref="{name}"/>' for name in spine or pages)
    container = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
    book = (
        f'<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>{title}</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{refs}</spine></package>"
    )
    texts = {f"OPS/{name}": f"<html><body>{said}</body></html>" for name, said in pages.items()}
    return archive({"META-INF/container.xml": container, "OPS/book.opf": book, **texts})


def written(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files into a folder and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def read(
    folder: Path, limits: Limits = LIMITS
) -> tuple[dict[str, Document], dict[str, str], list[str]]:
    """Return the documents of a folder, the reasons of those left out, and the codes of notices."""
    found: dict[str, Document] = {}
    failed: dict[str, str] = {}
    codes: list[str] = []
    for item in read_source(folder, 64, limits=limits):
        if isinstance(item, Found):
            found[item.document.id] = item.document
            codes += [notice.code for notice in item.notices]
        elif isinstance(item, Failure):
            failed[item.doc] = item.reason
    return found, failed, codes


def one(folder: Path, name: str, data: bytes | str) -> Document:
    """Return the document of a file that is written into a folder."""
    found, failed, _ = read(written(folder, {name: data}))
    assert not failed
    return found[name]


def right_to_left(*lines: Sequence[str]) -> bytes:
    """Return a PDF of lines that are given as their signs, first read first; a number is one sign.

    Each sign stands left of the one before; the font says for which letters.
    """
    signs = sorted({sign for line in lines for sign in line if not sign.isascii()})
    codes = {sign: 0xA1 + at for at, sign in enumerate(signs)}
    stands_for = [f"<{code:02X}> <{sign.encode('utf-16-be').hex()}>" for sign, code in codes.items()]
    said = f"1 begincodespacerange <00> <FF> endcodespacerange {len(stands_for)} beginbfchar " + (
        " ".join(stands_for) + " endbfchar"
    )
    drawn = []
    for at, line in enumerate(lines):
        shown = "".join(
            f"{codes[sign]:02X}" if sign in codes else sign.encode().hex() for sign in reversed(line)
        )
        drawn.append(f"BT /F 10 Tf 40 {500 - 14 * at} Td <{shown}> Tj ET")
    widths = " ".join(["600"] * 224)
    font = f"<</Type/Font/Subtype/TrueType/BaseFont/Courier/FirstChar 32/LastChar 255/Widths[{widths}]"
    parts = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 420 595]>>",
        "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        _stream("\n".join(drawn)),
        f"{font}/Encoding/WinAnsiEncoding/ToUnicode 6 0 R>>",
        _stream(said),
    ]
    body = "".join(f"{at} 0 obj\n{part}\nendobj\n" for at, part in enumerate(parts, 1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R>>\n%%EOF\n".encode("latin-1")


def _stream(said: str) -> str:
    return f"<</Length {len(said)}>>stream\n{said}\nendstream"
