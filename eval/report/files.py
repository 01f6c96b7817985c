"""A report on disk: read, written, and found again."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eval.errors import ReportError
from eval.report.canonical import dump
from eval.report.junit import junit
from eval.report.markdown import markdown
from eval.report.page import page
from eval.report.shape import SCHEMA, report_type

NAME = "report.json"
COMPARISON = "comparison.json"
_HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""An escaped half of a character: our strings may hold a lone one, the checker's may not."""


def read_report(path: Path) -> dict[str, Any]:
    """Read a report's folder, its `report.json` or a baseline.

    Raises `ReportError` where it is missing, no report, damaged or of another schema.
    """
    file = path / NAME if path.is_dir() else path
    data = _read(file)
    value = _json(file, data)
    if not isinstance(value, dict) or "schema" not in value or "items" not in value:
        raise ReportError(f"{file} is no report of an eval run.")
    if value["schema"] != SCHEMA:
        raise ReportError(f"{file} has schema {value['schema']!r} of reports; {SCHEMA} is known here.")
    for problem in chain(_misshapen(_HALF.sub(rb"\\ufffd", data)), _dangling(value)):
        raise ReportError(f"{file} is a damaged report: {problem}.")
    return value


def write(
    folder: Path,
    report: Mapping[str, Any],
    timings: Mapping[str, Any],
    comparison: Mapping[str, Any] | None,
    texts: Mapping[str, str],
) -> None:
    """Write all that a run leaves; `texts` are the documents that citations are shown in.

    All of it is rendered and written beside the folder first, so nothing half-written ever stands
    there. What another run of the same left is replaced.
    """
    files = {
        NAME: dump(report),
        "timings.json": dump(timings),
        "report.md": markdown(report, comparison).encode("utf-8", "replace"),
        "junit.xml": junit(report, timings, comparison),
        "index.html": page(report, timings, comparison, texts),
        **({COMPARISON: dump(comparison)} if comparison else {}),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as room:
        staged = Path(room) / folder.name
        staged.mkdir()
        for name, data in files.items():
            (staged / name).write_bytes(data)
        _publish(staged, folder)


def newest(folder: Path) -> Path:
    """Return the folder of the report that was begun last; raises `ReportError` without any."""
    found = [file.parent for file in folder.glob(f"*/{NAME}") if not file.parent.name.startswith(".")]
    if not found:
        raise ReportError(f"{folder} holds no report; `python -m eval run` writes one.")
    return max(found, key=lambda each: (_began(each), each.name))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise ReportError(f"There is no report at {file}.") from None
    except OSError as error:
        raise ReportError(f"{file} cannot be read: {error.strerror}.") from None


def _json(file: Path, data: bytes) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise ReportError(f"{file} is nested too deeply for a report.") from None
    except UnicodeDecodeError:
        raise ReportError(f"{file} is no report of an eval run: it is not UTF-8.") from None
    except ValueError as error:
        raise ReportError(f"{file} is no report of an eval run: {error}.") from None


def _misshapen(data: bytes) -> Iterator[str]:
    try:
        report_type.validate_json(data)
    except ValidationError as error:
        for each in error.errors():
            yield f"{'.'.join(map(str, each['loc']))}: {each['msg']}"


def _dangling(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what names something that is not there."""
    metrics, stages = report["metrics"], report["stages"]
    for name in (*report["headline"], *report["gated"]):
        if name not in metrics:
            yield f"it measures no {name!r}"
    seen = set()
    for item in report["items"]:
        if item["id"] in seen:
            yield f"two items are called {item['id']!r}"
        seen.add(item["id"])
        if item["stage"] not in stages:
            yield f"item {item['id']!r} failed at an unknown stage, {item['stage']!r}"
        if unknown := item["scores"].keys() - metrics.keys():
            yield f"item {item['id']!r} has a score of an unknown metric, {min(unknown)!r}"


def _publish(staged: Path, folder: Path) -> None:
    try:
        staged.rename(folder)
        return
    except OSError:
        if not folder.is_dir():
            raise
    if not (staged / COMPARISON).exists():
        (folder / COMPARISON).unlink(missing_ok=True)
    for file in sorted(staged.iterdir()):
        file.replace(folder / file.name)


def _began(folder: Path) -> float:
    """Return when a run began, by its timings, else when it was written."""
    try:
        timings = json.loads((folder / "timings.json").read_bytes())
        return datetime.fromisoformat(timings["started"]).timestamp()
    except (OSError, ValueError, KeyError, TypeError):
        return (folder / NAME).stat().st_mtime
