"""Runs one benchmark in this process and prints its rows as JSON, nothing else, on stdout."""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from eval.bench.rows import Options


def main() -> None:
    """Run `eval.bench.<name>`; whatever it prints goes to stderr."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("data", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    stdout = os.dup(1)
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory(prefix="seedrag-bench-") as scratch:
        options = Options(arguments.data, Path(scratch), arguments.quick)
        rows = import_module(f"eval.bench.{arguments.name}").run(options)
    sys.stdout.flush()
    with os.fdopen(stdout, "w", encoding="utf-8") as out:
        json.dump([asdict(row) for row in rows], out)


if __name__ == "__main__":
    main()
