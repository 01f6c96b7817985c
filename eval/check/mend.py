"""A gold line as it should read today, all rows of an item looked at together.

An answer follows its evidence only where every row that stated it now says the same new thing. Where
the documents disagree, or the new words cannot be told, the rows stay as they are for a person.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eval.anchor import Resolution
from eval.anchor.align import carried, places, stands, words
from eval.check.values import Row
from eval.gold import Evidence, GoldAnswer, GoldItem
from rag.text import squeeze

CONTEXT = 32
"""Characters of prefix and of suffix."""

Line = Mapping[str, Any]


def mended(
    line: Line, item: GoldItem, rows: Sequence[Row], texts: Mapping[str, str]
) -> tuple[Line, list[str]]:
    """Return the line of an item with what can be mended, and what a person should know."""
    answers = [dict(answer) for answer in line.get("answers") or []]
    lost = [[at for at, row in enumerate(rows) if _has_lost(row, each)] for each in item.answers]
    changes = [
        (raw, *_new_words(answer, [rows[at] for at in gone], rows))
        for answer, raw, gone in zip(item.answers, answers, lost, strict=True)
        if gone
    ]
    notes = [note for _, _, note in changes]
    clear = all(new is not None for _, new, _ in changes)
    held_back = set() if clear else {at for gone in lost for at in gone}
    for raw, new, _ in changes if clear else ():
        raw["text"] = new
        if "aliases" in raw:
            raw["aliases"] = []
    evidence, removed = _evidence(line.get("evidence") or [], rows, held_back, texts)
    if removed:
        notes.append(f"{removed} of its quotes {'is' if removed == 1 else 'are'} gone; another holds")
    changed = {**line}
    if answers:
        changed["answers"] = answers
    if evidence:
        changed["evidence"] = evidence
    return changed, notes


def _has_lost(row: Row, answer: GoldAnswer) -> bool:
    """Tell whether a row stated an answer, and what stands in its place does not."""
    quote, now = row.gold.quote, row.now.quote
    return bool(quote and now) and _states(answer, quote) and not _states(answer, now)


def _states(answer: GoldAnswer, text: str | None) -> bool:
    return text is not None and any(stands(wording, text) for wording in answer.accepted)


def _new_words(answer: GoldAnswer, lost: Sequence[Row], rows: Sequence[Row]) -> tuple[str | None, str]:
    """Return the words that an answer has become, or None, and what to say of it."""
    still = [row.now for row in rows if _states(answer, row.now.quote)][:1]
    found = {_became(answer, row): row.now for row in lost}
    said = [now for new, now in found.items() if new is not None] + still
    if len(said) > 1:
        quoted = ", ".join(f"{now.doc} says “{squeeze(now.quote or '')}”" for now in said)
        return None, f"the documents now contradict each other: {quoted}"
    new = next(iter(found))
    if new is None or len(found) > 1:
        return None, f"answer: “{answer.text}” no longer stands there; say what it is now"
    return new, f"answer: was “{answer.text}”, now stands “{new}”"


def _became(answer: GoldAnswer, row: Row) -> str | None:
    """Return what stands where the longest wording of an answer stood in a row's quote."""
    quote, now = row.gold.quote or "", row.now.quote or ""
    wording = max((each for each in answer.accepted if stands(each, quote)), key=len)
    at = places(wording, quote)
    if len(at) != 1:
        return None
    became = words(now)
    span = carried(words(quote).tokens, became.tokens, at[0])
    return now[slice(*became.span(span))] if span else None


def _evidence(
    raw: Sequence[Line], rows: Sequence[Row], held_back: set[int], texts: Mapping[str, str]
) -> tuple[list[Line], int]:
    """Return the evidence as it should be, and how many rows of it were left out."""
    gone = [_is_gone(row.now) for row in rows]
    alive = Counter(row.gold.group for row, lost in zip(rows, gone, strict=True) if not lost)
    kept: list[Line] = []
    for at, (line, row) in enumerate(zip(raw, rows, strict=True)):
        if gone[at] and alive[row.gold.group]:
            continue
        new = line if gone[at] or at in held_back else _row(line, row, texts)
        if new == line or new not in kept:
            kept.append(new)
    return kept, len(raw) - len(kept)


def _is_gone(now: Resolution) -> bool:
    return now.status == "stale" and now.quote is None


def _row(line: Line, row: Row, texts: Mapping[str, str]) -> Line:
    """Return an evidence row that names the place that was found, as little changed as can be."""
    gold, now = row.gold, row.now
    if now.start is None or now.end is None or _names(gold, now):
        return line
    text = texts[now.doc]
    around = {
        "prefix": text[max(0, now.start - CONTEXT) : now.start],
        "suffix": text[now.end : now.end + CONTEXT],
    }
    has_context = bool(gold.prefix or gold.suffix)
    place = {"start": now.start, "end": now.end}
    if now.status == "moved" and not has_context:
        return {**line, **place}
    return {**line, "doc": now.doc, "quote": now.quote, **place, **around}


def _names(gold: Evidence, now: Resolution) -> bool:
    """Tell whether a row says already where its quote is."""
    hinted = gold.start is None or (gold.start, gold.end) == (now.start, now.end)
    return hinted and now.settled
