"""Gold kept true and made: check, harvest, convert."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from eval.cli import show
from eval.cli.options import GOLD, Baseline, GoldFile, Json, Seeds, app, baseline_of
from eval.errors import EvalError, Exit
from eval.gold import read_gold
from rag.config import Settings


@app.command(epilog="Example: python -m eval check --patch gold.patch && git apply gold.patch")
def check(
    gold: GoldFile = GOLD,
    seeds: Seeds = None,
    baseline: Baseline = None,
    patch: Annotated[Path | None, typer.Option(help="File to write the proposed patch to.")] = None,
    as_json: Json = False,
) -> None:
    """Find every quote in the seeds of today.

    What was edited, relocated or lost is listed, with a patch of the gold that `git apply` takes.
    """
    from eval import check as checking
    from eval.report import read_report
    from eval.system import read_texts

    checked = read_gold(gold)
    texts = read_texts(checked, Settings.load(), seeds)
    known = baseline or baseline_of(checked)
    before = read_report(known)["documents"] if known.exists() else None
    sentences = {doc: each["sentences"] for doc, each in before.items()} if before else None
    found = checking.check(checked, texts, sentences)
    proposed = checking.patch(checked, found)
    if patch is not None:
        patch.write_text(proposed, encoding="utf-8")
    if as_json:
        show.as_json({**checking.check_json(found), "patch": proposed})
    else:
        print(checking.show(found))
        if proposed and patch is None:
            print(f"\n{proposed}")
    sys.exit(Exit.STALE if found.stale else Exit.PASS)


@app.command(epilog="Example: python -m eval harvest feedback.jsonl --out drafts.jsonl")
def harvest(
    feedback: Annotated[Path, typer.Argument(help="What users left at the service, in JSON lines.")],
    gold: GoldFile = GOLD,
    seeds: Seeds = None,
    out: Annotated[Path, typer.Option(help="File of drafts.")] = Path("drafts.jsonl"),
) -> None:
    """Draft gold from users' feedback.

    Each draft says what a person must do to accept it.
    """
    from eval.gold import write_lines
    from eval.harvest import harvest as draft
    from eval.system import read_texts

    if out.exists():
        raise EvalError(f"{out} exists already; name another file with --out, or move it away.")
    known = read_gold(gold)
    found = draft(feedback, read_texts(known, Settings.load(), seeds), known.items)
    write_lines(out, found.drafts)
    for skipped in found.skipped:
        print(f"left out: {skipped.id}: {skipped.reason}")
    print(f"{len(found.drafts)} drafts in {out}; see what each `needs`, then move them into the gold.")


@app.command(epilog="Example: python -m eval convert squad dev-v2.0.json --out squad/")
def convert(
    kind: Annotated[str, typer.Argument(help="squad, beir, multihop or csv.")],
    source: Annotated[Path, typer.Argument(help="File or folder in that form.")],
    out: Annotated[Path, typer.Option(help="Folder for gold.jsonl and corpus.jsonl.")],
    seeds: Seeds = None,
) -> None:
    """Turn other question sets into gold.

    Every span is verified, and what fails is listed.
    """
    from eval.convert import convert as converted
    from eval.convert import write

    found = converted(kind, source, seeds)
    write(found, out)
    for failure in found.failures:
        print(f"left out: {failure.id}: {failure.reason}")
    for note in found.notes:
        print(note)
    print(f"{len(found.items)} items and {len(found.documents)} documents in {out}.")
