"""How a replay is run and reads."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

_WIDTH = 96
DIFFERENT = 3
"""What `rag replay` exits with where the answer is not what it was."""
_AS_THEY_WERE = "its passages stand as they were, and are found."
_NAMES = {"answer": "text", "places": "citations' places", "abstained": "abstaining"}


def run(file: Path, index: Path | None, tell: Callable[[dict[str, Any]], None]) -> None:
    """Replay a receipt, tell what came of it, and exit `DIFFERENT` where the answer differs.

    Raises `ReceiptError`, what `rag.receipt.replay` does, and, once it has told of the passages, the
    `RagError` that kept the question from being answered again.
    """
    from rag.receipt import read_receipt, replay, replay_json

    done = replay(read_receipt(file), index)
    tell(replay_json(done))
    if done.error is not None:
        raise done.error
    if not done.same:
        raise typer.Exit(DIFFERENT)


def show(value: Mapping[str, Any]) -> str:
    """Say whether the answer is what it was, and if not, why."""
    return "\n".join(_lines(value))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    if value["same"]:
        yield "same: the answer, its citations and their verdicts are what they were."
    elif value["same"] is None:
        moved = any(_passages(value))
        yield f"not answered again; {'what became of the passages:' if moved else _AS_THEY_WERE}"
    else:
        differs = ", ".join(_NAMES.get(each, each) for each in value["differs"])
        yield f"different: the answer's {differs}."
        yield from _answer("then", value["then"])
        yield from _answer("now", value["now"])
    told = [f"{_before(value)}: {change['message']}" for change in value["changed"]]
    first = sum(change["code"] == "index" for change in value["changed"])
    yield from told[:first]
    yield from _passages(value)
    yield from told[first:]
    yield from (f"note: {note}" for note in value["notes"])


def _before(value: Mapping[str, Any]) -> str:
    return "because" if value["same"] is False else "note"


def _answer(when: str, answer: Mapping[str, Any]) -> Iterator[str]:
    yield _wrapped(answer["answer"], f"  {when:<4}  ")
    yield f"        confidence {answer['confidence']:.2f}, {answer['backend']} ({answer['model']})"


def _passages(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line of each passage that is not as and where it was, with the quotes in it."""
    for quote in value["citations"]:
        if quote["state"] != "unchanged":
            yield f"  [{quote['n']}] {_fate(quote)}"
            yield _wrapped(f"“{quote['quote']}”", "      then  ")
            if quote["state"] == "changed":
                stands = f"“{quote['now']['text']}”" if quote["now"] else "nothing"
                yield _wrapped(stands, "      now   ")
    for passage in value["passages"]:
        if passage["state"] != "unchanged" or not passage["retrieved"]:
            lost = "" if passage["retrieved"] or passage["state"] == "gone" else ", not retrieved now"
            yield f"  {'cited' if passage['cited'] else 'shown'} {_fate(passage)}{lost}"
    for passage in value["instead"]:
        yield f"  retrieved instead: {_place(passage, passage)}"


def _fate(span: Mapping[str, Any]) -> str:
    now = span["now"]
    where = f" to {now['start']}-{now['end']}" if span["state"] == "moved" else ""
    said = "the document is gone" if span["state"] == "gone" else span["state"]
    return f"{_place(span, span)}  {said}{where}"


def _place(named: Mapping[str, Any], span: Mapping[str, Any]) -> str:
    return f"{named['doc']}:{span['start']}-{span['end']}"


def _wrapped(said: str, first: str) -> str:
    line = " ".join(said.split())
    return textwrap.fill(line, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
