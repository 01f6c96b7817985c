"""Every evidence row resolved, judged by item, and a mended line proposed where one is needed."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, get_args

from eval.anchor import Resolution, Status, resolve, sentence_digest
from eval.anchor.sentence import unmarked
from eval.check.mend import mended
from eval.check.news import warnings
from eval.check.values import Checked, CheckReport, Row
from eval.gold import Evidence, Gold, GoldItem, read_lines
from rag.text import sentences
from rag.types import Span

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
    for item, rows in zip(gold.items, _resolved(gold.items, texts, known), strict=True):
        counts.update(row.now.status for row in rows)
        line, notes = mended(raw[item.id], item, rows, texts)
        if line != raw[item.id]:
            proposals[item.id] = line
        open_rows = [row for row in rows if not row.now.settled]
        if open_rows:
            items.append(Checked(item.id, item.question, _is_held(rows), open_rows, notes))
    return CheckReport(
        items,
        {status: counts[status] for status in get_args(Status)},
        warnings(gold.items, texts, known) if before is not None else [],
        proposals,
    )


def _is_held(rows: Sequence[Row]) -> bool:
    held = {row.gold.group for row in rows if row.now.settled}
    return all(row.gold.group in held for row in rows)


def _resolved(
    items: Sequence[GoldItem], texts: Texts, before: Mapping[str, Collection[str]]
) -> list[list[Row]]:
    """Resolve every item's rows; what merely looks like a quote but is a sentence of its own is none.

    Of its own is a sentence that stood there before, or that holds as another row's evidence.
    """
    found = [[Row(row, _now(row, item, texts)) for row in item.evidence] for item in items]
    held: defaultdict[str, list[Span]] = defaultdict(list)
    for _, now in chain.from_iterable(found):
        if now.settled and now.start is not None and now.end is not None:
            held[now.doc].append((now.start, now.end))
    guessed = {now.doc for _, now in chain.from_iterable(found) if _is_guess(now)}
    others = {doc: {*before.get(doc, ()), *_within(held[doc], texts[doc])} for doc in guessed}
    return [
        [
            Row(row, _now(row, item, texts, others[now.doc])) if _is_guess(now) else Row(row, now)
            for row, now in rows
        ]
        for item, rows in zip(items, found, strict=True)
    ]


def _now(row: Evidence, item: GoldItem, texts: Texts, others: Collection[str] = ()) -> Resolution:
    accepted = [wording for answer in item.answers for wording in answer.accepted]
    return resolve(row, texts, accepted, others)


def _is_guess(now: Resolution) -> bool:
    return now.status in ("edited", "stale") and now.quote is not None


def _within(held: Sequence[Span], text: str) -> Iterator[str]:
    """Yield the digests of a text's sentences that lie in one of the spans."""
    waiting, reach = sorted(held, reverse=True), 0
    for span in sentences(text):
        start, end = unmarked(text, span)
        while waiting and waiting[-1][0] <= start:
            reach = max(reach, waiting.pop()[1])
        if end <= reach:
            yield sentence_digest(text[slice(*span)])
