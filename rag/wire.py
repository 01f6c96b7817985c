"""The JSON forms of results, as the command line and the service give them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rag.build import BuildReport
from rag.types import Answer, Passage


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON values, in the order that people read."""
    value = asdict(answer)
    value["passages"] = hits_json(answer.passages)
    return value


def hits_json(passages: Iterable[Passage]) -> list[dict[str, Any]]:
    """Return passages as JSON values."""
    return [
        {
            "doc": p.doc,
            "start": p.start,
            "end": p.end,
            "text": p.text,
            "score": round(p.score, 6),
            "signals": {name: round(value, 6) for name, value in p.signals.items()},
            "title": p.title,
            "locator": p.locator,
        }
        for p in passages
    ]


def search_json(question: str, passages: Sequence[Passage]) -> dict[str, Any]:
    """Return the result of a search as JSON values."""
    return {"question": question, "hits": hits_json(passages)}


def build_json(report: BuildReport) -> dict[str, Any]:
    """Return what a build did as JSON values."""
    documents: Mapping[str, Any] = {
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "failed": list(report.failed),
    }
    return {
        "generation": report.generation,
        "documents": documents,
        "chunks": report.chunks,
        "embedded": report.embedded,
        "reused": report.reused,
        "seconds": report.seconds,
        "warnings": [asdict(notice) for notice in report.warnings],
    }
