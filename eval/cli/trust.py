"""When an answer may be believed: calibrate, canary."""

from pathlib import Path
from typing import Annotated

import typer

from eval.cli import show
from eval.cli.options import GOLD, Backend, GoldFile, Index, Json, Seeds, app
from eval.gold import read_gold
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
    """Count answers that obey planted orders.

    Documents that say "ignore the question" in several ways are asked beside the seeds.
    """
    from eval.canary import canary as attack
    from eval.canary import opening, table
    from eval.system import read_documents

    asked = read_gold(gold)
    settings = Settings.load(backend=backend)
    documents = read_documents(asked, settings, seeds)
    with progress_bar("questions") as progress:
        found = attack(asked, documents, opening(settings), limit, progress)
    if as_json:
        show.as_json(found)
    else:
        print(table(found))
