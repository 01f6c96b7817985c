"""python -m eval.bench [NAME…] [--quick]: run benchmarks, print one table, keep it as JSON."""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from eval.bench.rows import ROOT, Row, skipped, table

BENCHMARKS: Mapping[str, Mapping[str, str]] = {
    "encode": {},
    "quality": {"OMP_NUM_THREADS": "1"},
    "signals": {},
    "formats": {},
    "answer": {},
    "cold": {},
    "rebuild": {},
    "scale": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "peers": {},
    "serve": {},
    "soak": {},
}
"""The benchmarks in the order that they run in, and the environment that each needs."""

LONG = ("scale", "peers")
"""Benchmarks that only run where they are named."""

QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1"}
"""Environment of every benchmark."""

PACKAGES = ("numpy", "faiss-cpu", "onnxruntime", "torch", "sentence-transformers", "tokenizers")


def main() -> None:
    """Run the named benchmarks, or all but the long ones; exit 1 if one of them failed."""
    arguments = _arguments()
    now = datetime.now(UTC)
    rows: list[Row] = []
    failed = False
    for name in arguments.names or [each for each in BENCHMARKS if each not in LONG]:
        print(f"{name} …", file=sys.stderr, flush=True)
        found = _measured(name, arguments.data, arguments.quick)
        failed |= found is None
        rows += found if found is not None else [skipped(name, "it failed, see above")]
        path = _kept(arguments.out, now, rows, arguments.quick)
    print(table(rows))
    print(path, file=sys.stderr)
    sys.exit(int(failed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the development sets"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return arguments


def _measured(name: str, data: Path, quick: bool) -> list[Row] | None:
    """Return the rows of one benchmark, run in a process of its own; None where it failed."""
    command = [sys.executable, "-m", "eval.bench.worker", name, str(data.resolve())]
    done = subprocess.run(
        [*command, "--quick"] if quick else command,
        cwd=ROOT,
        env={**os.environ, **QUIET, **BENCHMARKS[name]},
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        return None
    return [Row(**row) for row in json.loads(done.stdout)]


def _kept(folder: Path, now: datetime, rows: list[Row], quick: bool) -> Path:
    """Write what there is so far with what it was measured on, and return the file."""
    value: dict[str, Any] = {
        "time": now.isoformat(timespec="seconds"),
        "quick": quick,
        "code": _digest(ROOT / "rag"),
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "packages": {name: _version(name) for name in PACKAGES},
        "rows": [asdict(row) for row in rows],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _digest(folder: Path) -> str:
    """Return one sha256 over a package's sources: results compare where it is the same."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
