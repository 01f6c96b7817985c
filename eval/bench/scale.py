"""How an index grows: building, disk, opening, memory, searches, recall, and one changed document.

Vectors are real ones, disturbed to real neighbours' distances. Texts are real sentences whose names and
figures are replaced by made ones of their own in each document, so that the vocabulary grows with the
text, as it does in real collections.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import regex

from eval.bench import texts
from eval.bench.pool import PoolEncoder
from eval.bench.rows import Options, Row, compared
from eval.bench.stages import Milliseconds, timed
from rag.build import build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.reader import open_reranker
from rag.retrieve import Retriever
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.stores.faiss import knn
from rag.types import Document, Vectors

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DOCUMENT = 15.7
"""Chunks that a made document comes to, about."""
POOL = 4000
QUESTIONS = 300
OWN = 0.5
"""Share of names and figures that a document has to itself."""
_NAME = regex.compile(r"(?<=\s)\p{Lu}\p{Ll}{2,}|\d{2,}")
_SYLLABLES = "ba ke lo mi nu ra se to vi wa zor den fal gim hur jes kol mar nid pol".split()


def run(options: Options) -> list[Row]:
    """Measure at each size, the least two if quick."""
    settings = Settings.load(threads=1, remembered=0, max_file_mb=1000)
    real = open_encoder(settings)
    pool = real.encode_passages(texts.chunks(options.data, POOL, real.tokenizer, settings))
    np.save(options.scratch / "pool.npy", pool)
    rows: list[Row] = []
    for size in SIZES[:2] if options.quick else SIZES:
        rows += _grown(size, PoolEncoder(real, pool), settings, options)
    return rows


def _grown(size: int, encoder: PoolEncoder, settings: Settings, options: Options) -> list[Row]:
    name = f"scale.{size}"
    seeds, index = options.scratch / f"seeds{size}", options.scratch / f"index{size}"
    paths = list(_written(seeds, round(size / DOCUMENT), options.data))
    directory = IndexDirectory(index)
    began = time.perf_counter()
    report = build_index(directory, [seeds], encoder, settings)
    built = time.perf_counter() - began
    said = f"{report.chunks} chunks of {len(paths)} documents, the model's time left out"
    rows = [Row(f"{name}.build", built, "s", note=said)]
    taken = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    rows.append(Row(f"{name}.disk", taken / 1e6, "MB", note="the text itself included"))
    rows += [replace(row, name=f"{name}.{row.name}") for row in _searched(index, options)]
    paths[len(paths) // 2].write_text(next(islice(_documents(options.data, 1), 1)).text)
    began = time.perf_counter()
    report = build_index(directory, [seeds], encoder, settings)
    took = time.perf_counter() - began
    note = f"{report.embedded} embedded; against the build"
    return [*rows, compared(f"{name}.rebuild", took, "s", built, note)]


def _written(folder: Path, count: int, data: Path) -> Iterator[Path]:
    for number, document in enumerate(islice(_documents(data, 0), count)):
        path = folder / f"{number // 1000:04d}" / document.id
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document.text, encoding="utf-8")
        yield path


def _documents(data: Path, seed: int) -> Iterator[Document]:
    """Yield made documents, with names and figures of their own."""
    random = np.random.default_rng([texts.SEED, seed])
    for document in texts.made(data, seed=texts.SEED + seed):
        own: dict[str, str] = {}

        def replaced(match: regex.Match[str], own: dict[str, str] = own) -> str:
            said = str(match.group())
            if said not in own:
                own[said] = _made(said, random) if random.random() < OWN else said
            return own[said]

        yield Document(document.id, str(_NAME.sub(replaced, document.text)))


def _made(said: str, random: np.random.Generator) -> str:
    if said.isdigit():
        return str(random.integers(10 ** (len(said) - 1), 10 ** len(said)))
    return "".join(random.choice(_SYLLABLES, 4)).capitalize()


def _searched(index: Path, options: Options) -> list[Row]:
    """Return what a process of its own measures of an index."""
    command = [sys.executable, "-m", "eval.bench.scale", str(index), str(options.data)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [Row(**row) for row in json.loads(done.stdout)]


def measure(index: Path, data: Path) -> list[Row]:
    """Open an index and search it on one thread, first by retrieval alone, then as by default."""
    settings = Settings.load(threads=1, remembered=0)
    encoder = PoolEncoder(open_encoder(settings), np.load(index.parent / "pool.npy"))
    asked = texts.questions(data, QUESTIONS)
    directory = IndexDirectory(index)
    began = time.perf_counter()
    snapshot = open_snapshot(directory)
    retriever = Retriever(snapshot, encoder, settings, open_reranker(settings))
    opened = time.perf_counter() - began
    rows = [Row("open", opened, "s", note="every byte checked")]
    for name, rerank in (("search", False), ("default", True)):
        timed(retriever, asked[:20], rerank)
        spent = timed(retriever, asked, rerank)
        rows += _told(name, spent)
        if not rerank:
            said = "the most that was resident until here, mapped pages included"
            rows.append(Row("memory", _peak_mb(), "MB", note=said))
    recall = _recall(snapshot, retriever, encoder.encode_queries(asked))
    said = ", ".join(f"{key} {value}" for key, value in snapshot.search.items() if key != "files")
    return [*rows, Row("recall", recall, "recall@10", note=said)]


def _told(name: str, spent: Mapping[str, Milliseconds]) -> list[Row]:
    total = spent["total"]
    whole = float(np.median(total))
    rows = [
        Row(name, whole, "ms", note=f"median of {len(total)} searches, one thread"),
        compared(f"{name}.p99", float(np.percentile(total, 99)), "ms", whole, "against median"),
    ]
    for part, took in spent.items():
        if part != "total" and took.any():
            note = f"p99 {np.percentile(took, 99):.2f} ms; against the whole"
            rows.append(compared(f"{name}.{part}", float(np.median(took)), "ms", whole, note))
    return rows


def _recall(snapshot: Snapshot, retriever: Retriever, queries: Vectors) -> float:
    """Return the share of the ten nearest that the retriever's store finds for real questions."""
    store = retriever.store
    found = np.concatenate([store.search(query[None], 10)[0] for query in queries])
    truth, _ = knn(queries, snapshot.vectors, 10)
    return float(np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(found, truth, strict=True)]))


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return float("nan")


if __name__ == "__main__":
    print(json.dumps([asdict(row) for row in measure(Path(sys.argv[1]), Path(sys.argv[2]))]))
