"""Builds every system's index, asks all of them in turns, judges what they find."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from eval.bench import texts
from eval.bench.peers import environment
from eval.bench.peers.program import Program, ProgramError
from eval.bench.peers.protocol import Plan
from eval.bench.peers.systems import AGAINST, Way, ways
from eval.bench.quality import DEPTH, answerable, each_document_ndcg
from eval.bench.rows import ROOT, Options, Row, compared, skipped
from eval.bench.signals import is_test
from rag.bundled import bundled_folder
from rag.embed.compile import quantise

K = 10
"""Passages that a question is timed for."""
WARM = 5
"""Questions before those that are timed."""


@dataclass(frozen=True, slots=True)
class _Size:
    builds: int
    rounds: int
    questions: int
    """Of each round."""
    judged: int | None
    """At most so many questions; None is all."""
    documents: int | None


_FULL = _Size(builds=2, rounds=4, questions=60, judged=433, documents=None)
_QUICK = _Size(builds=1, rounds=2, questions=10, judged=40, documents=100)


@dataclass(slots=True)
class Found:
    """What was measured of one way."""

    passages: int = 0
    build: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)
    ndcg: float = float("nan")
    failed: str = ""


class _Bench:
    def __init__(self, options: Options, pythons: Mapping[str | None, Path]) -> None:
        self._scratch = options.scratch
        self._pythons = pythons
        self._weights = {"float32": bundled_folder(), "int8": options.scratch / "int8"}
        self.found = {way.name: Found() for way in ways()}

    def started(self, way: Way) -> Program:
        plan = Plan(self._weights[way.kind], way.kind, way.mode)
        log = self._scratch / f"{way.name}.log"
        return Program(self._pythons[way.environment], way.module, plan, log)

    def index(self, way: Way) -> Path:
        return self._scratch / way.name

    def build(self, way: Way, corpus: Path) -> None:
        """Build its index from nothing."""
        shutil.rmtree(self.index(way), ignore_errors=True)
        with self.started(way) as program:
            reply = program.ask(build=str(corpus), index=str(self.index(way)))
        self.found[way.name].passages = reply["passages"]
        self.found[way.name].build.append(reply["seconds"])

    def turn(self, way: Way, questions: Sequence[str]) -> None:
        """Start it, ask a question, warm up, time the others."""
        found = self.found[way.name]
        began = time.perf_counter()
        with self.started(way) as program:
            program.ask(open=str(self.index(way)))
            program.ask(search=questions[:1], k=K)
            found.cold.append(time.perf_counter() - began)
            program.ask(search=questions[1:WARM], k=K)
            found.ms += program.ask(search=questions[WARM:], k=K)["ms"]
            found.mb.append(program.ask(memory=True)["mb"])

    def judge(self, way: Way, gold: Sequence[dict[str, Any]]) -> None:
        with self.started(way) as program:
            program.ask(open=str(self.index(way)))
            reply = program.ask(search=[item["question"] for item in gold], k=DEPTH)
        self.found[way.name].ndcg = fmean(each_document_ndcg(gold, reply["found"]))


def measure(options: Options) -> list[Row]:
    """Return six figures of every way, and print them as a table of one line each."""
    if find_spec("ir_measures") is None:
        return [skipped("peers", "pip install ir-measures")]
    folder = options.data / texts.PREFERRED
    if not (folder / "corpus.jsonl").exists() or not (folder / "gold.jsonl").exists():
        return [skipped("peers", f"{texts.PREFERRED} is absent")]
    try:
        pythons: dict[str | None, Path] = {None: Path(sys.executable)}
        pythons |= {name: environment.python_of(name) for name in environment.LOCKS}
    except environment.EnvironmentMissingError as error:
        return [skipped("peers", str(error))]
    _export(pythons["onnx"], options.scratch / "int8")
    bench = _Bench(options, pythons)
    size = _QUICK if options.quick else _FULL
    corpus, gold = _taken(folder, size, options.scratch)
    for _ in range(size.builds):
        for way in ways():
            _attempted(bench, way, "build", corpus)
    asked = texts.questions(options.data, size.rounds * size.questions + WARM)
    for at in range(size.rounds):
        block = asked[:WARM] + asked[WARM + at * size.questions :][: size.questions]
        for way in ways():
            _attempted(bench, way, "turn", block)
    for way in ways():
        _attempted(bench, way, "judge", gold)
    print(side_by_side(bench.found), file=sys.stderr)
    return [row for way in ways() for row in rows_of(way, bench.found, len(gold), size.rounds)]


def _export(python: Path, target: Path) -> None:
    """Make the int8 model that the peers take: the graph of their own tool, quantised by ours."""
    command = [str(python), "-m", "eval.bench.peers.export", str(bundled_folder()), str(target)]
    subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=True)
    quantise(target / "onnx" / "model.onnx", target / "onnx" / "model_int8.onnx")


def _taken(folder: Path, size: _Size, scratch: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Return the corpus and the questions that are judged, fewer of both if quick."""
    corpus = folder / "corpus.jsonl"
    gold = [item for item in answerable(folder / "gold.jsonl") if is_test(item, folder)]
    if size.judged is not None:
        gold = gold[:: max(1, len(gold) // size.judged)]
    if size.documents is not None:
        lines = corpus.read_text(encoding="utf-8").splitlines(keepends=True)
        wanted = tuple(f'{{"id": "{row["doc"]}"' for item in gold for row in item["evidence"])
        lines.sort(key=lambda line: not line.startswith(wanted))
        corpus = scratch / "corpus.jsonl"
        corpus.write_text("".join(lines[: size.documents]), encoding="utf-8")
    return corpus, gold


def _attempted(bench: _Bench, way: Way, step: str, *given: Any) -> None:
    """Take a step of one way; where it fails, its later steps are left out and the rest goes on."""
    found = bench.found[way.name]
    if found.failed:
        return
    print(f"  {step} {way.name}", file=sys.stderr, flush=True)
    try:
        getattr(bench, step)(way, *given)
    except ProgramError as error:
        found.failed = f"{step}: {error}"


def _figures(found: Found) -> dict[str, tuple[float, str]]:
    return {
        "build": (min(found.build), "s"),
        "query": (median(found.ms), "ms"),
        "query.p99": (float(np.percentile(found.ms, 99)), "ms"),
        "cold": (median(found.cold), "s"),
        "memory": (max(found.mb), "MB"),
        "ndcg": (found.ndcg, "nDCG@10"),
    }


def rows_of(way: Way, found: Mapping[str, Found], judged: int, rounds: int) -> list[Row]:
    """Return a way's figures beside ours; where it failed, one row that says at what and why."""
    name, own, ours = f"peers.{way.name}", found[way.name], found[AGAINST]
    said = f"seedrag {version('seedrag')}: {way.said}" if way.environment is None else way.said
    if own.failed:
        return [skipped(name, f"{own.failed}; {said}")]
    if ours.failed:
        return [Row(f"{name}.{key}", *each, note=said) for key, each in _figures(own).items()]
    notes = {
        "build": f"{own.passages} passages, fastest of {len(own.build)}; {said}",
        "query": f"median of {len(own.ms)}, {K} passages",
        "cold": f"median of {rounds}, start to first passages",
        "memory": "highest",
        "ndcg": f"{judged} questions, {DEPTH} passages",
    }
    against = _figures(ours)
    return [
        compared(f"{name}.{key}", value, unit, against[key][0], notes.get(key, ""))
        for key, (value, unit) in _figures(own).items()
    ]


def side_by_side(found: Mapping[str, Found]) -> str:
    """Return a Markdown table, one line for each way."""
    lines = [
        "| system | ranking | weights | build, s | question, ms | p99, ms | cold start, s | memory, MB "
        "| nDCG@10 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for way in ways():
        own = found[way.name]
        figures = (
            [own.failed]
            if own.failed
            else [
                f"{value:.3g}" if value < 1000 else f"{value:.0f}"
                for value, _ in _figures(own).values()
            ]
        )
        lines.append(f"| {' | '.join([way.system, way.mode, way.kind, *figures])} |")
    return "\n".join(lines)
