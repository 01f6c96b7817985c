"""PPTX: slide by slide, the title first, then what stands on it, then the notes (python-pptx; MIT)."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pptx
from pptx.exc import PackageNotFoundError
from pptx.util import Length

from rag.corpus.formats.archive import as_plain, opened
from rag.corpus.formats.written import Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.types import Document


def read_pptx(file: File) -> Iterator[Document]:
    """Read a presentation; each slide is a place, its title a heading."""
    archive = opened(file.data)
    try:
        slides = pptx.Presentation(BytesIO(as_plain(archive, file.data))).slides
    except (PackageNotFoundError, KeyError, ValueError, AttributeError):
        raise Unreadable("it is no presentation that we understand") from None
    written = Written()
    for number, slide in enumerate(slides, 1):
        written.place(f"slide {number}")
        title = slide.shapes.title
        if title is not None:
            written.heading(2, title.text_frame.text)
        for shape in _shapes(slide.shapes):
            if title is not None and shape.shape_id == title.shape_id:
                continue
            try:
                _write(shape, written)
            except (ValueError, KeyError, AttributeError):  # python-pptx does not know all charts
                file.notice("part_unreadable", f"something on slide {number} cannot be read")
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            for line in slide.notes_slide.notes_text_frame.text.splitlines():
                written.paragraph(line)
    yield written.document(file.id, named(file))


def _shapes(shapes: Any) -> Iterator[Any]:
    """Yield shapes as they are read, from above and from the left, those of groups one by one."""
    for shape in sorted(shapes, key=_place):
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _place(shape: Any) -> tuple[Length, Length]:
    return shape.top or Length(0), shape.left or Length(0)


def _write(shape: Any, written: Written) -> None:
    if shape.has_text_frame:
        for paragraph in shape.text_frame.paragraphs:
            said = paragraph.text.replace("\v", "\n")
            if paragraph.level or shape.is_placeholder:
                written.item(said, paragraph.level)
            else:
                written.paragraph(said)
    elif getattr(shape, "has_table", False):
        written.table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        _write_chart(shape.chart, written)


def _write_chart(chart: Any, written: Written) -> None:
    if chart.has_title and chart.chart_title.has_text_frame:
        written.paragraph(chart.chart_title.text_frame.text)
    for plot in chart.plots:
        series = list(plot.series)
        rows = [["", *(each.name for each in series)]]
        for at, category in enumerate(plot.categories):
            rows.append([str(category), *(_value(each.values, at) for each in series)])
        written.table(rows)


def _value(values: Any, at: int) -> str:
    return "" if at >= len(values) or values[at] is None else f"{values[at]:.15g}"
