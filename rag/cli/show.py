"""How results look to people: plain text that also reads well in a pipe."""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.build import Progress

_WIDTH = 96


@contextmanager
def progress(unit: str = "doc") -> "Iterator[Progress]":
    """Give a bar on stderr that appears where something takes longer than a moment."""
    from tqdm import tqdm

    with tqdm(unit=f" {unit}", delay=1, leave=False, disable=not sys.stderr.isatty()) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


def build(value: Mapping[str, Any]) -> str:
    """Say what a build did."""
    documents = value["documents"]
    lines = [
        f"{value['generation']}: {value['chunks']} chunks ({value['embedded']} embedded, "
        f"{value['reused']} reused) in {value['seconds']:.1f} s",
        "documents: "
        + ", ".join(
            f"{documents[state]} {state}" for state in ("added", "changed", "removed", "unchanged")
        ),
    ]
    lines += [
        f"left out: {failure['doc']}: {failure['reason']}"
        + (" (its last good version is kept)" if failure.get("kept") else "")
        for failure in documents["failed"]
    ]
    lines += [f"note: {notice['message']}" for notice in value["warnings"]]
    return "\n".join(lines)


def hits(found: Sequence[Mapping[str, Any]], explain: bool) -> str:
    """Show passages, best first."""
    if not found:
        return "Nothing was found."
    return "\n\n".join(_hit(n, hit, explain) for n, hit in enumerate(found, 1))


def _hit(n: int, hit: Mapping[str, Any], explain: bool) -> str:
    where = f"{n}. {hit['doc']}:{hit['start']}-{hit['end']}  {hit['score']:.3f}"
    lines = [where + (f"  {hit['locator']}" if hit["locator"] else "")]
    if explain:
        lines.append("   " + "  ".join(f"{k}={v:g}" for k, v in hit["signals"].items()))
    lines.append(_wrapped(hit["text"] if explain else _short(hit["text"]), "   "))
    if explain:
        lines += [f'   ! reads like an instruction: "{_short(said)}"' for said in _orders(hit)]
    return "\n".join(lines)


def _orders(hit: Mapping[str, Any]) -> list[str]:
    """Return what of a hit gives orders to whoever answers, hidden characters made visible."""
    from rag.text import instructions, visible

    parts = [hit[name] or "" for name in ("doc", "title", "text")]
    return [visible(part[start:end]) for part in parts for start, end in instructions(part)]


def answer(value: Mapping[str, Any], explain: bool) -> str:
    """Show an answer with what it rests on, or an abstention with the nearest passages."""
    lines = [_wrapped(value["answer"], ""), ""]
    if short := value["short"]:
        from rag.text import visible

        words = visible(" ".join(short["text"].split()))
        lines.append(f"in short: {words}  {short['doc']}:{short['start']}-{short['end']}")
    for citation in value["citations"]:
        if citation["doc"] is None:
            lines.append(f"[{citation['n']}] names no passage")
            continue
        where = f"[{citation['n']}] {citation['doc']}:{citation['start']}-{citation['end']}"
        where += f"  {citation['locator']}" if citation["locator"] else ""
        lines += [f"{where}  {citation['verdict']}", _wrapped(f"“{citation['quote']}”", "    ")]
    lines.append(f"confidence {value['confidence']:.2f}, {value['timings_ms']['total']:.0f} ms")
    lines += [f"note: {notice['message']}" for notice in value["warnings"]]
    if explain or value["abstained"]:
        near = value["passages"] if explain else value["passages"][:2]
        lines += ["", "passages:" if explain else "nearest passages:", hits(near, explain)]
    return "\n".join(lines)


def table(value: Mapping[str, Any]) -> str:
    """Show names and values, one a line."""
    width = max(map(len, value))
    return "\n".join(f"{name:<{width}}  {_plain(each)}" for name, each in value.items())


def verified(value: Mapping[str, Any]) -> str:
    """Say of each generation whether it is whole."""
    return "\n".join(
        f"{name}{' (current)' if name == value['current'] else ''}: "
        + ("; ".join(damage) if damage else "whole")
        for name, damage in value["generations"].items()
    )


def checks(value: Mapping[str, Any]) -> str:
    """Show what the doctor found."""
    return "\n".join(
        f"{'ok  ' if check['ok'] else 'MEND'}  {check['name']:<8} {check['detail']}"
        for check in value["checks"]
    )


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _short(said: str) -> str:
    """Return the beginning; `textwrap.shorten` leaves nothing of a script without blanks."""
    line = " ".join(said.split())
    return line if len(line) <= 280 else f"{line[:279].rstrip()}…"


def _wrapped(said: str, indent: str) -> str:
    return textwrap.fill(
        " ".join(said.split()), _WIDTH, initial_indent=indent, subsequent_indent=indent
    )
