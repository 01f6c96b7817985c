"""Rows of sheets and of CSV as lines that can be read, and quoted, by themselves."""

import csv
import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO, StringIO
from typing import Any

import python_calamine
import regex

from rag.corpus.formats.written import Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.types import Document

_NUMBER = regex.compile(r"[-+]?[\p{Sc}]?\d[\d.,\s]*%?[\p{Sc}]?")
_DELIMITERS = "\t;|,"
_SAMPLE = 50
"""Lines by which the delimiter is told."""


def read_sheets(file: File) -> Iterator[Document]:
    """Read a workbook (XLSX, XLS, ODS); each sheet is a place and a heading."""
    try:
        book = python_calamine.CalamineWorkbook.from_object(BytesIO(file.data))
    except python_calamine.PasswordError:
        raise Unreadable("it is protected by a password; save it without one") from None
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise Unreadable(f"it is no workbook that we understand: {error}") from None
    written = Written()
    for name in book.sheet_names:
        try:
            sheet = book.get_sheet_by_name(name).iter_rows()
        except (python_calamine.CalamineError, ValueError):
            file.notice("sheet_unreadable", f"its sheet {name!r} cannot be read")
            continue
        rows = ([_shown(cell) for cell in row] for row in sheet)
        written.place(f"sheet {name}")
        write_rows(rows, written, heading=name)
    yield written.document(file.id, named(file))


def read_csv(file: File) -> Iterator[Document]:
    """Read CSV or TSV, whatever its delimiter is."""
    text = file.text()
    csv.field_size_limit(1 << 26)
    written = Written()
    try:
        write_rows(csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text)), written)
    except csv.Error as error:
        raise Unreadable(f"it is no CSV that we understand: {error}") from None
    yield written.document(file.id, named(file))


def write_rows(rows: Iterable[Sequence[str]], written: Written, heading: str = "") -> None:
    """Write a line for each row that holds something, with the names of its columns where it has some.

    Columns have names if the first row names each of them, and none with a number.
    """
    names: Sequence[str] | None = None
    began = False
    for cells in rows:
        kept = [" ".join(cell.split()) for cell in cells]
        if not any(kept):
            continue
        if not began:
            began = True
            written.heading(1, heading)
            named_well = len(kept) > 1 and all(kept) and len(set(kept)) == len(kept)
            if named_well and not any(_NUMBER.fullmatch(cell) for cell in kept):
                names = kept
                written.item("; ".join(kept))
                continue
        if names is None:
            written.item(" | ".join(cell for cell in kept if cell))
        else:
            some = zip([*names, *[""] * len(kept)], kept, strict=False)
            written.item("; ".join(f"{name}: {cell}" if name else cell for name, cell in some if cell))


def _delimiter(text: str) -> str:
    """Return what parts most of the first lines into the same number of cells, more than one."""
    lines = [line for line in text.split("\n", _SAMPLE)[:_SAMPLE] if line.strip()]
    best, most = ",", 0
    for sign in _DELIMITERS:
        counts = Counter(line.count(sign) for line in lines)
        count, often = max(counts.items(), key=lambda item: (item[0] > 0, item[1]), default=(0, 0))
        if count and often > most:
            best, most = sign, often
    return best


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return str(cell)
