"""Our compiled encoder against sentence-transformers in float32, on the same texts.

The two take turns, so that a busy machine slows both. Blocks are dealt so that each of
sentence-transformers' batches is one that a single call over all texts would have made (it sorts
by length), and every block has long and short ones.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from eval.bench import texts
from eval.bench.rows import Options, Row, compared
from rag.config import Settings
from rag.embed import models, open_encoder
from rag.types import Vectors

BATCH = 32
"""sentence-transformers' default."""

Encode = Callable[[list[str]], Vectors]


def run(options: Options) -> list[Row]:
    """Measure throughput, query latency and how near the vectors are."""
    settings = Settings.load(encoder=f"onnx:{models.BUNDLED}", remembered=0)
    ours = open_encoder(settings)
    theirs = _reference()
    count = 192 if options.quick else 1000
    chunks = texts.chunks(options.data, count, ours.tokenizer, settings)
    _, note = texts.source(options.data)
    for encode in (ours.encode_passages, theirs):
        encode(chunks[:BATCH])
    rows = _throughput(chunks, ours.encode_passages, theirs, note)
    asked = texts.questions(options.data, 50 if options.quick else 200)
    return [*rows, *_latency(asked, ours.encode_queries, theirs)]


def _reference() -> Encode:
    from sentence_transformers import SentenceTransformer

    folder = models.model_folder(models.BUNDLED)
    network: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def encode(said: list[str]) -> Vectors:
        return np.asarray(network.encode(said, show_progress_bar=False), np.float32)

    return encode


def _throughput(chunks: list[str], ours: Encode, theirs: Encode, note: str) -> list[Row]:
    seconds: list[tuple[float, float]] = []
    cosines: list[float] = []
    blocks = dealt(chunks)
    for turn, block in enumerate(blocks):
        pair = [(0, ours), (1, theirs)]
        took, vectors = [0.0, 0.0], [np.empty(0, np.float32)] * 2
        for at, encode in pair if turn % 2 == 0 else reversed(pair):
            vectors[at], took[at] = _timed(encode, block)
        seconds.append((took[0], took[1]))
        norms = np.linalg.norm(vectors[0], axis=1) * np.linalg.norm(vectors[1], axis=1)
        cosines += (np.sum(vectors[0] * vectors[1], axis=1) / norms).tolist()
    speeds = [len(chunks) / sum(each) for each in zip(*seconds, strict=True)]
    ratio = median(theirs_took / ours_took for ours_took, theirs_took in seconds)
    said = f"{len(chunks)} chunks, median ratio of {len(blocks)} alternating blocks"
    said += f"; {note}" if note else ""
    return [
        Row("encode.chunks", speeds[0], "chunks/s", speeds[1], ratio, said),
        Row("encode.cosine.mean", float(np.mean(cosines)), "", note="to float32, same chunks"),
        Row("encode.cosine.min", float(np.min(cosines)), "", note="to float32, same chunks"),
    ]


def dealt(chunks: Sequence[str]) -> list[list[str]]:
    """Return the texts in blocks of four batches, dealt from the longest to the shortest."""
    longest_first = sorted(chunks, key=len, reverse=True)
    batches = [longest_first[at : at + BATCH] for at in range(0, len(chunks), BATCH)]
    count = max(2, len(batches) // 4)
    return [[said for batch in batches[at::count] for said in batch] for at in range(count)]


def _latency(asked: Sequence[str], ours: Encode, theirs: Encode) -> list[Row]:
    pairs = [(_timed(ours, [said])[1], _timed(theirs, [said])[1]) for said in asked]
    ms = [1000 * median(each) for each in zip(*pairs, strict=True)]
    return [compared("encode.query", ms[0], "ms", ms[1], f"median of {len(asked)}, alternating")]


def _timed(encode: Encode, said: list[str]) -> tuple[Vectors, float]:
    began = time.perf_counter()
    vectors = encode(said)
    return vectors, time.perf_counter() - began
