"""What the page's script works on: the items, with all that they share kept once."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from eval.report import shown
from eval.report.page.context import Pieces, windows
from eval.report.shown import Json

SNIPPET = 140
"""Characters of a retrieved passage."""


def page_data(
    report: Json, timings: Json, comparison: Json | None, texts: Mapping[str, str]
) -> dict[str, Any]:
    """Return the page's data: `items`, and the tables that their numbers point into."""
    items = report["items"]
    found = [windows(item, texts) for item in items]
    pieces = Pieces((window for each in found for window in each), texts)
    places = _numbered(_place(hit) for item in items for hit in item["passages"])
    flips = {flip["id"]: flip for flip in comparison["flips"]} if comparison else {}
    times = timings.get("items", {})
    return {
        "metrics": [
            {"title": metric["title"], "about": metric["about"], "group": metric["group"]}
            for metric in report["metrics"].values()
        ],
        "pieces": pieces.texts,
        "places": [_shown_place(place, texts) for place in places],
        "items": [
            {
                **_item(item, report["metrics"]),
                "contexts": [{"doc": each.doc, **pieces.placed(each)} for each in seen],
                "passages": [_passage(hit, item, places) for hit in item["passages"]],
                "flip": _flip(flips.get(item["id"])),
                "ms": times.get(item["id"], {}).get("total"),
            }
            for item, seen in zip(items, found, strict=True)
        ],
    }


def _item(item: Json, metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: item[name] for name in _AS_THEY_ARE},
        "short": item["short"]["text"] if item["short"] else None,
        "filter": json.dumps(item["filter"], ensure_ascii=False) if item["filter"] else None,
        "doubts": [[s["text"], s["verdict"]] for s in item["sentences"] if s["verdict"] in _DOUBTFUL],
        "citations": [_citation(each) for each in item["citations"]],
        "evidence": [_evidence(each) for each in item["evidence"]],
        "scores": [_rounded(item["scores"].get(name)) for name in metrics],
    }


_AS_THEY_ARE = (
    *("id", "question", "answerable", "tags", "stage", "history", "answers", "near"),
    *("answer", "withheld", "abstained", "confidence", "warnings"),
)
_DOUBTFUL = ("unsupported", "not_found")


def _citation(citation: Json) -> dict[str, Any]:
    return {name: citation[name] for name in ("n", "doc", "title", "locator", "verdict")}


def _evidence(row: Json) -> dict[str, Any]:
    """Return an evidence row; its quote only where it stands in no window."""
    quote = row["quote"] if row["start"] is None else None
    return {"doc": row["doc"], "status": row["status"], "quote": quote}


def _passage(hit: Json, item: Json, places: Mapping[tuple[Any, ...], int]) -> list[Any]:
    """Return the number of a passage's place, its score, and whether it holds evidence or is cited."""
    kinds = [any(_overlap(hit, row) for row in item[name]) for name in ("evidence", "citations")]
    return [places[_place(hit)], round(hit["score"], 3), *map(int, kinds)]


def _overlap(one: Json, other: Json) -> bool:
    if other["start"] is None or one["doc"] != other["doc"]:
        return False
    return bool(one["start"] < other["end"] and other["start"] < one["end"])


def _flip(flip: Json | None) -> dict[str, Any] | None:
    if flip is None:
        return None
    known = {name: flip[name] for name in ("direction", "edited", "before")}
    return {**known, "causes": shown.causes(flip)}


def _place(hit: Json) -> tuple[str, int, int]:
    return hit["doc"], hit["start"], hit["end"]


def _shown_place(place: tuple[str, int, int], texts: Mapping[str, str]) -> list[Any]:
    doc, start, end = place
    text = texts.get(doc, "")[start : min(end, start + SNIPPET)]
    return [doc, start, end, shown.one_line(text) + ("…" if end - start > SNIPPET else "")]


def _numbered(places: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], int]:
    return {place: number for number, place in enumerate(dict.fromkeys(places))}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
