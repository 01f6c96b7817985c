"""Every evidence row resolved, judged by item, and a mended line proposed where one is needed."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from eval.anchor import Resolution, Status, context, resolve, sentence_digest
from eval.check.mend import mended
from eval.check.news import warnings
from eval.check.values import Checked, CheckReport, Row
from eval.gold import Evidence, Gold, GoldItem, read_lines
from rag.text import fold, sentences

Texts = Mapping[str, str]
Before = Mapping[str, Sequence[str]]


def check(gold: Gold, texts: Texts, before: Before | None = None) -> CheckReport:
    """Find all of a gold set's evidence in today's texts.

    `before` maps each document to the `sentence_digests` it had when the baseline was made; without
    it nothing is known to be new. Raises `GoldError` where the file cannot be read again.
    """
    known = {doc: frozenset(digests) for doc, digests in (before or {}).items()}
    raw = {value["id"]: value for value in (json.loads(line) for _, line in read_lines(gold.path))}
    counts: Counter[str] = Counter()
    items: list[Checked] = []
    proposals: dict[str, Mapping[str, Any]] = {}
    for item in gold.items:
        rows = _resolved(item, texts, known)
        counts.update(row.now.status for row in rows)
        line, notes = mended(raw[item.id], item, rows, texts)
        if line != raw[item.id]:
            proposals[item.id] = line
        open_rows = [row for row in rows if not row.now.settled]
        if open_rows:
            items.append(Checked(item.id, item.question, _is_stale(rows), open_rows, notes))
    return CheckReport(
        items,
        {status: counts[status] for status in get_args(Status)},
        sum(item.stale for item in items),
        warnings(gold.items, texts, known) if before is not None else [],
        proposals,
    )


def _is_stale(rows: Sequence[Row]) -> bool:
    held = {row.gold.group for row in rows if row.now.settled}
    return any(row.gold.group not in held for row in rows)


def _resolved(item: GoldItem, texts: Texts, before: Mapping[str, Collection[str]]) -> list[Row]:
    """Resolve an item's rows; what merely looks like a quote but is no edit of it is dropped."""
    accepted = [wording for answer in item.answers for wording in answer.accepted]
    found = [resolve(row, texts, accepted) for row in item.evidence]
    settled = [each for each in found if each.settled and each.start is not None]
    return [
        Row(row, _without_place(now) if _is_another(row, now, settled, texts, before) else now)
        for row, now in zip(item.evidence, found, strict=True)
    ]


def _is_another(
    row: Evidence,
    now: Resolution,
    settled: Sequence[Resolution],
    texts: Texts,
    before: Mapping[str, Collection[str]],
) -> bool:
    """Tell whether a proposal is a sentence of its own: it is held evidence, or stood there before.

    What stands between the old prefix and suffix is the quote edited, even if the baseline is newer
    than the edit; and so is what differs in its spelling alone.
    """
    if now.status not in ("edited", "stale") or now.quote is None or row.quote is None:
        return False
    text, start, end = texts[now.doc], now.start or 0, now.end or 0
    if any(_meets(each, now.doc, start, end) for each in settled):
        return True
    if fold(row.quote).text == fold(now.quote).text or context.in_place(row, text, (start, end)):
        return False
    around = [text[a:b] for a, b in sentences(text) if a < end and b > start]
    known = before.get(now.doc, ())
    return all(sentence_digest(sentence) in known for sentence in around)


def _meets(held: Resolution, doc: str, start: int, end: int) -> bool:
    return held.doc == doc and (held.start or 0) < end and (held.end or 0) > start


def _without_place(now: Resolution) -> Resolution:
    note = "it is gone; what is most like it there is another sentence"
    return replace(now, status="stale", start=None, end=None, quote=None, survives=False, note=note)
