"""Document nDCG@10 on every development set: the fusion beside its two signals, and with the reader.

The fusion shall not be worse than the better signal of the same run by more than chance: the interval
is of the paired difference, resampled by document.
"""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from eval.bench.quality import DEPTH, WAYS, answerable, each_ndcg
from eval.bench.rows import Options, Row, compared, skipped
from eval.stats import paired_mean
from rag.build import build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.reader import open_reranker
from rag.retrieve import Retriever
from rag.store import IndexDirectory, open_snapshot
from rag.types import Message, Passage

SETS = (
    "squad2_dev",
    "multihop_rag_facts",
    "mtrag_un",
    "pubmedqa_l",
    "policyqa_test",
    "xquad_es",
    "xquad_zh",
)
_QUICK = 100


def run(options: Options) -> list[Row]:
    """Measure every set that is there."""
    if find_spec("ir_measures") is None:
        return [skipped("signals", "pip install ir-measures")]
    rows = []
    for name in SETS:
        folder = options.data / name
        if (folder / "corpus.jsonl").exists() and (folder / "gold.jsonl").exists():
            rows += _measured(name, folder, options)
        else:
            rows.append(skipped(f"signals.{name}", "the set is absent"))
    return rows


def _measured(name: str, folder: Path, options: Options) -> list[Row]:
    gold = [item for item in answerable(folder / "gold.jsonl") if is_test(item, folder)]
    gold = gold[:: max(1, len(gold) // _QUICK)] if options.quick else gold
    settings = Settings.load(remembered=4 * len(gold))
    encoder = open_encoder(settings)
    directory = IndexDirectory(options.scratch / name)
    build_index(directory, [folder / "corpus.jsonl"], encoder, settings)
    snapshot, reranker = open_snapshot(directory), open_reranker(settings)
    scores: dict[str, Sequence[float]] = {}
    for way, alpha in WAYS.items():
        weights = {} if alpha is None else {"alpha": alpha, "alpha_blind": alpha}
        chosen = settings.model_copy(update=weights)
        scores[way] = each_ndcg(gold, _found(Retriever(snapshot, encoder, chosen), gold))
    ordered = Retriever(snapshot, encoder, settings, reranker)
    scores["reader"] = each_ndcg(gold, _found(ordered, gold))
    mean = {way: float(np.mean(each)) for way, each in scores.items()}
    better = max(("dense", "bm25"), key=lambda way: mean[way])
    gained = np.subtract(scores["hybrid"], scores[better]).tolist()
    spread = paired_mean(gained, [item["evidence"][0]["doc"] for item in gold])
    said = f"{len(gold)} questions"
    if spread is not None:
        said += f"; against {better} {mean['hybrid'] - mean[better]:+.4f} "
        said += f"[{spread.low:+.4f}, {spread.high:+.4f}]"
    return [
        compared(f"signals.{name}.hybrid", mean["hybrid"], "nDCG@10", mean[better], said),
        compared(f"signals.{name}.dense", mean["dense"], "nDCG@10", mean["hybrid"], "against hybrid"),
        compared(f"signals.{name}.bm25", mean["bm25"], "nDCG@10", mean["hybrid"], "against hybrid"),
        compared(f"signals.{name}.reader", mean["reader"], "nDCG@10", mean["hybrid"], "against hybrid"),
    ]


def is_test(item: dict[str, Any], folder: Path) -> bool:
    """Tell whether a question is of those that nothing was trained on."""
    split = folder / "split.json"
    if not split.exists():
        return True
    test = json.loads(split.read_text(encoding="utf-8"))["test_articles"]
    return item["evidence"][0]["doc"].partition("#")[0] in test


def _found(retriever: Retriever, gold: Sequence[dict[str, Any]]) -> list[Sequence[Passage]]:
    return [
        retriever.retrieve(
            item["question"],
            DEPTH,
            item.get("filter"),
            [Message(turn["role"], turn["content"]) for turn in item.get("history", ())],
        ).passages
        for item in gold
    ]
