"""A check for people, and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import shorten
from typing import Any

from eval.check.values import Checked, CheckReport, Row, Warned

_WIDTH = 96
_APPLY = (
    "To accept what is proposed, look through the patch first: "
    "python -m eval check --patch gold.patch && git apply gold.patch"
)


def show(report: CheckReport) -> str:
    """Return what people read: counts, what needs a look, and how to mend it."""
    parts = [_counts(report), *map(_item, report.items)]
    if report.warnings:
        parts.append("\n".join(_warnings(report.warnings)))
    if report.proposals:
        parts.append(_APPLY)
    return "\n\n".join(parts)


def check_json(report: CheckReport) -> dict[str, Any]:
    """Return a check as one JSON value."""
    return {
        "ok": report.ok,
        "counts": dict(report.counts),
        "stale": report.stale,
        "items": [_item_json(item) for item in report.items],
        "warnings": [asdict(each) for each in report.warnings],
        "proposals": dict(report.proposals),
    }


def _item_json(item: Checked) -> dict[str, Any]:
    rows = [{"gold": row.gold.model_dump(mode="json"), "now": asdict(row.now)} for row in item.rows]
    return {
        "id": item.id,
        "question": item.question,
        "held": item.held,
        "rows": rows,
        "notes": list(item.notes),
    }


def _counts(report: CheckReport) -> str:
    total = sum(report.counts.values())
    found = ", ".join(f"{count} {status}" for status, count in report.counts.items() if count)
    lines = [f"{_many(total, 'piece')} of evidence: {found or 'none to look for'}"]
    if report.items:
        alone = sum(not item.held for item in report.items)
        lines.append(
            f"{_many(report.stale, 'question')} to look at, {alone} without evidence that holds"
        )
    elif report.ok:
        lines.append("nothing to look at")
    return "\n".join(lines)


def _item(item: Checked) -> str:
    held = "  (other evidence of it holds)" if item.held else ""
    lines = [f"{item.id}: {item.question}{held}"]
    for row in item.rows:
        lines += _row(row)
    return "\n".join([*lines, *(f"  ! {note}" for note in item.notes)])


def _row(row: Row) -> Iterator[str]:
    where = row.gold.doc if row.gold.doc == row.now.doc else f"{row.gold.doc} → {row.now.doc}"
    yield f"  {row.now.status}  {where}: {row.now.note}"
    if row.gold.quote is not None:
        yield f"    was  {_short(row.gold.quote)}"
    if row.now.quote is not None and row.now.quote != row.gold.quote:
        yield f"    now  {_short(row.now.quote)}"


def _warnings(found: Sequence[Warned]) -> Iterator[str]:
    yield "New sentences that may answer what the gold calls unanswerable:"
    for each in found:
        yield f"  {each.id}: {each.question}\n    {each.doc}: {_short(each.sentence)}"


def _short(text: str) -> str:
    return shorten(text, _WIDTH, placeholder=" …") or text


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
