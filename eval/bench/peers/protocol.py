"""What a system's program says and hears: one JSON object a line, on stdin and on stdout.

    {"weights", "kind", "mode"}                     first: how to load; no reply
    {"build": corpus, "index": folder}              → {"passages", "seconds"}
    {"open": folder}                                → {}
    {"search": questions, "k": number}              → {"found": [[document, …], …], "ms": [number, …]}
    {"memory": true}                                → {"mb"}, the highest so far

It imports nothing but the standard library, since it runs in every environment.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

DIMENSION = 384
Hit: TypeAlias = tuple[str, str]
"""A passage: its document's id, its text."""
Search: TypeAlias = Callable[[str], list[Hit]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a system is loaded.

    `weights` is a folder that sentence-transformers reads; `kind` is `float32`, or `int8` where its
    `onnx/model_int8.onnx` is to be used. `mode` is `dense`, `hybrid` or `default`.
    """

    weights: Path
    kind: str
    mode: str

    @property
    def onnx(self) -> dict[str, Any]:
        """What sentence-transformers is told beside the folder, as its documentation has it."""
        if self.kind == "float32":
            return {}
        file = {"file_name": "onnx/model_int8.onnx", "provider": "CPUExecutionProvider"}
        return {"backend": "onnx", "model_kwargs": file}


class System(Protocol):
    """One system, imported and with its model loaded."""

    def build(self, corpus: Path, index: Path) -> int:
        """Read the corpus, make the index, save it; return the number of passages."""

    def open(self, index: Path) -> None:
        """Open what `build` saved."""

    def searcher(self, k: int) -> Search:
        """Return what finds `k` passages, best first."""


def records(corpus: Path) -> Iterator[dict[str, str]]:
    """Yield each document's id, title and text."""
    with corpus.open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            yield {"id": item["id"], "title": item.get("title", ""), "text": item["text"]}


def serve(load: Callable[[Plan], System]) -> None:
    """Answer requests until stdin ends; whatever the system prints goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    first = json.loads(sys.stdin.readline())
    system = load(Plan(Path(first["weights"]), first["kind"], first["mode"]))
    for line in sys.stdin:
        print(json.dumps(_reply(system, json.loads(line))), file=out, flush=True)


def _reply(system: System, request: dict[str, Any]) -> dict[str, Any]:
    if "build" in request:
        began = time.perf_counter()
        passages = system.build(Path(request["build"]), Path(request["index"]))
        return {"passages": passages, "seconds": time.perf_counter() - began}
    if "open" in request:
        system.open(Path(request["open"]))
        return {}
    if "search" in request:
        return _searched(system.searcher(request["k"]), request["search"], request["k"])
    if "memory" in request:
        return {"mb": _peak_mb()}
    raise ValueError(f"no such request: {sorted(request)}")


def _searched(search: Search, questions: list[str], k: int) -> dict[str, Any]:
    """Ask one question after the other; what is timed ends with the passages' text in hand."""
    found, ms = [], []
    for question in questions:
        began = time.perf_counter()
        hits = search(question)
        ms.append(1000 * (time.perf_counter() - began))
        found.append([document for document, _ in hits[:k]])
    return {"found": found, "ms": ms}


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")
