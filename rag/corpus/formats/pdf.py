"""PDF: the text layer page by page, in reading order, with PDFium (pypdfium2; Apache-2.0 or BSD).

PDFium hands characters over in the order in which they were drawn, which is that of reading in
nearly all files, also in columns and tables. Lines that were drawn from left to right across columns
are parted at the gap between them. A line goes on in the next one where its first word had no room.
"""

import ctypes
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
import pypdfium2.raw as raw
import regex

from rag.corpus.formats.written import Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.types import Document

_GAP = 1.1
"""Line heights between two words of a line from which they may stand in two columns."""
_APART = 1.7
"""Line heights from one line's top to the next one's from which a paragraph ends."""
_RUN = 5
"""Rows that must be parted at one place for it to part columns."""
_WORDY = 16
"""Characters that lines of a column have at least: cells of tables are shorter."""
_TEXT = 12
"""Lines from which a page's number at its end is left out: a sentence may go on over it."""
_NEAR = 200
"""Rows back that may stand beside one that is drawn later."""
_MANY = 1000
"""Pieces of a page from which they stay in the order in which they were drawn."""
_HYPHEN = "\ufffe"
"""What PDFium puts for a hyphen that only parted a word at the end of a line."""
_LAM, _ALEFS = "\u0644", "\u0622\u0623\u0625\u0627"
"""Arabic letters that are drawn as one where an alef follows a lam."""
_RIGHT_TO_LEFT = regex.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}]")
_ENDS = regex.compile(r"""[.!?:;…؟。！？]["'”’»)\]]*$""")
_WORD = regex.compile(r"\S+")
_PAGE_NUMBER = regex.compile(r"[-–—|\s]*\d{1,4}[-–—|\s]*")


_Box = tuple[float, float, float, float]
"""Left, right, bottom, top."""
_TURNED: Mapping[int, Callable[[float, float, float, float], _Box]] = {
    0: lambda left, right, bottom, top: (left, right, bottom, top),
    90: lambda left, right, bottom, top: (bottom, top, -right, -left),
    180: lambda left, right, bottom, top: (-right, -left, -top, -bottom),
    270: lambda left, right, bottom, top: (-top, -bottom, left, right),
}
"""A box as it stands when the page is turned clockwise by so many degrees, as it is shown."""


@dataclass(frozen=True, slots=True)
class _Line:
    """Text on one line of one column, and its box; lengths in points from the page's lower left."""

    said: str
    left: float
    right: float
    bottom: float
    top: float
    cells: int = 1
    """Of how many pieces that stand apart it is made: more than one is a row of a table."""

    @property
    def height(self) -> float:
        return max(1.0, self.top - self.bottom)

    def beside(self, other: "_Line") -> bool:
        """Tell whether the two share more than half of the lower one's height."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.height, other.height)

    def mirrored(self) -> "_Line":
        return replace(self, left=-self.right, right=-self.left)


def read_pdf(file: File) -> Iterator[Document]:
    """Read a PDF's text layer; each page is a place."""
    try:
        document = pdfium.PdfDocument(file.data)
        pages = len(document)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable("it is protected by a password; save it without one") from None
        raise Unreadable("it is damaged, or no whole PDF") from None
    written, pictures, broken = Written(), 0, 0
    for number in range(pages):
        written.place(f"page {number + 1}")
        try:
            page = document[number]
            paragraphs = _paragraphs(_in_columns(_facing_right(list(_lines(page)))))
            pictures += not paragraphs and _has_picture(page)
            page.close()
        except pdfium.PdfiumError:
            broken += 1
            continue
        for at, said in enumerate(paragraphs):
            written.paragraph(said, goes_on=at == 0 and said[:1].islower())
    if pictures:
        said = f"{pictures} of its {pages} pages are pictures without a text layer"
        if not written.length:
            raise Unreadable(f"{said}; have their text recognised (OCR) first")
        file.notice("pages_without_text", said)
    if broken:
        said = f"{broken} of its {pages} pages are damaged"
        if not written.length:
            raise Unreadable(said)
        file.notice("pages_damaged", said)
    yield written.document(file.id, named(file))


