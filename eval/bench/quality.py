"""Document nDCG@10 with our int8 vectors against float32 ones, everything else equal."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

from eval.bench.rows import Options, Row, compared, skipped
from rag.build import build_index
from rag.config import Settings
from rag.embed import models, open_encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory, open_snapshot
from rag.types import Passage

SETS = ("squad2_dev", "xquad_es", "xquad_zh")
DEPTH = 40
"""Passages that are fetched so that ten documents are among them."""
WAYS = {"hybrid": None, "dense": 1.0, "bm25": 0.0}
"""Each way of ranking and its weight of the dense signal; None leaves the settings' own."""

Gold = Sequence[dict[str, Any]]


def run(options: Options) -> list[Row]:
    """Measure every set that is there."""
    if find_spec("ir_measures") is None:
        return [skipped("quality", "pip install ir-measures")]
    rows = []
    for name in SETS:
        folder = options.data / name
        if (folder / "corpus.jsonl").exists() and (folder / "gold.jsonl").exists():
            rows += _compared(name, folder, options)
        else:
            rows.append(skipped(f"quality.{name}", "the set is absent"))
    return rows


def _compared(name: str, folder: Path, options: Options) -> list[Row]:
    gold = answerable(folder / "gold.jsonl")
    gold = gold[:: max(1, len(gold) // 200)] if options.quick else gold
    ours, theirs = (
        _measured(folder, gold, Settings.load(encoder=f"{kind}:{models.BUNDLED}"), options)
        for kind in ("onnx", "st")
    )
    said = f"{len(gold)} questions; against"
    name = f"quality.{name}"
    return [
        compared(f"{name}.hybrid", ours["hybrid"], "nDCG@10", theirs["hybrid"], f"{said} float32"),
        compared(f"{name}.dense", ours["dense"], "nDCG@10", theirs["dense"], f"{said} float32"),
        compared(f"{name}.bm25", ours["bm25"], "nDCG@10", ours["hybrid"], f"{said} our hybrid"),
    ]


def answerable(path: Path) -> list[dict[str, Any]]:
    """Return the questions of a gold file that its corpus answers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [item for item in map(json.loads, lines) if item["answerable"]]


def _measured(folder: Path, gold: Gold, settings: Settings, options: Options) -> dict[str, float]:
    """Return nDCG@10 by way of ranking, all over one index with one encoder that remembers."""
    encoder = open_encoder(settings.model_copy(update={"remembered": len(gold)}))
    kind = settings.encoder.partition(":")[0]
    directory = IndexDirectory(options.scratch / f"{folder.name}-{kind}")
    build_index(directory, [folder / "corpus.jsonl"], encoder, settings)
    snapshot = open_snapshot(directory)
    asked = [item["question"] for item in gold]
    scores = {}
    for way, alpha in WAYS.items():
        weights = {} if alpha is None else {"alpha": alpha, "alpha_blind": alpha}
        retriever = Retriever(snapshot, encoder, settings.model_copy(update=weights))
        scores[way] = fmean(each_ndcg(gold, retriever.search_many(asked, DEPTH)))
    return scores


def each_ndcg(gold: Gold, found: Sequence[Sequence[Passage]]) -> list[float]:
    """Return each question's nDCG@10 of documents, a document ranked where its best passage is."""
    return each_document_ndcg(gold, [[passage.doc for passage in passages] for passages in found])


def each_document_ndcg(gold: Gold, found: Sequence[Sequence[str]]) -> list[float]:
    """Return each question's nDCG@10, given its passages' documents, best first.

    ir-measures settles ties by its own rules, so scores fall strictly.
    """
    import ir_measures

    qrels = [
        ir_measures.Qrel(item["id"], doc, 1)
        for item in gold
        for doc in sorted({row["doc"] for row in item["evidence"]})
    ]
    runs = [
        ir_measures.ScoredDoc(item["id"], doc, -rank)
        for item, docs in zip(gold, found, strict=True)
        for rank, doc in enumerate(dict.fromkeys(docs))
    ]
    measure = ir_measures.nDCG @ 10
    values = {each.query_id: each.value for each in ir_measures.iter_calc([measure], qrels, runs)}
    return [float(values.get(item["id"], 0.0)) for item in gold]
