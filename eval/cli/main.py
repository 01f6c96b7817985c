"""Where the program begins; each command is a thin layer over the rooms beside it."""

from eval.cli import runs, tend, trust
from eval.cli.options import app
from rag.cli.fence import fence

__all__ = ["main", "runs", "tend", "trust"]


def main() -> None:
    """Run the command line; `eval.errors.Exit` lists what it exits with."""
    with fence("eval"):
        app()
