"""However a reply's bytes are cut on the way, it reads alike."""

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.backends.http.events import DONE, Event, events, lines
from rag.backends.http.inflate import unpacked
from rag.backends.http.problems import BrokenOffError, Unusable
from rag.backends.http.thinking import Thinking

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=8)
ENDS = st.sampled_from(["\n", "\r", "\r\n"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.lists(st.dictionaries(TEXT, TEXT, max_size=2), min_size=1, max_size=4)


def cut(whole: Any, sizes: list[int]) -> list[Any]:
    parts, at, turn = [], 0, 0
    while at < len(whole):
        parts.append(whole[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    return parts


@given(st.lists(st.text("ab ü\u2028\x0b\x85", max_size=4)), ENDS, SIZES)
def test_lines_are_those_that_were_sent(sent: list[str], end: str, sizes: list[int]) -> None:
    whole = "".join(line + end for line in sent).encode()
    assert list(lines(cut(whole, sizes))) == [line.encode() for line in sent]


@given(VALUES, ENDS, SIZES, st.booleans(), st.booleans())
def test_server_sent_events_are_those_that_were_sent(
    values: list[dict[str, str]], end: str, sizes: list[int], mark: bool, spread: bool
) -> None:
    said = ": hello\n\n"
    for value in values:
        told = json.dumps(value, ensure_ascii=False, indent=1 if spread else None)
        data = "".join(f"data: {line}\n" for line in told.split("\n"))
        said += f"event: thing\nid: 7\n{data}\n"
    said = ("\ufeff" if mark else "") + said.replace("\n", end) + f"data: [DONE]{end}{end}"
    assert list(events(cut(said.encode(), sizes))) == [
        *(Event(value, "thing") for value in values),
        DONE,
    ]


@given(VALUES, ENDS, SIZES, st.booleans())
def test_json_lines_are_those_that_were_sent(
    values: list[dict[str, str]], end: str, sizes: list[int], mark: bool
) -> None:
    said = "\ufeff" if mark else ""
    said += "".join(json.dumps(value, ensure_ascii=False) + end for value in values)
    assert list(events(cut(said.encode(), sizes))) == [Event(value) for value in values]


@pytest.mark.parametrize(
    "body",
    [b"hello\n\n", b"[1, 2]", b"\x00\x01", b"data: [1]\n\n", b"data: nope\n\n", b'{"a": 1}\nnope\n',
     b"{" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a": "\xff"}', b"\n<html>", b"data: {}{}\n\n"],
)  # fmt: skip
def test_what_is_no_reply_is_unusable(body: bytes) -> None:
    with pytest.raises(Unusable):
        list(events([body]))


def test_an_event_that_is_cut_off_is_none() -> None:
    assert list(events([b'data: {"a": 1}\n\ndata: {"b": '])) == [Event({"a": 1})]
    assert list(events([b'data: {"a": 1}\n\ndata: {"b": 2}'])) == [Event({"a": 1}), Event({"b": 2})]


@pytest.mark.parametrize(
    "piece", [b"data: x", b"{ ", b"data: %s\n" % (b"x" * 99), b"{ %s\n" % (b" " * 99)]
)
def test_an_event_that_does_not_end_is_given_up(piece: bytes) -> None:
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield piece * (60_000 // len(piece))

    with pytest.raises(Unusable, match="4 MB at once"):
        list(events(endless()))
    assert taken < 80


@given(st.binary(max_size=400), SIZES, st.sampled_from(["gzip", "deflate", "bare", "identity", ""]))
def test_what_was_packed_is_unpacked(whole: bytes, sizes: list[int], how: str) -> None:
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = {
        "gzip": gzip.compress(whole),
        "deflate": zlib.compress(whole),
        "bare": bare.compress(whole) + bare.flush(),
    }.get(how, whole)
    assert b"".join(unpacked(cut(packed, sizes), how.replace("bare", "deflate"))) == whole


@given(st.binary(min_size=30, max_size=60), st.integers(1, 10))
def test_what_was_packed_and_is_cut_off_is_not_whole(whole: bytes, missing: int) -> None:
    with pytest.raises(BrokenOffError):
        list(unpacked([gzip.compress(whole)[:-missing]], "gzip"))


@given(
    st.sampled_from(["", " ", "\n\n", "Yes. ", "<thin", "</think>", "a < b"]),
    st.sampled_from(["", "<think></think>", "\n<think>Hm. <b> </thin </think> \n"]),
    SIZES,
)
def test_thinking_is_left_out_however_it_is_cut(text: str, thought: str, sizes: list[int]) -> None:
    thinking = Thinking()
    said = "".join(thinking.add(bit) for bit in cut(thought + text, sizes)) + thinking.close()
    assert said == (text.lstrip() if thought else text)
    assert thinking.thought is bool(thought)
