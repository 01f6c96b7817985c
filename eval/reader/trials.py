"""Small runs beside each other: what a source gives, and what more data gives.

All are judged on articles that are neither trained on nor reported on in the end: those that
confidence is fitted on, and the part of SQuAD and of new Wikipedia articles that is kept apart.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from eval.reader.export import EXACT, export
from eval.reader.measure import measured, read_all
from eval.reader.order import Plan, drawn
from eval.reader.rows import CALIBRATED, PARAGRAPHS, RELEVANCE, Row, squad2_rows
from eval.reader.train import Recipe, train
from rag.reader import reader_of

_JUDGED = (*PARAGRAPHS, "squadshifts_newwiki")


@dataclass(frozen=True, slots=True)
class Trial:
    """One small run: its name, what it draws from and how many questions, and what is added."""

    name: str
    shares: Mapping[str, float]
    questions: int
    source: str = ""
    added: int = 0
    """Questions of `source`, beside the others."""

    def plan(self, plan: Plan, seed: int) -> Plan:
        """Return what the run draws from: the same others, whatever is added to them."""
        rows = drawn(plan.rows, self.shares, self.questions, np.random.default_rng(seed))
        more = drawn(plan.rows, {self.source: 1.0}, self.added, np.random.default_rng(seed))
        shares = {row.source: 1.0 for row in (*rows, *more)}
        if self.source == RELEVANCE:
            shares[RELEVANCE] = min(1.0, self.added / len(plan.relevance))
        return replace(plan, rows=[*rows, *more], shares={**self.shares, **shares})


def ablation(
    shares: Mapping[str, float], sources: Sequence[str], questions: int, added: int
) -> Iterator[Trial]:
    """Yield two trials without any of the named sources, and for each of them one with some of it.

    A source pays that is worth more than nothing in its place, and hurts that is worth less. The
    trial with as many more questions of the others says what their like would have given.
    """
    rest = {name: share for name, share in shares.items() if name not in sources}
    yield Trial("none of them", rest, questions)
    yield Trial("more of the others", rest, questions + added)
    for source in sources:
        yield Trial(f"with {source}", rest, questions, source, added)


def curve(shares: Mapping[str, float], sizes: Sequence[int]) -> Iterator[Trial]:
    """Yield a trial for each number of questions."""
    for size in sizes:
        yield Trial(f"{size} questions", shares, size)


def judged(held: Sequence[Row], squad2: Path) -> list[Row]:
    """Return the questions that trials are judged on."""
    own = [row for row in squad2_rows(squad2, "train_articles") if row.article in CALIBRATED]
    return [*own, *(row for row in held if row.source in _JUDGED)]


def run(trial: Trial, plan: Plan, rows: Sequence[Row], recipe: Recipe, work: Path) -> str:
    """Return a line of a table; what a trial gave is kept in its folder and not run again."""
    folder = work / trial.name.replace(" ", "-")
    kept = folder / "trial.json"
    if not kept.exists():
        reader = train(trial.plan(plan, recipe.seed), recipe, folder)
        export(reader, folder / "exported")
        found = measured(rows, read_all(reader_of(folder / "exported", EXACT), rows))
        figures = {"EM": str(found.exact), "F1": str(found.f1), "AUROC": str(found.auroc)}
        value = {**asdict(trial), "recipe": asdict(recipe), "figures": figures}
        kept.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    shown = json.loads(kept.read_text(encoding="utf-8"))["figures"]
    return f"| {trial.name} | {' | '.join(shown.values())} |"
