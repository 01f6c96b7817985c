"""The program, and the options that several of its commands share."""

from pathlib import Path
from typing import Annotated

import typer

from eval.gold import Gold

app = typer.Typer(
    name="python -m eval",
    help="After every change: what broke, by how much, and could it be chance?",
    epilog="Exit codes: 0 pass, 1 error, 2 usage, 3 stale gold, 4 not comparable, 5 inconclusive "
    "under --strict, 6 nothing scored, 7 regression.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

HERE = Path(__file__).parent.parent
REPORTS = HERE / "reports"
GOLD = HERE / "gold" / "seeds.jsonl"

GoldFile = Annotated[
    Path,
    typer.Option("--gold", help="Gold, or a folder with gold.jsonl.", show_default="the seeds' own"),
]
Seeds = Annotated[Path | None, typer.Option(help="Seeds to index and to ask.")]
Index = Annotated[
    Path | None, typer.Option(help="Index to ask as it is; with --seeds, to bring up to date first.")
]
Backend = Annotated[str | None, typer.Option(help="What writes the answers.")]
Tags = Annotated[list[str] | None, typer.Option(help="Only items with one of these: a,b or repeated.")]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Only so many items, the same in any order of the gold.")
]
Baseline = Annotated[Path | None, typer.Option(help="Report that it is compared with.")]
Margin = Annotated[float, typer.Option(min=0, max=1, help="Loss that one is ready to bear.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 5 where the verdict is inconclusive.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ask anew what is known.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]


def baseline_of(gold: Gold) -> Path:
    """Return where a gold set's blessed report stands: beside it."""
    return gold.path.with_name(f"{gold.path.stem}.baseline.json")
