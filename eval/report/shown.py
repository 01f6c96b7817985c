"""What all forms of a report say in the same words: numbers, intervals, verdicts, causes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MINUS = "−"
GAMEABLE = ("always abstain", "random passage", "whole context")
"""Systems that nobody wants; a score that one of them reaches says little."""
REFERENCES = (*GAMEABLE, "oracle evidence")
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Characters that would break a line, steer a terminal or turn the direction of text around."""

Json = Mapping[str, Any]


def number(value: float | None, digits: int = 3) -> str:
    """Return a number as people read it; `n/a` where there is none."""
    return "n/a" if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """Return a difference with its sign."""
    return "n/a" if value is None else f"{value:+.3f}".replace("-", MINUS)


def interval(part: Json, show: Any = number) -> str:
    """Return `low to high`; nothing where there is no interval."""
    return "" if part["low"] is None else f"{show(part['low'])} to {show(part['high'])}"


def one_line(text: str, most: int | None = None) -> str:
    """Return a text on one line, without characters that could do harm there, cut at `most`."""
    line = " ".join(_UNSHOWN.sub(" ", text).split())
    return line if most is None or len(line) <= most else f"{line[: most - 1].rstrip()}…"


def many(count: int, thing: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def groups(report: Json) -> Iterator[tuple[str, list[str]]]:
    """Yield the headline and each group of metrics, with the names of its metrics."""
    metrics = report["metrics"]
    yield "headline", list(report["headline"])
    for group in dict.fromkeys(metric["group"] for metric in metrics.values()):
        yield group, [name for name, metric in metrics.items() if metric["group"] == group]


def rivals(metric: Json) -> list[str]:
    """Return the systems that nobody wants and that do as well: the metric alone proves little."""
    value, better = metric["value"], metric["better"]
    if value is None or better is None:
        return []
    sign = 1 if better == "higher" else -1
    scores = {name: metric["references"].get(name) for name in GAMEABLE}
    return [name for name, score in scores.items() if score is not None and sign * (score - value) >= 0]


def verdict(comparison: Json) -> str:
    """Say in a sentence what the verdict rests on."""
    return one_line(_verdict(comparison))


def pairing(comparison: Json) -> str:
    """Say how many items are compared, and how many flipped."""
    flips = [flip["direction"] for flip in comparison["flips"]]
    said = f"{many(comparison['paired'], 'question')} compared: "
    said += f"{flips.count('lost')} lost, {flips.count('won')} won"
    for key, where in (("only_base", "only in the base"), ("only_new", "only in the new run")):
        if comparison[key]:
            said += f"; {len(comparison[key])} {where}"
    return said


def measured(report: Json) -> list[tuple[str, str]]:
    """Return what was measured, part by part, as names and values."""
    gold, system = report["gold"], report["system"]
    part = f"{gold['items']:,} of " if gold["items"] != gold["of"] else ""
    chosen = f", tags {', '.join(gold['tags'])}" if gold["tags"] else ""
    models = [model for model in system["models"] if model != system["backend"]]
    return [
        ("gold", one_line(f"{gold['name']}, {part}{many(gold['of'], 'question')}{chosen}")),
        ("backend", one_line(", ".join([system["backend"], *models]))),
        ("encoder", one_line(system["encoder"])),
        ("index", f"{system['index'][:12]}, {many(system['documents'], 'document')}"),
        ("judge", one_line(system["judge"])),
    ]


def p_value(value: float) -> str:
    """Return a p-value; what is smaller than can be shown is said to be so."""
    return "< 0.001" if value < 0.001 else number(value)


def causes(flip: Json) -> list[str]:
    """Return what may have flipped an item, one line each."""
    return [cause_line(cause) for cause in flip["causes"]]


def cause_line(cause: Json) -> str:
    """Return a cause with its kind, which is not said twice."""
    kind, said = cause["kind"], one_line(cause["said"])
    return said if said.startswith(f"{kind} was ") else f"{kind}: {said}"


def stages(report: Json) -> Sequence[tuple[str, int]]:
    """Return the stages that occur, with how many items ended there."""
    return [(name, count) for name, count in report["stages"].items() if count]


def tags(report: Json, comparison: Json | None) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield each tag with its items, those that came out right, and those lost and won."""
    flips = {flip["id"]: flip["direction"] for flip in comparison["flips"]} if comparison else {}
    for tag in sorted({tag for item in report["items"] for tag in item["tags"]}):
        items = [item for item in report["items"] if tag in item["tags"]]
        right = sum(item["stage"] == "right" for item in items)
        turned = [flips.get(item["id"]) for item in items]
        yield tag, len(items), right, turned.count("lost"), turned.count("won")


def _verdict(comparison: Json) -> str:
    margin, gates = number(comparison["margin"]), comparison["gates"]
    if comparison["verdict"] == "FAIL":
        losses = [_loss(gate) for gate in gates if gate["verdict"] == "FAIL"]
        return f"{' and '.join(losses)}, which is no chance."
    if comparison["verdict"] == "INCONCLUSIVE":
        open_ = [gate["title"] for gate in gates if gate["verdict"] == "INCONCLUSIVE"]
        about = " and ".join(open_) or "what was not measured"
        return f"No loss is proven, but {about} may have lost more than {margin}."
    if not comparison["changed"] and not comparison["flips"]:
        return "Nothing has changed."
    return f"No gated metric can have lost more than {margin}."


def _loss(gate: Json) -> str:
    within = f"95 % {interval(gate, signed)}, " if gate["low"] is not None else ""
    p = p_value(gate["p_holm"])
    return (
        f"{gate['title']} fell by {number(-gate['difference'])} "
        f"({within}p {p if p.startswith('<') else f'= {p}'})"
    )
