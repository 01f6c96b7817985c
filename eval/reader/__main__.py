"""`python -m eval.reader`: train the reader, measure it, put it into the library."""

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from eval.errors import DataError
from eval.reader.rows import CALIBRATED, Row, parted, read_rows, relevance_rows, sampled, squad2_rows
from rag.cli.fence import fence

app = typer.Typer(
    name="python -m eval.reader",
    help="The reader that the library ships, from the training data on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"

Data = Annotated[Path, typer.Option(help="Folder of the training data.", show_default="beside us")]
Squad2 = Annotated[Path, typer.Option(help="Folder of SQuAD 2.0.", show_default="beside us")]
Work = Annotated[Path, typer.Option(help="Folder of the run: its checkpoint, its result.")]


@app.command()
def train(
    work: Work,
    data: Data = SHARED / "train",
    squad2: Squad2 = SHARED / "data" / "squad2_dev",
    epochs: Annotated[float, typer.Option(min=0.01, help="Times that the data is gone through.")] = 2.0,
    seed: Annotated[int, typer.Option(help="What all that is drawn is drawn from.")] = 1,
    most: Annotated[int | None, typer.Option(help="Questions to draw from at most.")] = None,
    steps: Annotated[int | None, typer.Option(help="Batches after which to stop.")] = None,
    share: Annotated[
        list[str] | None, typer.Option(help="SOURCE=SHARE, instead of what the source usually gives.")
    ] = None,
) -> None:
    """Train, or go on from the checkpoint in the folder; then export and measure."""
    from eval.reader.mine import mined
    from eval.reader.order import SHARES, Plan
    from eval.reader.train import Recipe
    from eval.reader.train import train as run

    rows, _ = parted(read_rows(data, squad2))
    shares = {**SHARES, **_shares(share or [])}
    work.mkdir(parents=True, exist_ok=True)
    beside = mined(rows, work.parent / "beside.jsonl")
    plan = Plan(rows, beside, relevance_rows(data), shares, most)
    run(plan, replace(Recipe(), epochs=epochs, seed=seed), work, steps)
    measure(work, data, squad2)


@app.command()
def measure(
    work: Work,
    data: Data = SHARED / "train",
    squad2: Squad2 = SHARED / "data" / "squad2_dev",
    exact: Annotated[bool, typer.Option("--exact", help="In float32 instead of int8.")] = False,
    only: Annotated[str | None, typer.Option(help="One source alone, such as squad2.")] = None,
) -> None:
    """Measure a trained reader on articles that it has not seen, the right text given."""
    from eval.reader.export import EXACT, SMALL, export
    from eval.reader.measure import by_source, measured, read_all, table
    from rag.reader import reader_of

    exported = work / "exported"
    weights = work / "reader.safetensors"
    if not weights.exists():
        raise DataError(f"{work} holds no trained reader; train one with --work {work}.")
    if not (exported / SMALL).exists() or _older(exported / SMALL, weights):
        from eval.reader.network import Reader

        export(Reader.open(weights), exported)
    reader = reader_of(exported, EXACT if exact else SMALL)
    held: list[Row] = [] if only == "squad2" else parted(read_rows(data, squad2))[1]
    rows = [*squad2_rows(squad2, "test_articles"), *held]
    found = {
        name: measured(some, read_all(reader, some))
        for name, some in by_source(rows).items()
        if only in (None, name)
    }
    kind = "exact" if exact else "int8"
    values = {name: asdict(each) for name, each in found.items()}
    (work / f"measured.{kind}.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(found)))


@app.command()
def trials(
    work: Work,
    data: Data = SHARED / "train",
    squad2: Squad2 = SHARED / "data" / "squad2_dev",
    source: Annotated[
        list[str] | None, typer.Option(help="Sources, some of each of which is added to all others.")
    ] = None,
    size: Annotated[
        list[int] | None, typer.Option(help="Numbers of questions, for a curve instead.")
    ] = None,
    questions: Annotated[int, typer.Option(help="Questions of the others.")] = 8_000,
    added: Annotated[int, typer.Option(help="Questions of the source that is added.")] = 2_000,
    seed: Annotated[int, typer.Option(help="What all that is drawn is drawn from.")] = 1,
    epochs: Annotated[float, typer.Option(min=0.01, help="Times that they are gone through.")] = 1.0,
) -> None:
    """Train small readers beside each other and print what each is worth."""
    from eval.reader.mine import mined
    from eval.reader.order import SHARES, Plan
    from eval.reader.train import Recipe
    from eval.reader.trials import ablation, curve, judged, run

    learned, held = parted(read_rows(data, squad2))
    work.mkdir(parents=True, exist_ok=True)
    plan = Plan(learned, mined(learned, work.parent / "beside.jsonl"), relevance_rows(data))
    several = curve(SHARES, size) if size else ablation(SHARES, source or [], questions, added)
    rows = judged(held, squad2)
    print("| run | EM | F1 | AUROC |\n|---|---|---|---|")
    for trial in several:
        print(run(trial, plan, rows, replace(Recipe(), epochs=epochs, seed=seed), work), flush=True)


@app.command()
def whole(
    data: Data = SHARED / "train",
    squad2: Squad2 = SHARED / "data" / "squad2_dev",
    reader: Annotated[str | None, typer.Option(help="`off`, or the folder of an exported one.")] = None,
    articles: Annotated[
        str, typer.Option(help="`test`, or `calibrated` to choose weights on.")
    ] = "test",
    limit: Annotated[int | None, typer.Option(help="Questions of each kind at most.")] = None,
    out: Annotated[Path | None, typer.Option(help="File that is told what became of each.")] = None,
) -> None:
    """Ask the whole of SQuAD 2.0's corpus, with questions of other articles among them."""
    from tqdm import tqdm

    from eval.reader.whole import ask, documents, figures, told
    from rag import Answerer, Retriever
    from rag.config import Settings

    found = documents(squad2 / "corpus.jsonl")
    settings = Settings.load(reader=reader)
    answerer = Answerer.over(Retriever.from_documents(found, settings), settings)
    part = "test_articles" if articles == "test" else "train_articles"
    rows = [row for row in squad2_rows(squad2, part) if articles == "test" or row.article in CALIBRATED]
    others = [row for row in parted(read_rows(data, squad2))[1] if row.source == "squadshifts_newwiki"]
    kinds = ([row for row in rows if row.answers], [row for row in rows if not row.answers], others)
    asked = [row for kind in kinds for row in sampled(kind, limit)]
    with tqdm(total=len(asked)) as bar:
        answers = ask(answerer, asked, {each.text: each.id for each in found}, bar.update)
    for name, score in figures(answers):
        print(f"{name:34} {score}")
    if out is not None:
        out.write_text("".join(f"{line}\n" for line in told(answers)), encoding="utf-8")


def _older(file: Path, other: Path) -> bool:
    return file.stat().st_mtime < other.stat().st_mtime


def _shares(given: list[str]) -> dict[str, float]:
    try:
        return {name: float(value) for name, _, value in (each.partition("=") for each in given)}
    except ValueError:
        raise DataError(f"--share takes SOURCE=NUMBER, not {' '.join(given)!r}.") from None


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    with fence("eval.reader"):
        app()
