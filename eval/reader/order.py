"""What an epoch holds and in which batches, drawn from the seed alone.

An epoch takes of every source the share that it is worth. A question with its answer is followed by
passages beside it, as the retriever would hand them over; sentences that came alone are set among
others that their question leads to.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eval.reader.changed import altered, misleading, without_answer
from eval.reader.examples import NONE, UNKNOWN, Example, Examples
from eval.reader.mine import Beside
from eval.reader.rows import RELEVANCE, SENTENCES, Row
from rag.reader.windows import LONGEST, QUESTION, TITLE

SHARES: Mapping[str, float] = {
    "squad1_train_head": 1.0,
    "squad1_train_emptycity": 1.0,
    "squad1_train_cs224n_val": 1.0,
    "squad1_train_sentences_reqa": 0.7,
    "squad1_train_sentences_nqg": 0.7,
    "squadshifts_newwiki": 1.0,
    "squad2": 3.0,
    "qed": 1.0,
    "nq_open_oracle": 1.0,
    "squadshifts_reddit": 0.4,
    "squadshifts_amazon": 0.2,
    "fairytaleqa": 0.3,
    "qamr": 0.3,
    "timeqa_human": 0.5,
    "tatqa_text_spans": 0.5,
    "selqa": 0.5,
}
"""Share of each source's rows that an epoch takes, above 1 what it takes more than once.

A source that is not here is not trained on.
"""
BESIDE = 0.4
"""Passages beside the answer's for each question that has some, on average."""
WITHOUT = 0.15
"""Texts without their answer's sentence for each question."""
CHANGED = 0.9
"""Attempts for each question to change it into one that its text does not answer; one of three fits."""
ALTERED = 0.4
"""Attempts to change the text instead; one of five fits."""
TITLED = 0.6
"""Share of the windows that show the title where there is one."""
SHORT = 0.6
"""Share of the windows that are shorter than the longest, so that more of them fit into an hour."""
_SHORT_ROOM = (96, 160)
_MEGABATCH = 64
"""Batches' worth of examples that are sorted by length together."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What training draws from."""

    rows: Sequence[Row]
    beside: Mapping[str, Sequence[Beside]]
    relevance: Sequence[tuple[str, str, Sequence[str]]] = ()
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)
    most: int | None = None
    """Rows to draw from at most, for what compares many runs."""


def drawn(
    rows: Sequence[Row], shares: Mapping[str, float], most: int | None, rng: np.random.Generator
) -> list[Row]:
    """Return of each source's rows its share, at most so many in all, in their order."""
    chosen = [row for row in rows for _ in range(int(rng.random() + shares.get(row.source, 0.0)))]
    if most is None:
        return chosen
    return [chosen[at] for at in sorted(rng.permutation(len(chosen))[:most])]


def epoch(plan: Plan, cut: Examples, number: int, seed: int, tokens: int) -> list[list[Example]]:
    """Return the batches of one epoch, each of at most `tokens` tokens with its padding."""
    rng = np.random.default_rng([seed, number])
    examples = list(_examples(plan, cut, rng))
    order = rng.permutation(len(examples))
    batches: list[list[Example]] = []
    size = max(1, _MEGABATCH * tokens // 160)
    for at in range(0, len(order), size):
        several = sorted((examples[i] for i in order[at : at + size]), key=lambda e: len(e.ids))
        batches.extend(_batches(several, tokens))
    return [batches[at] for at in rng.permutation(len(batches))]


def _batches(examples: Sequence[Example], tokens: int) -> Iterator[list[Example]]:
    """Yield neighbours in length together."""
    batch: list[Example] = []
    for example in examples:
        if batch and len(example.ids) * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(example)
    if batch:
        yield batch


def _examples(plan: Plan, cut: Examples, rng: np.random.Generator) -> Iterator[Example]:
    chosen = drawn(plan.rows, plan.shares, plan.most, rng)
    cut.learn([text for row in chosen for text in (row.question, row.context, row.title)])
    for row in chosen:
        beside = plan.beside.get(row.id, ())
        if row.source in SENTENCES:
            row, beside = _among(row, beside, rng)
        title = row.title if rng.random() < TITLED else ""
        room = _room(rng)
        if not row.answers:
            yield cut.other(row.question, title, row.context, room, rng, relevant=UNKNOWN)
            continue
        example = cut.answering(row.question, title, row.context, (row.start, row.end), room, rng)
        if example is None:
            continue
        yield example
        if beside and rng.random() < BESIDE:
            other = beside[int(rng.integers(len(beside)))]
            shown = other.title if title else ""
            yield cut.other(row.question, shown, other.text, _room(rng), rng)
        if row.source in SENTENCES:
            continue
        if rng.random() < WITHOUT and (left := without_answer(row)):
            yield cut.other(row.question, title, left, _room(rng), rng)
        if rng.random() < CHANGED and (asked := misleading(row, [each.text for each in beside], rng)):
            yield cut.other(asked, title, row.context, _room(rng), rng, relevant=UNKNOWN)
        if rng.random() < ALTERED and (told := altered(row, rng)):
            yield cut.other(row.question, title, told, _room(rng), rng, relevant=UNKNOWN)
    share = plan.shares.get(RELEVANCE, 0.0)
    for question, right, wrong in plan.relevance:
        if rng.random() < share:
            yield cut.other(question, "", right, _room(rng), rng, relevant=1, null=UNKNOWN)
            if wrong:
                other_text = wrong[int(rng.integers(len(wrong)))]
                yield cut.other(question, "", other_text, _room(rng), rng, null=NONE)


def _among(
    row: Row, beside: Sequence[Beside], rng: np.random.Generator
) -> tuple[Row, Sequence[Beside]]:
    """Return a sentence's row with some of those beside it around it; the rest stay beside."""
    count = int(rng.integers(0, 1 + min(3, len(beside))))
    taken = [beside[at].text for at in rng.permutation(len(beside))[:count]]
    place = int(rng.integers(0, len(taken) + 1))
    before = "".join(f"{text} " for text in taken[:place])
    after = "".join(f" {text}" for text in taken[place:])
    wide = Row(
        row.id, row.source, row.article, row.title, before + row.context + after,
        row.question, row.answers, row.start + len(before),
    )  # fmt: skip
    left = [each for each in beside if each.text not in taken]
    return wide, left


def _room(rng: np.random.Generator) -> int:
    """Return how many tokens of its text a window shows."""
    if rng.random() < SHORT:
        return int(rng.integers(*_SHORT_ROOM))
    return LONGEST - QUESTION - TITLE + int(rng.integers(0, QUESTION - 3))
