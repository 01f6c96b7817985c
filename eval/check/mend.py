"""A gold line as it should read today, all rows of an item looked at together.

An answer follows its evidence only where every row that stated it now says the same new thing. Where
the documents disagree, or the new words cannot be told, the rows stay as they are for a person.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eval.anchor import Resolution
from eval.anchor.align import carried, places, stands, words
from eval.anchor.loss import lost_numbers, numbers
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
    lost = [[at for at, row in enumerate(rows) if _has_lost(row, each)] for each in item.answers]
    notes: list[str] = []
    answers: list[Line] = []
    clear = True
    for raw, answer, gone in zip(line.get("answers", []), item.answers, lost, strict=True):
        new, note = _new_words(answer, [rows[at] for at in gone], rows) if gone else (None, "")
        answers.append(_answer(raw, new) if new else raw)
        notes += filter(None, [note or _partly_lost(answer, rows)])
        clear = clear and not (gone and new is None)
    held_back = set() if clear else {at for gone in lost for at in gone}
    notes += _of_question(item.question, rows)
    evidence, removed = _evidence(line.get("evidence", []), rows, held_back, texts)
    if removed:
        notes.append(f"{removed} of its quotes {'is' if removed == 1 else 'are'} gone; another holds")
    changed = {**line}
    if answers and clear:
        changed["answers"] = answers
    if evidence:
        changed["evidence"] = evidence
    return changed, notes


def _answer(raw: Line, wordings: Sequence[str]) -> Line:
    aliases = {"aliases": [*wordings[1:]]} if "aliases" in raw or wordings[1:] else {}
    return {**raw, "text": wordings[0], **aliases}


def _partly_lost(answer: GoldAnswer, rows: Sequence[Row]) -> str:
    """Return a note where a number that an answer may be said with is gone, and other words hold."""
    for gold, now in rows:
        for wording in answer.accepted if gold.quote and now.quote else ():
            if stands(wording, gold.quote or "") and lost_numbers(wording, now.quote or ""):
                return f"answer: “{wording}” no longer stands there, though another wording does"
    return ""


def _of_question(question: str, rows: Sequence[Row]) -> list[str]:
    """Return a note for each number of the question that no longer stands in its evidence."""
    gone = {
        number
        for gold, now in rows
        if gold.quote and now.quote
        for number in lost_numbers(gold.quote, now.quote)
    }
    return [f"the question itself says {number}" for number in sorted(gone & numbers(question).keys())]


def _has_lost(row: Row, answer: GoldAnswer) -> bool:
    """Tell whether a row stated an answer, and what stands in its place does not."""
    quote, now = row.gold.quote, row.now.quote
    return bool(quote and now) and _states(answer, quote) and not _states(answer, now)


def _states(answer: GoldAnswer, text: str | None) -> bool:
    return text is not None and any(stands(wording, text) for wording in answer.accepted)


def _new_words(
    answer: GoldAnswer, lost: Sequence[Row], rows: Sequence[Row]
) -> tuple[Sequence[str] | None, str]:
    """Return the wordings that an answer has now, or None, and what to say of it.

    Of "four waves, three months, not at once" only the second is out of date where months become
    years, and only if another still stands there.
    """
    gone = {number for row in lost for number in _lost_numbers(answer, row)}
    current = [each for each in answer.accepted if gone and not gone & numbers(each).keys()]
    if not any(stands(each, row.now.quote or "") for row in rows for each in current):
        current = []
    outdated = [each for each in answer.accepted if each not in current]
    still = [now for _, now in rows if any(stands(each, now.quote or "") for each in outdated)][:1]
    became = [(_became(answer, row), row.now) for row in lost]
    said = {_value(new): now for new, now in became if new is not None}
    if len(said) + len(still) > 1:
        quoted = ", ".join(
            f"{now.doc} says “{squeeze(now.quote or '')}”" for now in (*said.values(), *still)
        )
        return None, f"the documents now contradict each other: {quoted}"
    new = list(dict.fromkeys(new for new, _ in became if new is not None))
    if len(new) < len({each for each, _ in became}):
        return None, f"answer: “{answer.text}” no longer stands there; say what it is now"
    return [*new, *current], f"answer: was “{outdated[0]}”, now stands “{new[0]}”"


def _lost_numbers(answer: GoldAnswer, row: Row) -> set[str]:
    quote, now = row.gold.quote or "", row.now.quote or ""
    stated = (each for each in answer.accepted if stands(each, quote))
    return {number for each in stated for number in lost_numbers(each, now)}


def _value(wording: str) -> str:
    """Return what is the same of two wordings that state the same."""
    return " ".join(sorted(numbers(wording))) or wording.casefold()


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
    hinted = gold.start is None or (now.start == gold.start and gold.end in (None, now.end))
    return hinted and now.settled
