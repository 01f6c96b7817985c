"""Asking the gold and comparing what came of it: run, compare, bless."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.cli import show
from eval.cli.options import (
    GOLD,
    REPORTS,
    Backend,
    Baseline,
    Fresh,
    GoldFile,
    Index,
    Json,
    Limit,
    Margin,
    Seeds,
    Strict,
    Tags,
    app,
    baseline_of,
)
from eval.errors import EvalError, Exit, NothingScoredError
from eval.gold import Gold, read_gold
from rag.cli.show import progress as progress_bar
from rag.config import Settings


@app.command(epilog="Example: python -m eval run --baseline eval/gold/seeds.baseline.json")
def run(
    gold: GoldFile = GOLD,
    seeds: Seeds = None,
    index: Index = None,
    backend: Backend = None,
    tags: Tags = None,
    limit: Limit = None,
    baseline: Baseline = None,
    margin: Margin = 0.03,
    strict: Strict = False,
    judge: Annotated[str, typer.Option(help="What judges support: lexical or embedding.")] = "lexical",
    out: Annotated[
        Path, typer.Option(help="Folder of reports.", show_default="eval/reports")
    ] = REPORTS,
    fresh: Fresh = False,
    verify_determinism: Annotated[
        bool, typer.Option("--verify-determinism", help="Ask all twice; exit 1 if a byte differs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask the gold, score the answers, report.

    The table goes to stdout; the reports, a page among them, into a folder of their own. With a
    baseline the verdict decides the exit code.
    """
    from eval import report
    from eval.cli.clock import clock
    from eval.compare import compare
    from eval.metrics.grounding import open_judge
    from eval.run import run as run_all
    from eval.system import open_system

    measured = read_gold(gold)
    before = report.read_report(baseline) if baseline else None
    wanted = _split(tags)
    began = clock()
    with progress_bar("documents") as progress:
        system = open_system(measured, Settings.load(backend=backend), seeds, index, progress)
    chosen = open_judge(judge, system.answerer.retriever.encoder)
    with progress_bar("questions") as progress:
        outcome = run_all(
            measured, system, chosen, wanted, limit, progress, fresh or verify_determinism
        )
    if not outcome.scored:
        raise NothingScoredError(_nothing(measured, wanted))
    if verify_determinism:
        with progress_bar("questions, again") as progress:
            again = run_all(measured, system, chosen, wanted, limit, progress, fresh=True)
        _refuse_unlike(report.dump(outcome.report), report.dump(again.report))
    comparison = compare(before, outcome.report, margin) if before else None
    timings = began(outcome.timings)
    folder = out / f"{timings['commit'] or 'nocommit'}-{report.digest(outcome.report)}"
    report.write(folder, outcome.report, timings, comparison, system.texts)
    if as_json:
        shown = {name: outcome.report[name] for name in ("gold", "system", "metrics", "stages")}
        show.as_json({"report": str(folder), "comparison": comparison, **shown})
    else:
        print(report.summary(outcome.report, timings, comparison))
        print(f"\nreport: {folder / 'index.html'}")
    stale = sorted({each.gold.item.id for each in outcome.scored if not each.gold.held})
    if stale:
        print(
            f"eval: {len(stale)} items rest on text that is no longer there ({show.some(stale)}); "
            "`python -m eval check` proposes a patch.",
            file=sys.stderr,
        )
    sys.exit(_exit(comparison, stale, strict))


@app.command(epilog="Example: python -m eval compare eval/gold/seeds.baseline.json eval/reports/…")
def compare(
    base: Annotated[Path, typer.Argument(help="The older report: its folder or report.json.")],
    new: Annotated[Path, typer.Argument(help="The newer one.")],
    margin: Margin = 0.03,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Compare two runs, item by item.

    What was lost and won, through what, and whether it could be chance.
    """
    from eval import report
    from eval.compare import compare as compare_runs

    newer = report.read_report(new)
    comparison = compare_runs(report.read_report(base), newer, margin)
    if as_json:
        show.as_json(comparison)
    else:
        print(report.summary(newer, None, comparison))
    sys.exit(_exit(comparison, (), strict))


@app.command(epilog="Example: python -m eval bless eval/reports/1a2b3c4-5d6e7f/")
def bless(
    report: Annotated[
        Path | None, typer.Argument(help="The report; none: the newest.", show_default=False)
    ] = None,
    gold: GoldFile = GOLD,
) -> None:
    """Make a report the baseline.

    Later runs of this gold are compared with it; it stands beside the gold.
    """
    from eval.report import dump, newest, read_report

    blessed = read_gold(gold)
    chosen = report or newest(REPORTS)
    value = read_report(chosen)
    if value["gold"]["digest"] != blessed.digest:
        raise EvalError(f"{chosen} was not measured on {blessed.path} as it is now; run that first.")
    if value["gold"]["items"] != value["gold"]["of"]:
        raise EvalError(f"{chosen} holds only a part of the gold; run it without --limit and --tags.")
    target = baseline_of(blessed)
    target.write_bytes(dump(value))
    print(f"{target} is now {chosen}.")


def _split(tags: list[str] | None) -> list[str]:
    return [tag.strip() for each in tags or () for tag in each.split(",") if tag.strip()]


def _nothing(gold: Gold, tags: list[str]) -> str:
    if not gold.items:
        return f"{gold.path} holds no item, so nothing was scored."
    known = sorted({tag for item in gold.items for tag in item.tags})
    return f"No item of {gold.path} bears {show.some(tags)}; there are {show.some(known, 30)}."


def _refuse_unlike(first: bytes, second: bytes) -> None:
    """Raise `EvalError` that shows where two reports that should be the same part ways."""
    for one, other in zip(first.split(b"\n"), second.split(b"\n"), strict=False):
        if one != other:
            at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
            begin = max(0, at - 40)
            shown = [line[begin : at + 40].decode(errors="replace") for line in (one, other)]
            raise EvalError(f"Two runs of the same thing differ: …{shown[0]}… against …{shown[1]}….")
    if first != second:
        raise EvalError("Two runs of the same thing differ in length.")


def _exit(comparison: dict[str, Any] | None, stale: Sequence[str], strict: bool) -> Exit:
    verdict = comparison["verdict"] if comparison else "PASS"
    if verdict == "FAIL":
        return Exit.REGRESSION
    if stale:
        return Exit.STALE
    return Exit.INCONCLUSIVE if strict and verdict == "INCONCLUSIVE" else Exit.PASS
