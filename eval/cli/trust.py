"""When an answer may be believed: calibrate, canary, ground."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from eval.cli import show
from eval.cli.options import GOLD, Backend, Fresh, GoldFile, Index, Json, Limit, Seeds, app
from eval.errors import Exit
from eval.gold import read_gold, write_lines
from rag.cli.show import progress as progress_bar
from rag.config import Settings


@app.command(epilog="Example: python -m eval calibrate --gold notes-gold.jsonl --seeds notes/")
def calibrate(
    gold: GoldFile = GOLD,
    seeds: Seeds = None,
    index: Index = None,
    backend: Backend = None,
    out: Annotated[Path, typer.Option(help="The calibration file.")] = Path("calibration.json"),
    as_json: Json = False,
) -> None:
    """Fit confidence and threshold to seeds.

    The gold needs answerable and unanswerable questions; a chart beside the file shows what each
    threshold costs.
    """
    from eval.calibrate import calibrate as fit
    from eval.calibrate import curve, table
    from eval.system import open_system

    fitted_on = read_gold(gold)
    with progress_bar("documents") as progress:
        system = open_system(fitted_on, Settings.load(backend=backend), seeds, index, progress)
    with progress_bar("questions") as progress:
        found = fit(fitted_on, system, progress)
    drawn = out.with_suffix(".svg")
    show.write(out, found.calibration)
    drawn.write_text(curve(found), encoding="utf-8")
    if as_json:
        show.as_json(found.calibration)
    else:
        print(table(found))
        print(f"\n{out}: set RAG_CALIBRATION to it; {drawn} shows risk against coverage.")


@app.command(epilog="Example: python -m eval canary --limit 20")
def canary(
    gold: GoldFile = GOLD,
    seeds: Seeds = None,
    backend: Backend = None,
    limit: Annotated[int, typer.Option(min=1, help="Questions that attacks are planted for.")] = 12,
    as_json: Json = False,
) -> None:
    """Count answers that obey planted orders, with fences around the passages and without.

    Each question is asked once beside each of two dozen documents that say "ignore the question" in
    their ways. `said` is before checking, `shown` after it, `strict` under RAG_GROUNDING=strict.
    """
    from eval.canary import canary as attack
    from eval.cli.orders import table
    from eval.system import read_documents

    asked = read_gold(gold)
    settings = Settings.load(backend=backend)
    documents = read_documents(asked, settings, seeds)
    with progress_bar("questions") as progress:
        found = attack(asked, documents, settings, limit, progress)
    if as_json:
        show.as_json(found)
    else:
        print(table(found))


@app.command(epilog="Example: python -m eval ground --data ../sets --passed passed.jsonl")
def ground(
    gold: GoldFile = GOLD,
    seeds: Seeds = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with begin_grounding, halueval_qa or squad2_dev, whichever it has."),
    ] = None,
    backend: Backend = None,
    limit: Limit = None,
    passed: Annotated[
        Path | None, typer.Option(help="File for the false claims that were called supported.")
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(help="File for the supported claims that were not.")
    ] = None,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Measure the checker of citations.

    On labelled responses, on claims in which one thing was changed, on rewordings of the seeds. With
    --backend instead: ask the gold, and exit 7 where a sentence called verified tells a number, date
    or name that its quotes do not hold.
    """
    from eval import ground as grounding
    from eval.run import selected
    from eval.system import open_system, read_texts
    from rag.cite import Checker, open_judge
    from rag.embed import open_encoder

    measured = read_gold(gold)
    settings = Settings.load(backend=backend)
    if backend is not None:
        with progress_bar("documents") as progress:
            system = open_system(measured, settings, seeds, None, progress)
        with progress_bar("questions") as progress:
            told = grounding.invented(selected(measured, (), limit), system, progress, fresh)
        if as_json:
            show.as_json(told)
        else:
            print(grounding.invented_table(told))
        sys.exit(Exit.REGRESSION if told["violations"] else Exit.PASS)
    texts = read_texts(measured, settings, seeds)
    read = grounding.Data.read(measured, texts, grounding.read_rewordings(texts), data)
    checker = Checker(open_judge(settings.judge, open_encoder(settings)))
    with progress_bar("claims") as progress:
        found = grounding.ground(read, checker, progress)
    for file, part in ((passed, "passed"), (refused, "refused")):
        if file is not None:
            write_lines(file, found[part])
    if as_json:
        show.as_json(found)
    else:
        print(grounding.table(found))
