"""The bytes of a reply → its events, by what they are, not by what they are labelled."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from rag.backends.http.problems import Unusable

LONGEST = 4_000_000
"""Bytes of one event, or of a reply in one piece, beyond which it is no chat completion."""
_BOM = b"\xef\xbb\xbf"
_FIELD = re.compile(rb"(?:data|event|id|retry)(?::|$)|:")
_GARBAGE = "replied with something that is no chat completion"
_WEB_PAGE = "replied with a web page, so its base URL leads elsewhere"


@dataclass(frozen=True, slots=True)
class Event:
    """A JSON object that a server sent, under the name that server-sent events may bear."""

    value: Mapping[str, Any]
    name: str = ""


DONE = Event({}, "[DONE]")
"""What ends the streams of OpenAI's interface."""


def events(parts: Iterable[bytes]) -> Iterator[Event]:
    """Yield the events of server-sent events, of JSON lines, or of one JSON object.

    Which of them it is shows in the first line that is not empty. Raises `Unusable`.
    """
    told = lines(parts)
    for line in told:
        if not line.strip():
            continue
        begin = line.lstrip()
        if begin.startswith(b"<"):
            raise Unusable(_WEB_PAGE)
        if begin.startswith(b"{"):
            yield from _objects(line, told)
        elif _FIELD.match(line):
            yield from _sent(chain([line], told))
        else:
            raise Unusable(_GARBAGE)


def lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends, which are LF, CR or both; U+2028 and such end none.

    A byte order mark at the start is left out. Raises `Unusable` for a line of `LONGEST` bytes.
    """
    held: list[bytes] = []
    size, first, after_cr = 0, True, False
    for part in parts:
        if after_cr and part.startswith(b"\n"):
            part = part[1:]
        after_cr = part.endswith(b"\r") or (after_cr and not part)
        for piece in part.splitlines(keepends=True):
            held.append(piece)
            size += len(piece)
            if size > LONGEST:
                raise Unusable(f"sent more than {LONGEST // 1_000_000} MB at once")
            if piece.endswith((b"\n", b"\r")):
                yield _joined(held, first)
                held, size, first = [], 0, False
    if held:
        yield _joined(held, first)


def _joined(held: list[bytes], first: bool) -> bytes:
    line = b"".join(held).rstrip(b"\r\n")
    return line.removeprefix(_BOM) if first else line


def parsed(data: bytes) -> Mapping[str, Any]:
    """Return a JSON object; raises `Unusable` for anything else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Unusable(_GARBAGE) from None
    if not isinstance(value, dict):
        raise Unusable(_GARBAGE)
    return value


def _objects(line: bytes, rest: Iterator[bytes]) -> Iterator[Event]:
    """Yield one object of each line; where the first holds none, one object of all lines."""
    try:
        first = parsed(line)
    except Unusable:
        yield Event(parsed(b"\n".join(_bounded(chain([line], rest)))))
        return
    yield Event(first)
    for line in rest:
        if line.strip():
            yield Event(parsed(line))


def _sent(told: Iterator[bytes]) -> Iterator[Event]:
    """Yield server-sent events; one that was cut off by the end is none."""
    name, data = "", list[bytes]()
    size = 0
    for line in told:
        if not line:
            if data:
                yield _event(name, data)
            name, data, size = "", [], 0
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
            size += len(value) + 1
            if size > LONGEST:
                raise Unusable(f"sent more than {LONGEST // 1_000_000} MB at once")
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    yield from _last(name, data)


def _event(name: str, data: list[bytes]) -> Event:
    joined = b"\n".join(data).strip()
    if not joined:
        return Event({}, name)
    return DONE if joined == b"[DONE]" else Event(parsed(joined), name)


def _last(name: str, data: list[bytes]) -> Iterator[Event]:
    """Yield an event whose empty line is missing, if it is whole."""
    if data:
        try:
            yield _event(name, data)
        except Unusable:
            return


def _bounded(told: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for line in told:
        size += len(line) + 1
        if size > LONGEST:
            raise Unusable(f"sent more than {LONGEST // 1_000_000} MB at once")
        yield line