def _has_picture(page: pdfium.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=4))


def _lines(page: pdfium.PdfPage) -> Iterator[_Line]:
    """Yield what stands between line breaks and wide gaps, in the order in which it was drawn."""
    text, corners = page.get_textpage(), page.get_bbox()
    left, right = sorted((corners[0], corners[2]))
    bottom, top = sorted((corners[1], corners[3]))
    turned = _TURNED[page.get_rotation() % 360]
    box = raw.FS_RECTF()
    at = ctypes.byref(box)
    chars: list[str] = []
    boxes: list[_Box] = []
    for index in range(text.count_chars()):
        char = chr(raw.FPDFText_GetUnicode(text.raw, index))
        if char in "\r\n":
            yield from _parted(chars, boxes)
            chars, boxes = [], []
            continue
        raw.FPDFText_GetLooseCharBox(text.raw, index, at)
        outside = box.right < left or box.left > right or box.top < bottom or box.bottom > top
        if outside and not char.isspace():
            continue
        chars.append(_HYPHEN if char == "\x02" else char)
        boxes.append(turned(box.left, box.right, box.bottom, box.top))
        if char == _LAM and chars[-2:-1] and chars[-2] in _ALEFS and boxes[-2] == boxes[-1]:
            chars[-2:] = char, chars[-2]  # PDFium turns the letters of one sign round as well
    yield from _parted(chars, boxes)


def _parted(chars: Sequence[str], boxes: Sequence[_Box]) -> Iterator[_Line]:
    """Yield a line in pieces, parted where the gap between two words is wide."""
    words = [match.span() for match in _WORD.finditer("".join(chars))]
    places = [_around(boxes[start:end]) for start, end in words]
    first = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or _gap(places[at - 1], places[at]):
            said = "".join(chars[words[first][0] : words[at - 1][1]])
            yield _Line(said, *_around(places[first:at]))
            first = at


def _around(boxes: Sequence[_Box]) -> _Box:
    lefts, rights, bottoms, tops = zip(*boxes, strict=True)
    return min(lefts), max(rights), min(bottoms), max(tops)


def _gap(one: _Box, other: _Box) -> bool:
    height = max(one[3] - one[2], other[3] - other[2], 1.0)
    return max(other[0] - one[1], one[0] - other[1]) > _GAP * height


def _facing_right(lines: Sequence[_Line]) -> Sequence[_Line]:
    """Return a page's lines as they would stand if what is read from right to left were mirrored."""
    worded = [line.said for line in lines if any(map(str.isalpha, line.said))]
    if sum(bool(_RIGHT_TO_LEFT.search(said)) for said in worded) > len(worded) / 2:
        return [line.mirrored() for line in lines]
    return lines


def _in_columns(lines: Sequence[_Line]) -> list[_Line]:
    """Return the lines in reading order, the pieces of a row joined unless they are of columns."""
    rows = _rows(lines)
    found: list[_Line] = []
    at = 0
    while at < len(rows):
        middle, end = _run(rows, at)
        if middle is None:
            found += map(_joined, rows[at : max(end, at + 1)])
            at = max(end, at + 1)
            continue
        pieces = [piece for row in rows[at:end] for piece in row]
        found += [piece for piece in pieces if piece.left < middle]
        found += [piece for piece in pieces if piece.left >= middle]
        at = end
    return found


