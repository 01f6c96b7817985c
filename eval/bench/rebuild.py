"""A full build, then builds after one document changed, then one after nothing did."""

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median

from eval.bench import texts
from eval.bench.rows import Options, Row, compared
from rag.build import BuildReport, build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.store import IndexDirectory, open_snapshot

CHANGES = 3


def run(options: Options) -> list[Row]:
    """Measure on 1,000 files (100 if quick) of at least ten chunks each."""
    seeds = options.scratch / "seeds"
    seeds.mkdir()
    paths = _written(seeds, options)
    settings = Settings.load()
    encoder = open_encoder(settings)
    encoder.encode_passages(["warm"])
    directory = IndexDirectory(options.scratch / "index")

    def build() -> BuildReport:
        return build_index(directory, [seeds], encoder, settings)

    full, whole = _timed(build)
    snapshot = open_snapshot(directory)
    ranges = map(snapshot.chunk_range, range(snapshot.documents))
    least = min(last - first for first, last in ranges)
    said = f"{len(paths)} documents, {full.chunks} chunks, at least {least} each"
    rows = [Row("rebuild.full", whole, "s", note=f"{said}, {full.chunks / whole:.0f} chunks/s")]
    fresh = texts.made(options.data, seed=texts.SEED + 1)
    changes = []
    for path, document in zip(paths[:: len(paths) // CHANGES][:CHANGES], fresh, strict=False):
        path.write_text(document.text, encoding="utf-8")
        changes.append(_timed(build))
    report = changes[-1][0]
    said = f"median of {len(changes)}; {report.changed} document rewritten whole, "
    said += f"{report.embedded} embedded, {report.reused} reused; against full"
    seconds = median(took for _, took in changes)
    rows.append(compared("rebuild.one_changed", seconds, "s", whole, said))
    report, took = _timed(build)
    rows.append(compared("rebuild.unchanged", took, "s", whole, "nothing changed; against full"))
    return rows


def _written(folder: Path, options: Options) -> list[Path]:
    count = 100 if options.quick else 1000
    paths = []
    for document in islice(texts.made(options.data), count):
        paths.append(folder / document.id)
        paths[-1].write_text(document.text, encoding="utf-8")
    return paths


def _timed(build: Callable[[], BuildReport]) -> tuple[BuildReport, float]:
    began = time.perf_counter()
    report = build()
    return report, time.perf_counter() - began
