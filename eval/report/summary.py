"""A report on the terminal, a hundred columns wide: the verdict, what flipped, the numbers."""

from collections.abc import Iterator
from textwrap import fill

from eval.report import shown
from eval.report.shown import REFERENCES, Json, number, one_line, signed

_WIDTH = 100
_FLIPS = 20
"""Flips that are told in full."""
_HEADS = ("abstain", "random", "whole", "oracle")
"""The columns of `REFERENCES`."""
_ABOUT = (
    "A score that always abstain, random passage or whole context reach can be gamed; what oracle "
    "evidence does not reach, the metric cannot give. ↓: lower is better."
)


def summary(report: Json, timings: Json | None, comparison: Json | None) -> str:
    """Return what is printed after a run or a comparison."""
    parts = [_compared(comparison)] if comparison else []
    parts += [_measured(report), _metrics(report), _stages(report)]
    if timings:
        parts[-1] += f"\n{_latency(timings)}"
    return "\n\n".join(parts)


def _compared(comparison: Json) -> str:
    verdict = _wrapped(f"{comparison['verdict']}  {shown.verdict(comparison)}")
    parts = [f"{verdict}\n{shown.pairing(comparison)}"]
    if comparison["changed"]:
        parts.append("\n".join(["what changed", *_changed(comparison)]))
    if comparison["flips"]:
        parts.append("\n".join(_flips(comparison["flips"])))
    return "\n\n".join([*parts, "\n".join(_gates(comparison["gates"]))])


def _changed(comparison: Json) -> Iterator[str]:
    changed = comparison["changed"]
    for cause in changed[:_FLIPS]:
        yield f"  {cause['kind']:<9} {one_line(cause['said'], _WIDTH - 12)}"
    if len(changed) > _FLIPS:
        yield f"  and {len(changed) - _FLIPS} more"


def _flips(flips: list[Json]) -> Iterator[str]:
    for flip in flips[:_FLIPS]:
        edited = ", document edited" if flip["edited"] else ""
        yield f"{flip['direction']:<5} {one_line(flip['id'], 50)}: {flip['stage']}{edited}"
        yield f"      {one_line(flip['question'], _WIDTH - 6)}"
        yield _wrapped("; ".join(shown.causes(flip)), "      ← ")
    if len(flips) > _FLIPS:
        yield f"and {len(flips) - _FLIPS} more flips, all of them in the report"


def _gates(gates: list[Json]) -> Iterator[str]:
    heads = ("base", "new", "change", "95 % interval", "p (Holm)", "detectable", "verdict")
    yield _row("gated", heads, _GATE)
    for gate in gates:
        least = number(gate["least_detectable"])
        values = (
            *(number(gate["base"]), number(gate["new"]), signed(gate["difference"])),
            *(shown.interval(gate, signed), shown.p_value(gate["p_holm"]), least, gate["verdict"]),
        )
        yield _row(gate["title"], values, _GATE)
        for name in ("untouched", "edited"):
            if gate["edited"]["n"] and gate[name]["n"]:
                yield _side(name, gate[name])


def _side(name: str, side: Json) -> str:
    change = signed(side["new"] - side["base"])
    said = f"n {side['n']}, {side['lost']} lost, {side['won']} won"
    return _row(f"  {name}", (number(side["base"]), number(side["new"]), change), _GATE) + f"  {said}"


def _measured(report: Json) -> str:
    return "\n".join(f"{name:<8} {value}" for name, value in shown.measured(report))


def _metrics(report: Json) -> str:
    lines = [_row("", ("value", "95 % interval", "n", "n/a", *_HEADS), _METRIC)]
    seen: set[str] = set()
    for group, names in shown.groups(report):
        fresh = [name for name in names if name not in seen]
        seen.update(fresh)
        if fresh:
            lines += [group, *(_metric(report["metrics"][name]) for name in fresh)]
    return "\n".join([*lines, "", _wrapped(_ABOUT)])


def _metric(metric: Json) -> str:
    values = (
        *(number(metric["value"]), shown.interval(metric), str(metric["n"]), str(metric["na"])),
        *(_reference(metric["references"].get(name)) for name in REFERENCES),
    )
    arrow = " ↓" if metric["better"] == "lower" else ""
    return _row(f"  {metric['title']}{arrow}", values, _METRIC)


def _stages(report: Json) -> str:
    told = ", ".join(f"{count} {name}" for name, count in shown.stages(report))
    return _wrapped(f"where it failed: {told}")


def _latency(timings: Json) -> str:
    total = timings["latency_ms"]["total"]
    parts = [
        f"{name} {number(each['p50'], 1)}/{number(each['p95'], 1)}"
        for name, each in timings["latency_ms"].items()
        if name != "total"
    ]
    said = f"latency: p50 {number(total['p50'], 1)} ms, p95 {number(total['p95'], 1)} ms"
    known = f"; {timings['cached']} answers known from before" if timings["cached"] else ""
    return _wrapped(f"{said} ({', '.join(parts)}){known}")


def _reference(value: float | None) -> str:
    return "" if value is None else number(value)


_GATE = (6, 6, 7, 16, 8, 10, 12)
_METRIC = (6, 15, 5, 5, 8, 7, 6, 7)


def _row(name: str, values: tuple[str, ...], widths: tuple[int, ...]) -> str:
    """Return a name and its values, the values flush with the right edge."""
    room = _WIDTH - sum(widths) - len(widths)
    name = name[:2] + one_line(name[2:], room - 2)
    cells = [f"{value:>{width}}" for value, width in zip(values, widths, strict=False)]
    return " ".join([f"{name:<{room}}", *cells]).rstrip()


def _wrapped(text: str, lead: str = "") -> str:
    later = " " * len(lead)
    return fill(text, _WIDTH, initial_indent=lead, subsequent_indent=later, break_on_hyphens=False)