def _rows(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Return as rows what was drawn beside each other, one piece after the other."""
    rows: list[list[_Line]] = []
    for line in lines:
        if rows and line.beside(rows[-1][-1]) and line.left >= rows[-1][-1].right:
            rows[-1].append(line)
        else:
            rows.append([line])
    return _side_by_side(rows)


def _side_by_side(rows: Sequence[list[_Line]]) -> list[list[_Line]]:
    """Return rows with those of one table joined that was drawn block by block."""
    found: list[list[_Line]] = []
    for row in rows:
        left = (
            other
            for other in found[-_NEAR:]
            if len(row) > 1
            and len(other) > 1
            and other[-1].beside(row[0])
            and other[-1].right <= row[0].left
        )
        if (known := next(left, None)) is not None:
            known += row
        else:
            found.append(row)
    return found


def _run(rows: Sequence[Sequence[_Line]], first: int) -> tuple[float | None, int]:
    """Return what parts the rows from `first` on into two columns of text, and where they end."""
    low, high, wordy, end = -math.inf, math.inf, 0, first
    for row in rows[first:]:
        if len(row) == 2:
            left, right = max(low, row[0].right), min(high, row[1].left)
            wordy += min(len(piece.said) for piece in row) >= _WORDY
        elif len(row) == 1 and end > first:
            left = max(low, row[0].right) if row[0].right < high else low
            right = min(high, row[0].left) if row[0].right >= high else high
        else:
            break
        if left >= right:
            break
        low, high = left, right
        end += 1
    return ((low + high) / 2 if wordy >= _RUN else None), end


def _as_read(stacks: Sequence[list[_Line]]) -> list[list[_Line]]:
    """Return stacks with those that were drawn late put before what stands below or right of them."""
    found: list[list[_Line]] = []
    for stack in stacks:
        at = len(found) if len(stacks) > _MANY else _place(stack, found)
        found.insert(at, stack)
    return found


def _place(stack: Sequence[_Line], known: Sequence[Sequence[_Line]]) -> int:
    """Return which of the stacks that are known one stands before."""
    left, right = min(line.left for line in stack), max(line.right for line in stack)
    top, bottom = stack[0].top, stack[-1].bottom

    def on_its_right(other: Sequence[_Line]) -> bool:
        return all(line.left >= right for line in other)

    for at, other in enumerate(known):
        if bottom >= other[0].top - 1 and any(o.left < right and left < o.right for o in other):
            return at
        if on_its_right(other) and bottom < other[0].top and other[-1].bottom < top:
            while at and on_its_right(known[at - 1]):
                at -= 1
            return at
    return len(known)


def _joined(row: Sequence[_Line]) -> _Line:
    if len(row) == 1:
        return row[0]
    return _Line(
        " ".join(piece.said for piece in row),
        min(piece.left for piece in row),
        max(piece.right for piece in row),
        min(piece.bottom for piece in row),
        max(piece.top for piece in row),
        len(row),
    )


def _paragraphs(lines: Sequence[_Line]) -> list[str]:
    """Return paragraphs, each on one line."""
    if len(lines) >= _TEXT and _PAGE_NUMBER.fullmatch(lines[-1].said):
        lines = lines[:-1]
    found: list[str] = []
    for stack in _as_read(list(_stacks(lines))):
        for at, line in enumerate(stack):
            if found and (_goes_on(stack, at) if at else _leads(found[-1], line)):
                glue = "" if found[-1].endswith(_HYPHEN) else " "
                found[-1] = found[-1].removesuffix(_HYPHEN) + glue + line.said
            else:
                found.append(line.said)
    return [said.replace(_HYPHEN, "") for said in found]


def _stacks(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Yield lines that stand closely below each other."""
    stack: list[_Line] = []
    for line in lines:
        if stack:
            last = stack[-1]
            down = 0 < last.top - line.top <= _APART * last.height
            if not down or line.left >= last.right or last.left >= line.right:
                yield stack
                stack = []
        stack.append(line)
    if stack:
        yield stack


def _leads(said: str, line: _Line) -> bool:
    """Tell whether a sentence goes on in the first line of a new column."""
    return said.endswith(_HYPHEN) or (line.said[:1].islower() and not _ENDS.search(said))


def _goes_on(stack: Sequence[_Line], at: int) -> bool:
    """Tell whether a line stands where it does as its first word had no room on the one before."""
    before, line = stack[at - 1], stack[at]
    if before.said.endswith(_HYPHEN):
        return True
    if before.cells > 1 or line.cells > 1 or abs(before.height - line.height) > 2:
        return False
    if line.left > before.left + line.height and _ENDS.search(before.said):
        return False  # an indented first line
    edge = max(other.right for other in stack)
    word = (len(line.said.split()[0]) + 1) * (line.right - line.left) / len(line.said)
    return before.right + word + line.height > edge
