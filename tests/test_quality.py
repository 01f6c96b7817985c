"""Retrieval on the development sets: what the default settings are held to."""

import json
from pathlib import Path

import ir_measures
import pytest
from ir_measures import nDCG

from rag.build import build_index
from rag.config import Settings
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory, open_snapshot
from rag.types import Passage
from tests.conftest import shared

DEPTH = 30


def _ndcg(retriever: Retriever, gold: list[dict]) -> float:  # type: ignore[type-arg]
    found = retriever.search_many([item["question"] for item in gold], DEPTH)
    judged = [
        ir_measures.Qrel(item["id"], doc, 1)
        for item in gold
        for doc in {row["doc"] for row in item["evidence"]}
    ]
    run = [
        ir_measures.ScoredDoc(item["id"], doc, float(-rank))
        for item, passages in zip(gold, found, strict=True)
        for rank, doc in enumerate(_documents(passages))
    ]
    return float(ir_measures.calc_aggregate([nDCG @ 10], judged, run)[nDCG @ 10])


def _documents(passages: list[Passage]) -> list[str]:
    return list(dict.fromkeys(passage.doc for passage in passages))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "least", "every"),
    [
        ("squad2_dev", 0.905, 4),
        ("xquad_es", 0.954, 4),
        pytest.param("xquad_es", 0.954, 1, marks=pytest.mark.slow),
        pytest.param("xquad_zh", 0.96, 1, marks=pytest.mark.slow),
    ],
)
def test_fusion_reaches_its_mark_and_beats_both_signals(
    name: str, least: float, every: int, tmp_path: Path, minilm: Encoder
) -> None:
    """Every fourth question is asked here; the long tests and `make bench` ask all."""
    data = shared("data", name)
    directory = IndexDirectory(tmp_path)
    build_index(directory, [data / "corpus.jsonl"], minilm, Settings())
    lines = (data / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    gold = [item for item in map(json.loads, lines) if item["answerable"]][::every]
    scores = {}
    for signal, settings in {
        "fused": Settings(),
        "dense": Settings(alpha=1, alpha_blind=1),
        "lexical": Settings(alpha=0, alpha_blind=0),
    }.items():
        scores[signal] = _ndcg(Retriever(open_snapshot(directory), minilm, settings), gold)
    assert scores["fused"] >= least
    assert scores["fused"] >= max(scores["dense"], scores["lexical"])
