"""Numbers → places in a drawing, so that templates only draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from eval.report.shown import REFERENCES, Json

_POINTS = 300
_BINS = 24
_NEAR = 4.0
"""Per cent of the scale within which two marks would cover each other."""


@dataclass(frozen=True, slots=True)
class Place:
    """A reference's mark on a 0..1 scale: where, in per cent, and in which row below the line."""

    name: str
    value: float
    at: float
    row: int


@dataclass(frozen=True, slots=True)
class Box:
    """Where a chart's plane lies in its drawing."""

    left: float = 44
    top: float = 14
    width: float = 340
    height: float = 172

    def x(self, share: float) -> float:
        """Return the place of a share of the width."""
        return round(self.left + share * self.width, 1)

    def y(self, share: float) -> float:
        """Return the place of a share of the height; 0 is at the bottom."""
        return round(self.top + (1 - share) * self.height, 1)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line, the area below it, and the point where the system stands."""

    box: Box
    line: str
    area: str
    here: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars, what the axis says below them, and named lines across."""

    box: Box
    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, str]]
    lines: Sequence[tuple[str, float, str]]


def references(metric: Json) -> list[Place]:
    """Return the marks of the systems that nobody wants, moved apart where they would overlap."""
    values = {name: metric["references"].get(name) for name in REFERENCES}
    known = sorted((value, name) for name, value in values.items() if value is not None)
    places: list[Place] = []
    for value, name in known:
        taken = {place.row for place in places if abs(place.at - percent(value)) < _NEAR}
        row = next(row for row in range(len(REFERENCES)) if row not in taken)
        places.append(Place(name, value, percent(value), row))
    return places


def percent(value: float) -> float:
    """Return a share in per cent, held within the scale."""
    return round(100 * min(1.0, max(0.0, value)), 2)


def risk_curve(report: Json) -> Curve | None:
    """Return risk by coverage; None without a judged item."""
    points = _thinned(report["risk_coverage"])
    if not points:
        return None
    box = Box()
    line = " ".join(f"{box.x(coverage)},{box.y(risk)}" for coverage, risk in points)
    first, last = box.x(points[0][0]), box.x(points[-1][0])
    return Curve(
        box, line, f"{first},{box.y(0)} {line} {last},{box.y(0)}", _here(box, report["metrics"])
    )


def latencies(timings: Json) -> Histogram | None:
    """Return how long the answers took; None where that is not known. The last bar is open."""
    values = [part["total"] for part in timings.get("items", {}).values()]
    if not values:
        return None
    box, top = Box(left=14, width=370), _round_up(sorted(values)[int(0.98 * (len(values) - 1))])
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, int(_BINS * value / top))] += 1
    known = timings.get("latency_ms", {}).get("total", {})
    lines = [(name, known[name]) for name in ("p50", "p95") if known.get(name) is not None]
    return Histogram(
        box,
        [_bar(box, n, count, max(counts), top) for n, count in enumerate(counts)],
        [(box.x(n / 4), f"{top * n / 4:g}") for n in range(4)] + [(box.x(1), f"≥{top:g}")],
        [(name, box.x(min(1.0, value / top)), f"{value:.0f} ms") for name, value in lines],
    )


def reach(gates: Sequence[Json], margin: float) -> float:
    """Return how far a scale of differences must reach to either side."""
    ends: list[float] = [
        abs(gate[end]) for gate in gates for end in ("low", "high") if gate[end] is not None
    ]
    ends += [abs(gate["difference"]) for gate in gates]
    return 1.1 * max([margin, 0.01, *ends])


def on_scale(value: float, reach: float) -> float:
    """Return the place of a difference in per cent of a scale from -reach to +reach."""
    return percent((value / reach + 1) / 2)


def _here(box: Box, metrics: Mapping[str, Any]) -> tuple[float, float] | None:
    values = [metrics.get(name, {}).get("value") for name in ("coverage", "selective_risk")]
    return None if None in values else (box.x(values[0]), box.y(values[1]))


def _bar(box: Box, n: int, count: int, most: int, top: float) -> Bar:
    low, high = top * n / _BINS, top * (n + 1) / _BINS
    label = (
        f"{count:,} at {low:.4g} to {high:.4g} ms" if n < _BINS - 1 else f"{count:,} from {low:.4g} ms"
    )
    height = round(box.height * count / most, 1)
    return Bar(box.x(n / _BINS) + 1, round(box.y(0) - height, 1), box.width / _BINS - 2, height, label)


def _thinned(points: Sequence[Sequence[float]]) -> list[Sequence[float]]:
    step = ceil(len(points) / _POINTS) or 1
    return [*points[:-1:step], *points[-1:]]


def _round_up(value: float) -> float:
    """Return the next number that is easy to read on an axis."""
    scale = 10.0 ** (len(str(int(max(value, 1)))) - 1)
    return next(
        scale * step for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if scale * step >= value
    )
