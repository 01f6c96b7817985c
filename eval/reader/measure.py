"""What a reader is worth on texts of articles that it has not seen, the right text given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from eval.metrics.abstention import auroc
from eval.metrics.answers import exact_match, f1
from eval.reader.rows import Row
from eval.stats import Interval, interval, resampled
from rag.reader.model import Reader
from rag.types import Passage, Reading


@dataclass(frozen=True, slots=True)
class Score:
    """A mean and its 95 % interval."""

    value: float
    spread: Interval | None

    def __str__(self) -> str:
        if self.spread is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.spread.low:.3f}, {self.spread.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one source. Over both kinds, what is worth less than 0 counts as "not here"."""

    answerable: int
    unanswerable: int
    exact: Score | None
    f1: Score | None
    exact_of_both: Score | None
    f1_of_both: Score | None
    auroc: Score | None
    """How well a span's worth tells the answerable from the others."""


def read_all(reader: Reader, rows: Sequence[Row]) -> list[Reading]:
    """Return the reading of each row's own text."""

    def one(row: Row) -> Reading:
        text = Passage("", 0, len(row.context), row.context, score=0, title=row.title)
        return reader.read(row.question, [text])[0]

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, rows))


def measured(rows: Sequence[Row], readings: Sequence[Reading]) -> Measured:
    """Return the figures of rows that have been read."""
    pairs = list(zip(rows, readings, strict=True))
    known = [(row, said) for row, said in pairs if row.answers]
    yes = [bool(row.answers) for row in rows]
    clusters = [row.article for row in rows]
    worth = [said.worth for said in readings]
    parted = auroc(worth, yes)
    return Measured(
        len(known),
        len(rows) - len(known),
        _mean(known, lambda row, said: exact_match(_span(row, said), row.answers)),
        _mean(known, lambda row, said: f1(_span(row, said), row.answers)),
        _mean(pairs, lambda row, said: exact_match(_given(row, said), row.answers)),
        _mean(pairs, lambda row, said: f1(_given(row, said), row.answers)),
        None if parted is None else Score(parted, resampled(auroc, worth, yes, clusters)),
    )


def by_source(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    """Return rows by where they come from."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.source, []).append(row)
    return found


def table(found: Mapping[str, Measured]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| source | answerable | EM | F1 | not | EM, both | F1, both | AUROC |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, each in sorted(found.items()):
        figures = (
            (each.exact_of_both, each.f1_of_both, each.auroc) if each.unanswerable else (None,) * 3
        )
        shown = " | ".join("" if score is None else str(score) for score in figures)
        yield (
            f"| {name} | {each.answerable} | {each.exact} | {each.f1} | {each.unanswerable} | {shown} |"
        )


def _mean(pairs: Sequence[tuple[Row, Reading]], score: Callable[[Row, Reading], float]) -> Score | None:
    values = [score(row, said) for row, said in pairs]
    if not values:
        return None
    return Score(float(np.mean(values)), interval(values, [row.article for row, _ in pairs]))


def _span(row: Row, said: Reading) -> str:
    return row.context[said.start : said.end]


def _given(row: Row, said: Reading) -> str:
    return _span(row, said) if said.worth > 0 else ""
