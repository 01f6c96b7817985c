"""What an answer costs in a running process: without the reader, with it, and with all passages read.

The questions go to each of them in turn, none twice, so that nothing is remembered and noise falls
on all.
"""

import time
from collections.abc import Mapping
from statistics import median, quantiles

from eval.bench.quality import answerable
from eval.bench.rows import Options, Row, compared, skipped
from rag.answer import Answerer
from rag.build import build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.store import IndexDirectory

SET = "squad2_dev"
WAYS: Mapping[str, Mapping[str, str | bool]] = {
    "off": {"reader": "off"},
    "read": {"reader": "shipped"},
    "all_read": {"reader": "shipped", "rerank": False},
}
"""Settings of each way; where the reader does not order the passages, all that are found are read."""


def run(options: Options) -> list[Row]:
    """Measure the median and the ninth decile of one answer."""
    folder = options.data / SET
    if not (folder / "corpus.jsonl").exists():
        return [skipped("answer", f"{SET} is absent")]
    gold = answerable(folder / "gold.jsonl")
    asked = [item["question"] for item in gold[:: max(1, len(gold) // (150 if options.quick else 600))]]
    settings = Settings.load(index=options.scratch / "index")
    directory = IndexDirectory(settings.index)
    build_index(directory, [folder / "corpus.jsonl"], open_encoder(settings), settings)
    answerers = {
        name: Answerer.open(settings=settings.model_copy(update=dict(way)))
        for name, way in WAYS.items()
    }
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    for at, question in enumerate(asked):
        name = [*WAYS][at % len(WAYS)]
        began = time.perf_counter()
        answerers[name].ask(question)
        took[name].append(1000 * (time.perf_counter() - began))
    said = f"{len(asked) // len(WAYS)} questions, {settings.top_k} passages; against no reader"
    middle = {name: median(each) for name, each in took.items()}
    slow = {name: quantiles(each, n=10)[-1] for name, each in took.items()}
    return [
        row
        for name in WAYS
        for row in (
            compared(f"answer.{name}", middle[name], "ms", middle["off"], f"median; {said}"),
            compared(f"answer.{name}.p90", slow[name], "ms", slow["off"], said),
        )
    ]
