"""One run: every gold item asked, scored, and drawn together into a report.

The report holds no time, no path and nothing that depends on the order of the gold, so that the
same system and the same gold give the same bytes. Timings stand apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.anchor import sentence_digests
from eval.ask import Progress, Record, ask_all
from eval.gold import Gold, GoldItem, digest_of
from eval.measures import GATED, HEADLINE
from eval.metrics.grounding import Judge
from eval.score import SCORING, Anchored, Scored, Similarity, anchored, scored, similarity
from eval.stages import STAGES, stage
from eval.system import System
from eval.totals import risk_coverage, rounded, totals
from rag.config import Settings
from rag.embed import open_encoder
from rag.protocols import Encoder

SCHEMA = 1
RANKED = 10
"""Documents of the ranking that a report keeps."""

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gives: `report` is the same for the same thing, `timings` never are."""

    report: Report
    timings: dict[str, Any]
    scored: Sequence[Scored]


def selected(gold: Gold, tags: Sequence[str], limit: int | None) -> list[GoldItem]:
    """Return the items that bear one of the tags, or all; the first `limit` by their ids' digest.

    A digest's order is arbitrary and the same for any order of the file.
    """
    items = [item for item in gold.items if not tags or set(tags) & set(item.tags)]
    if limit is None or limit >= len(items):
        return items
    chosen = {item.id for item in sorted(items, key=lambda item: digest_of(item.id))[:limit]}
    return [item for item in items if item.id in chosen]


def run(
    gold: Gold,
    system: System,
    judge: Judge,
    tags: Sequence[str] = (),
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    fresh: bool = False,
) -> Outcome:
    """Ask and score the selected items; `fresh` asks anew what the cache knows."""
    items = selected(gold, tags, limit)
    similar = similarity(_pinned(system))
    results: list[Scored] = []
    known = 0
    for item, (record, cached) in zip(items, ask_all(items, system, progress, fresh), strict=True):
        known += cached
        results.append(_scored(anchored(item, system.texts), record, system, judge, similar))
    report = {
        "schema": SCHEMA,
        "scoring": SCORING,
        "gold": {
            "name": gold.name,
            "digest": gold.digest,
            "items": len(items),
            "of": len(gold.items),
            "tags": sorted(tags),
            "limit": limit,
        },
        "system": {
            **system.fingerprint,
            "models": sorted({result.record["model"] for result in results if result.record["model"]}),
            "judge": judge.name,
        },
        "headline": list(HEADLINE),
        "gated": list(GATED),
        "metrics": totals(results, system.texts, judge),
        "stages": {name: sum(result.stage == name for result in results) for name in STAGES},
        "risk_coverage": risk_coverage(results),
        "documents": {
            doc: {"sha256": digest_of(text), "sentences": sentence_digests(text)}
            for doc, text in sorted(system.texts.items())
        },
        "items": [_item(result) for result in results],
    }
    return Outcome(report, _timings(results, known), results)


def _pinned(system: System) -> Encoder:
    """Return the default encoder, whatever the run's own: cosines of two runs should compare."""
    default = Settings.model_fields["encoder"].default
    if system.settings.encoder == default:
        return system.answerer.retriever.encoder
    return open_encoder(system.settings.model_copy(update={"encoder": default}))


def _scored(
    gold: Anchored, record: Record, system: System, judge: Judge, similar: Similarity
) -> Scored:
    def unindexed(doc: str) -> bool:
        return doc not in system.texts and (doc in system.unreadable or not system.seeds_read)

    found = scored(gold, record, system.texts, judge, similar)
    scores = {name: rounded(value) for name, value in found.items()}
    return Scored(gold, record, scores, stage(gold, record, scores, unindexed))


def _item(result: Scored) -> dict[str, Any]:
    item, record = result.gold.item, result.record
    return {
        "id": item.id,
        "question": item.question,
        "answerable": item.answerable,
        "tags": item.tags,
        "digest": item.digest,
        "history": [turn.model_dump() for turn in item.history],
        "filter": item.filter,
        "answers": [answer.accepted for answer in item.answers],
        "evidence": [
            {
                "group": row.group,
                "doc": found.doc,
                "start": found.start if found.settled else None,
                "end": found.end if found.settled else None,
                "quote": row.quote,
                "status": found.status,
            }
            for row, found in zip(item.evidence, result.gold.rows, strict=True)
        ],
        "near": item.near,
        "answer": record["answer"],
        "withheld": record["withheld"],
        "abstained": record["abstained"],
        "confidence": record["confidence"],
        "short": record["short"],
        "sentences": record["sentences"],
        "citations": record["citations"],
        "passages": record["passages"],
        "ranking": list(dict.fromkeys(doc for doc, _, _ in record["ranking"]))[:RANKED],
        "warnings": [notice["code"] for notice in record["warnings"]],
        "scores": result.scores,
        "stage": result.stage,
    }


def _timings(results: Sequence[Scored], known: int) -> dict[str, Any]:
    parts = ("total", "retrieve", "generate")
    items = {result.gold.item.id: result.record["timings_ms"] for result in results}
    return {
        "cached": known,
        "answered": len(results) - known,
        "latency_ms": {part: _percentiles([each[part] for each in items.values()]) for part in parts},
        "items": items,
    }


def _percentiles(values: Sequence[float]) -> dict[str, Any]:
    """Return p50 and p95, and p99 where there are enough items to speak of it."""
    asked = {"p50": 50, "p95": 95, **({"p99": 99} if len(values) >= 300 else {})}
    found = {name: round(float(np.percentile(values, at)), 2) for name, at in asked.items() if values}
    return {"n": len(values), "p50": None, "p95": None, "p99": None, **found}
