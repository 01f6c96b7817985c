"""python -m eval.bench.plot RESULT.json PICTURE.png: how an index grows, drawn as `scale` found."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

PANELS = (
    (
        "One search, one thread (ms)",
        {"search": "median", "search.p99": "p99", "default": "median with the reader"},
    ),
    ("Build and rebuild (s)", {"build": "all, without the model", "rebuild": "one document changed"}),
    ("Room (MB)", {"disk": "on disk", "memory": "in memory, while searching"}),
    ("Recall@10 of the vectors' search", {"recall": "against exact search"}),
)
"""Of each panel its title, and the rows that it shows with what they are called."""

Series = dict[str, dict[int, float]]


def draw(rows: list[dict[str, Any]], picture: Path) -> None:
    """Draw the rows that begin with `scale.<chunks>.` as one picture of four panels."""
    series = _series(rows)
    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7), layout="constrained")
    for axis, (title, names) in zip(axes.flat, PANELS, strict=True):
        for name, label in names.items():
            points = sorted(series.get(name, {}).items())
            axis.plot(*zip(*points, strict=True), marker="o", label=label)
        axis.set_title(title, fontsize=11, loc="left")
        axis.set_xscale("log")
        axis.set_xlabel("chunks")
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize=9)
    for axis in axes.flat[1:3]:
        axis.set_yscale("log")
    axes[0, 0].set_ylim(bottom=0)
    axes[1, 1].set_ylim(0.9, 1.005)
    figure.savefig(picture, dpi=110)


def _series(rows: list[dict[str, Any]]) -> Series:
    found: Series = {}
    for row in rows:
        named = re.fullmatch(r"scale\.(\d+)\.(.+)", row["name"])
        if named and row["value"] is not None:
            found.setdefault(named[2], {})[int(named[1])] = row["value"]
    return found


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["rows"], Path(sys.argv[2]))
