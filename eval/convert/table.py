"""CSV with a header: `question` and `answer`, and what else `COLUMNS` names.

Quotes are looked for in the seeds, where these are given, and must stand there once, as they are.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import regex

from eval.convert.read import read_bytes
from eval.convert.values import Converted, Gathering
from eval.draft import Line, quoting, readable_id
from eval.errors import EvalError
from rag.config import Settings
from rag.corpus import Found, Unreadable, decode, normalise, read_source
from rag.text import fold, squeeze
from rag.types import Span

COLUMNS = ("question", "answer", "id", "aliases", "doc", "quote", "tags", "answerable")
FORM = "its first line names the columns: question and answer, or also " + ", ".join(COLUMNS[2:])
_DELIMITERS = ",;\t"
_YES = frozenset("true t yes y 1 wahr vrai".split())
_NO = frozenset("false f no n 0 falsch faux".split())
_BETWEEN = regex.compile(r"[|,;]")
_SHOWN = 80
"""Characters of a quote that a reason shows."""

Texts = Mapping[str, str]


class _RowError(Exception):
    """A row cannot be gold; `str` says why."""


@dataclass(frozen=True, slots=True)
class _Table:
    header: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    """Each with the number of the line that it begins in."""
    encoding: str | None
    """What it was guessed to be written in."""


def convert_csv(source: Path, seeds: Path | None = None) -> Converted:
    """Convert a table; raises `EvalError` where it is none, and what reading the seeds raises."""
    table = _read(source)
    texts = None if seeds is None else _texts(seeds)
    found = Gathering()
    unanchored = 0
    for number, cells in table.rows:
        where = f"line {number}"
        try:
            line = _line(table.header, cells, texts)
        except _RowError as news:
            found.fail(where, str(news))
            continue
        row = _named(table.header, cells)
        unanchored += texts is None and bool(row["doc"] or row["quote"])
        if found.is_new(line["id"], where):
            found.keep(line)
    found.notes += _notes(table, unanchored)
    return found.converted()


def _notes(table: _Table, unanchored: int) -> Iterator[str]:
    if table.encoding:
        yield f"The table was read as {table.encoding}, which is a guess."
    others = [name for name in table.header if name and name not in COLUMNS]
    if others:
        yield f"Columns that are not read: {', '.join(others)}."
    if unanchored:
        yield f"Rows whose doc and quote were left out, as no --seeds were named: {unanchored}."


def _texts(seeds: Path) -> Texts:
    read = read_source(seeds, Settings.load().max_file_mb)
    return {item.document.id: item.document.text for item in read if isinstance(item, Found)}


def _read(source: Path) -> _Table:
    try:
        text, encoding = decode(read_bytes(source, f"a CSV file is wanted, and {FORM}"))
    except Unreadable as news:
        raise EvalError(f"{source} cannot be read: {news}.") from None
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, Sequence[str]]] = []
    begin = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begin, [cell.strip() for cell in cells]))
            begin = reader.line_num + 1
    except csv.Error as error:
        said = f"{source} line {begin} is no row of a table ({error})"
        raise EvalError(f"{said}; a double quote inside of a quoted cell is doubled.") from None
    header = [name.casefold() for name in rows[0][1]] if rows else []
    for name in COLUMNS[:2]:
        if name not in header:
            raise EvalError(f"{source} has no column `{name}`; {FORM}.")
    return _Table(header, rows[1:], encoding)


def _delimiter(text: str) -> str:
    """Return what parts the columns of the first line so that `question` is one of them.

    `csv.Sniffer` guesses from the rows, which are prose full of commas.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    for delimiter in _DELIMITERS:
        if "question" in [name.strip(' "').casefold() for name in first.split(delimiter)]:
            return delimiter
    return _DELIMITERS[0]


def _named(header: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    """Return the cells by column; those that the table or the row lacks are empty."""
    return {**dict.fromkeys(COLUMNS, ""), **dict(zip(header, cells, strict=False))}


def _line(header: Sequence[str], cells: Sequence[str], texts: Texts | None) -> Line:
    if len(cells) > len(header):
        raise _RowError(
            f"it has {len(cells)} cells under {len(header)} columns; put a cell that holds the "
            "delimiter in double quotes"
        )
    if len(cells) <= header.index("answer"):
        raise _RowError("it ends before the answer; leave that empty for what cannot be answered")
    row = _named(header, cells)
    if not row["question"]:
        raise _RowError("it has no question")
    answerable = _answerable(row)
    line: Line = {
        "id": row["id"] or readable_id(row["question"]),
        "question": row["question"],
        "answerable": answerable,
        "answers": _answers(row) if answerable else [],
        "evidence": _evidence(row, texts) if answerable and texts is not None else [],
        "tags": _parts(_BETWEEN.split(row["tags"])),
    }
    if not answerable and row["doc"] and texts is not None:
        _known(row["doc"], texts)
        line["near"] = row["doc"]
    return line


def _answerable(row: Mapping[str, str]) -> bool:
    said = row["answerable"].casefold()
    if said in _YES or said in _NO:
        return said in _YES
    if said:
        raise _RowError(f"answerable is {row['answerable']!r}; say true or false, or leave it empty")
    return bool(row["answer"])


def _answers(row: Mapping[str, str]) -> list[Line]:
    if not row["answer"]:
        return []
    aliases = [each for each in _parts(row["aliases"].split("|")) if each != row["answer"]]
    return [{"text": row["answer"], "aliases": aliases}]


def _parts(cells: Sequence[str]) -> list[str]:
    return [*dict.fromkeys(cell.strip() for cell in cells if cell.strip())]


def _evidence(row: Mapping[str, str], texts: Texts) -> list[Line]:
    """Return the row that quotes the one place, or judges the document, that a table row names."""
    doc, quote = row["doc"], normalise(row["quote"])
    if doc:
        _known(doc, texts)
    if not quote:
        return [{"group": "g1", "doc": doc, "grade": 1}] if doc else []
    searched = {doc: texts[doc]} if doc else texts
    places = [(id, span) for id, text in searched.items() for span in _places(quote, text)]
    if len(places) != 1:
        raise _RowError(_astray(quote, doc, searched, len(places)))
    [(id, span)] = places
    return [quoting("g1", id, texts[id], span)]


def _known(doc: str, texts: Texts) -> None:
    if doc not in texts:
        raise _RowError(f"the seeds hold no document {doc!r} that can be read")


def _places(quote: str, text: str) -> Iterator[Span]:
    at = text.find(quote)
    while at >= 0:
        yield at, at + len(quote)
        at = text.find(quote, at + 1)


def _astray(quote: str, doc: str, searched: Texts, times: int) -> str:
    where = doc or "the seeds"
    shown = f"“{squeeze(quote)[:_SHOWN]}”"
    if times:
        return f"{shown} stands {times} times in {where}; quote more, so that it stands there once"
    folded = fold(quote).text
    for id, text in searched.items():
        span = fold(text).find(folded)
        if span:
            return f"{shown} does not stand in {where}, but {id} reads “{squeeze(text[slice(*span)])}”"
    return f"{shown} does not stand in {where}"
