"""How an index grows: building, disk, opening, memory, searches, recall, and one changed document.

Vectors are real ones, disturbed to real neighbours' distances. Texts are real sentences whose names and
figures are replaced by made ones of their own in each document, so that the vocabulary grows with the
text, as it does in real collections.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import regex

from eval.bench import texts
from eval.bench.pool import PoolEncoder
from eval.bench.rows import Options, Row, compared
from eval.bench.size import DOCUMENT
from rag.build import build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.stores.faiss import knn
from rag.types import Document, Vectors

SIZES = (1_000, 10_000, 100_000, 1_000_000)
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
    rows += [Row(f"{name}.{each}", *figure) for each, figure in _searched(index, options).items()]
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


def _searched(index: Path, options: Options) -> dict[str, tuple[float, str, None, None, str]]:
    """Return what a process of its own measures of an index."""
    command = [sys.executable, "-m", "eval.bench.scale", str(index), str(options.data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, tuple[float, str, None, None, str]] = json.loads(done.stdout)
    return found


def measure(index: Path, data: Path) -> dict[str, tuple[float, str, None, None, str]]:
    """Open an index and search it on one thread; return each figure with its unit and a note."""
    settings = Settings.load(threads=1, remembered=0, reader="off")
    real = open_encoder(settings)
    encoder = PoolEncoder(real, np.load(index.parent / "pool.npy"))
    asked = texts.questions(data, QUESTIONS)
    queries = encoder.encode_queries(asked)
    directory = IndexDirectory(index)
    began = time.perf_counter()
    snapshot = open_snapshot(directory)
    retriever = Retriever(snapshot, encoder, settings)
    opened = time.perf_counter() - began
    for question in asked[:20]:
        retriever.search(question)
    took = []
    for question in asked:
        began = time.perf_counter()
        retriever.search(question)
        took.append(1000 * (time.perf_counter() - began))
    memory = _resident_mb()
    said = f"{len(asked)} searches, one thread"
    recall = _recall(snapshot, retriever, queries)
    return {
        "open": (opened, "s", None, None, "every byte checked"),
        "search": (float(np.median(took)), "ms", None, None, f"median of {said}"),
        "search.p99": (float(np.percentile(took, 99)), "ms", None, None, ""),
        "memory": (memory, "MB", None, None, "resident after the searches, mapped pages included"),
        "recall": (recall, "recall@10", None, None, str(dict(snapshot.search))[:80]),
    }


def _recall(snapshot: Snapshot, retriever: Retriever, queries: Vectors) -> float:
    """Return the share of the ten nearest that the retriever's store finds for real questions."""
    store = retriever.store
    found = np.concatenate([store.search(query[None], 10)[0] for query in queries])
    truth, _ = knn(queries, snapshot.vectors, 10)
    return float(np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(found, truth, strict=True)]))


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return float("nan")


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))
