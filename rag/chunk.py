"""`document.text[chunk.start:chunk.end] == chunk.text` for every chunk, by construction.

A document is parted into sections by its headings, sections into units (sentences; lines of
tables and code), and units are packed into chunks of at most so many of the encoder's tokens. A
chunk begins with the last units of the one before it, as far as the overlap allows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from rag.protocols import Tokenizer
from rag.text import sentences, squeeze
from rag.types import Chunk, Document, Span

_FENCE_PATTERN = r"""
    ^\ {0,3}(?P<fence>```+|~~~+)[^\n]*\n
    (?:(?:.*\n)*?\ {0,3}(?P=fence)[`~]*[ \t]*$ | (?s:.*)\Z)
"""
_FENCE = regex.compile(_FENCE_PATTERN, regex.VERBOSE | regex.MULTILINE)
_HEADING = regex.compile(
    rf"""{_FENCE_PATTERN}
  | ^\ {{0,3}}(?P<level>\#{{1,6}})[ \t]+(?P<name>.+)$
  | ^(?=\S)(?P<under>.+)\n(?P<line>=+|-{{2,}})[ \t]*$
    """,
    regex.VERBOSE | regex.MULTILINE,
)
"""A heading, or a fenced block, which may hold what looks like one."""
_FRONT_MATTER = regex.compile(r"---[ \t]*\n(?:.*\n)*?---[ \t]*$", regex.MULTILINE)
"""Metadata at the head of a page; its closing line would make a heading of what is above it."""
_TABLE = regex.compile(r"(?m)^[ \t]*\|.*(?:\n[ \t]*\|.*)+$")
_GRAPHEME = regex.compile(r"\X")
_LINE = regex.compile(r"[^\n]+")

_LONG_HEADING = 160
"""Characters of a heading path that are embedded: more would push the text out of the encoder."""
_DENSE = 16
"""Characters that count as a token at least: a tokenizer may see a blob as one unknown word."""


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """How long a chunk may be, and how much of it its neighbour may repeat, in tokens."""

    tokens: int
    overlap: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """A span that is not parted any further, and its length in tokens."""

    start: int
    end: int
    tokens: int


def embedded_text(chunk: Chunk) -> str:
    """Return what is embedded for a chunk: the end of its heading path, then its text."""
    return f"{chunk.heading[-_LONG_HEADING:]}\n{chunk.text}" if chunk.heading else chunk.text


def searched_text(title: str, chunk: Chunk) -> str:
    """Return what a chunk's words are taken from: title and headings, each once, then its text."""
    context = chunk.heading if chunk.heading.startswith(title) else f"{title} {chunk.heading}"
    return f"{context.strip()}\n{chunk.text}"


def chunk_document(document: Document, tokenizer: Tokenizer, size: ChunkSize) -> list[Chunk]:
    """Return the chunks of a document in the order of their spans.

    Every character that is neither white space nor part of a heading lies in a chunk; a heading
    without text below it is a chunk itself.
    """
    chunks = []
    for heading, start, end in _sections(document):
        units = _units(document, start, end, tokenizer, size.tokens)
        for first, last in _packed(units, size):
            text = document.text[first:last]
            chunks.append(Chunk(document.id, first, last, text, heading))
    return chunks


def _sections(document: Document) -> Iterator[tuple[str, int, int]]:
    """Yield `(heading path, start, end)` of the text below each heading."""
    text = document.text
    if document.markup == "plain":
        yield "", 0, len(text)
        return
    path: list[tuple[int, str]] = []
    heading_at = begin = 0
    matter = front.end() if (front := _FRONT_MATTER.match(text)) else 0
    for match in _HEADING.finditer(text):
        if match["fence"] or _is_rule(match) or match.start() < matter:
            continue
        level = len(match["level"]) if match["level"] else "=-".index(match["line"][0]) + 1
        above = [step for step in path if step[0] < level]
        if text[begin : match.start()].strip():
            yield _joined(path), begin, match.start()
        elif path and above != path:  # no text of its own, and no heading below it carries it
            yield _joined(path[:-1]), heading_at, begin
        path = [*above, (level, squeeze((match["name"] or match["under"]).rstrip(" \t#")))]
        heading_at, begin = match.span()
    if text[begin:].strip():
        yield _joined(path), begin, len(text)
    elif path:
        yield _joined(path[:-1]), heading_at, begin


def _is_rule(match: regex.Match[str]) -> bool:
    """Tell a list item or table row above a line of dashes from a heading."""
    return match["under"] is not None and match["under"].startswith(("-", "*", "|", ">"))


def _joined(path: list[tuple[int, str]]) -> str:
    return " > ".join(name for _, name in path)


def _units(document: Document, start: int, end: int, tokenizer: Tokenizer, most: int) -> list[_Unit]:
    spans = list(_unit_spans(document, start, end))
    texts = [document.text[first:last] for first, last in spans]
    units: list[_Unit] = []
    for (first, last), tokens in zip(spans, tokenizer.spans(texts), strict=True):
        tokens = _counted(tokens, last - first)
        if len(tokens) <= most:
            units.append(_Unit(first, last, len(tokens)))
        else:
            units.extend(_split(document.text, first, last, tokens, most))
    return units


def _counted(tokens: Sequence[Span], length: int) -> list[Span]:
    """Part what lies from one token's start to the next into pieces of `_DENSE` characters."""
    starts = [0, *(start for start, _ in tokens[1:])]
    return [
        (at, min(at + _DENSE, end))
        for start, end in zip(starts, [*starts[1:], length], strict=True)
        for at in range(start, end, _DENSE)
    ]


def _unit_spans(document: Document, start: int, end: int) -> Iterator[Span]:
    """Yield sentences, and the lines of code blocks and tables, in order."""
    text = document.text
    if document.markup == "plain":
        yield from sentences(text, start, end)
        return
    blocks = [m.span() for m in _FENCE.finditer(text, start, end)]
    blocks += [
        m.span()
        for m in _TABLE.finditer(text, start, end)
        if not any(first <= m.start() < last for first, last in blocks)
    ]
    at = start
    for first, last in sorted(blocks):
        yield from sentences(text, at, first)
        yield from (line.span() for line in _LINE.finditer(text, first, last) if line.group().strip())
        at = last
    yield from sentences(text, at, end)


def _split(text: str, start: int, end: int, tokens: Sequence[Span], most: int) -> Iterator[_Unit]:
    """Part a span that is too long: at the last blank in reach, else between graphemes."""
    ends = {match.end() for match in _GRAPHEME.finditer(text, start, end)}
    begin, used = start, 0
    while len(tokens) - used > most:
        reach = start + tokens[used + most][0]
        floor = start + tokens[used + most // 2][0]
        cut = next((at for at in range(reach, floor, -1) if text[at - 1].isspace()), 0)
        cut = cut or next((at for at in range(reach, begin, -1) if at in ends), 0)
        cut = cut or next(at for at in range(reach + 1, end + 1) if at in ends)
        yield from _trimmed(text, begin, cut, most)
        while used < len(tokens) and start + tokens[used][0] < cut:
            used += 1
        begin = cut
    yield from _trimmed(text, begin, end, len(tokens) - used)


def _trimmed(text: str, start: int, end: int, tokens: int) -> Iterator[_Unit]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield _Unit(start, end, max(1, tokens))


def _packed(units: Sequence[_Unit], size: ChunkSize) -> Iterator[Span]:
    """Yield the spans of chunks: as many units as fit, the first of them shared with the last."""
    first = 0
    while first < len(units):
        last, tokens = first, 0
        while last < len(units) and (last == first or tokens + units[last].tokens <= size.tokens):
            tokens += units[last].tokens
            last += 1
        yield units[first].start, units[last - 1].end
        if last == len(units):
            return
        shared, room = 0, min(size.overlap, size.tokens - units[last].tokens)
        while last - 1 > first and shared + units[last - 1].tokens <= room:
            last -= 1
            shared += units[last].tokens
        first = last
