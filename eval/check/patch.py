"""Proposals → a unified diff of the gold file that `git apply` and `patch -p1` take."""

import json
from difflib import unified_diff
from pathlib import Path

from eval.check.values import CheckReport
from eval.errors import GoldError
from eval.gold import Gold

_BOM = "\ufeff"


def patch(gold: Gold, report: CheckReport) -> str:
    """Return the diff of the gold file, empty where nothing is proposed; other lines keep their bytes.

    Its paths are relative to the current folder where the file is below it.
    """
    if not report.proposals:
        return ""
    try:
        old = gold.path.read_bytes().decode("utf-8")
    except OSError as error:
        raise GoldError(f"{gold.path} cannot be read: {error.strerror}.") from None
    before = [f"{line}\n" for line in old.split("\n")]
    before[-1] = before[-1].removesuffix("\n")
    after = [_mended(line, report) for line in before]
    name = _name(gold.path)
    lines = unified_diff([*filter(None, before)], [*filter(None, after)], f"a/{name}", f"b/{name}", n=1)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _mended(line: str, report: CheckReport) -> str:
    content = line.removeprefix(_BOM).strip()
    new = report.proposals.get(json.loads(content)["id"]) if content else None
    return line.replace(content, json.dumps(new, ensure_ascii=False), 1) if new else line


def _name(path: Path) -> str:
    """Return a path as a diff names it; a tab ends one that holds blanks."""
    path, here = path.resolve(), Path.cwd().resolve()
    below = path.relative_to(here) if path.is_relative_to(here) else path.relative_to(path.anchor)
    return below.as_posix() + "\t" * (" " in below.as_posix())
