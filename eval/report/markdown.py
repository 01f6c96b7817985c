"""A report as Markdown, for a merge request: what a reviewer must see first, the rest folded away."""

import re
from collections.abc import Iterable, Iterator, Sequence

from eval.report import shown
from eval.report.shown import REFERENCES, Json, number, one_line, signed

_FLIPS = 50
_ANSWER = 160
"""Characters of an answer in the table of flips."""
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#&~|$:^]")
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_SIGN = {"PASS": "✅", "INCONCLUSIVE": "❔", "FAIL": "❌"}


def markdown(report: Json, comparison: Json | None) -> str:
    """Return the report; what documents and questions say is escaped."""
    parts = [f"## Eval: {escaped(report['gold']['name'])}"]
    if comparison:
        parts += _compared(comparison)
    parts += [
        _metrics(report, report["headline"]),
        _table(["where it failed", "items"], _stages(report)),
        _table(["tag", "items", "right", "lost", "won"], _tags(report, comparison)),
        _folded("All metrics", "\n\n".join(_all_metrics(report))),
        _folded("What was measured", _table(["part", "value"], _measured(report))),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str, most: int | None = None) -> str:
    """Return a text that Markdown shows as it is, on one line: no markup, link, mention or emoji."""
    safe = _SPECIAL.sub(lambda found: f"\\{found[0]}", one_line(text, most))
    return _MENTION.sub("@\u200b", safe)


def _compared(comparison: Json) -> Iterator[str]:
    sign = _SIGN[comparison["verdict"]]
    yield f"### {sign} {comparison['verdict']}\n\n{escaped(shown.verdict(comparison))}"
    yield escaped(shown.pairing(comparison)) + "."
    yield _table(
        ["gated", "n", "base", "new", "change", "95 % interval", "p (Holm)", "detectable", "verdict"],
        map(_gate, comparison["gates"]),
    )
    if comparison["flips"]:
        yield "### Flips"
        yield _table(["", "question", "stage", "through", "before → after"], _flips(comparison))
        if len(comparison["flips"]) > _FLIPS:
            yield f"And {len(comparison['flips']) - _FLIPS} more, in `comparison.json`."
    if any(gate["edited"]["n"] for gate in comparison["gates"]):
        yield "### Evidence in edited documents, and in untouched ones"
        heads = ["gated", "evidence", "n", "base", "new", "lost", "won"]
        yield _table(heads, [row for gate in comparison["gates"] for row in _sides(gate)])
    if comparison["changed"]:
        changed = [f"- {escaped(shown.cause_line(cause))}" for cause in comparison["changed"]]
        yield _folded("What changed", "\n".join(changed))


def _gate(gate: Json) -> list[str]:
    return [
        escaped(gate["title"]),
        *(str(gate["n"]), number(gate["base"]), number(gate["new"]), signed(gate["difference"])),
        *(shown.interval(gate, signed), escaped(shown.p_value(gate["p_holm"]))),
        *(number(gate["least_detectable"]), f"**{gate['verdict']}**"),
    ]


def _flips(comparison: Json) -> Iterator[list[str]]:
    for flip in comparison["flips"][:_FLIPS]:
        edited = " (document edited)" if flip["edited"] else ""
        yield [
            f"**{flip['direction']}**",
            f"{escaped(flip['question'])}<br>{escaped(flip['id'])}",
            f"{escaped(flip['stage'])}{edited}",
            "<br>".join(escaped(cause) for cause in shown.causes(flip)),
            f"{escaped(flip['before'], _ANSWER)}<br>→ {escaped(flip['after'], _ANSWER)}",
        ]


def _sides(gate: Json) -> Iterator[list[str]]:
    for name in ("untouched", "edited"):
        side = gate[name]
        counts = [str(side["lost"]), str(side["won"])]
        values = [number(side["base"]), number(side["new"])]
        yield [escaped(gate["title"]), name, str(side["n"]), *values, *counts]


def _all_metrics(report: Json) -> Iterator[str]:
    for group, names in list(shown.groups(report))[1:]:
        yield f"#### {escaped(group)}"
        yield _metrics(report, names)


def _metrics(report: Json, names: Iterable[str]) -> str:
    heads = ["metric", "value", "95 % interval", "n", "n/a", *REFERENCES]
    return _table(heads, [_metric(report["metrics"][name]) for name in names])


def _metric(metric: Json) -> list[str]:
    arrow = " ↓" if metric["better"] == "lower" else ""
    return [
        f"{escaped(metric['title'])}{arrow}",
        *(f"**{number(metric['value'])}**", shown.interval(metric)),
        *(str(metric["n"]), str(metric["na"])),
        *(_reference(metric, name) for name in REFERENCES),
    ]


def _reference(metric: Json, name: str) -> str:
    value = metric["references"].get(name)
    return "" if value is None else number(value)


def _stages(report: Json) -> Iterator[list[str]]:
    for name, count in shown.stages(report):
        yield [escaped(name), f"{count:,}"]


def _tags(report: Json, comparison: Json | None) -> Iterator[list[str]]:
    for tag, *counts in shown.tags(report, comparison):
        items, right, lost, won = map(str, counts)
        yield [escaped(tag), items, right, *((lost, won) if comparison else ("", ""))]


def _measured(report: Json) -> Iterator[list[str]]:
    for name, value in shown.measured(report):
        yield [name, escaped(value)]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _folded(title: str, body: str) -> str:
    """Return a part that opens at a click; without the blank lines its Markdown is not read."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
