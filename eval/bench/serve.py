"""The service under load: requests a second, beside what its encoder alone could do.

wrk, on the same machine, takes a part of the cores; the ratio is what compares between machines.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from eval.bench import texts
from eval.bench.pool import PoolEncoder
from eval.bench.rows import ROOT, Options, Row, compared, skipped
from rag.build import build_documents, build_index
from rag.config import Settings
from rag.corpus import Found
from rag.embed import open_encoder
from rag.store import IndexDirectory

CONNECTIONS = 32
QUESTIONS = 20_000
BIG = 100_000
"""Chunks of the big index."""
DOCUMENT = 15
"""About how many chunks a made document has."""
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)|timeout (\d+)|connect (\d+)|read (\d+)")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def run(options: Options) -> list[Row]:
    """Measure `/v1/search` and `/v1/ask` on the shipped seeds, and searches of a big index."""
    if shutil.which("wrk") is None:
        return [skipped("serve", "wrk is not installed")]
    seconds = 5 if options.quick else 20
    settings = Settings.load(remembered=0)
    encoder = open_encoder(settings)
    small = options.scratch / "small"
    build_index(IndexDirectory(small), [ROOT / "seeds"], encoder, settings)
    asked = distinct_questions(QUESTIONS)
    began = time.perf_counter()
    encoder.encode_queries(asked[:400])
    ceiling = 400 / (time.perf_counter() - began)
    rows = [Row("serve.encoder", ceiling, "questions/s", note="the encoder alone on all cores")]
    for name, rerank in (("serve.search", False), ("serve.search.reranked", True)):
        bodies = [("POST", "/v1/search", {"question": each, "rerank": rerank}) for each in asked]
        rows += _loaded(name, small, bodies, seconds, ceiling, options, remembered=0)
    bodies = [("POST", "/v1/ask", {"question": question}) for question in asked]
    rows += _loaded("serve.ask.forgetful", small, bodies, seconds, ceiling, options, remembered=0)
    rows += _loaded("serve.ask", small, bodies, seconds, ceiling, options)
    if options.quick:
        return [*rows, skipped("serve.big", "quick")]
    big = _big_index(options, settings)
    bodies = [
        ("POST", "/v1/search", {"question": each, "rerank": False})
        for each in texts.questions(options.data, 5000)
    ]
    return [*rows, *_loaded("serve.big", big, bodies, seconds, ceiling, options, remembered=0)]


def distinct_questions(count: int) -> list[str]:
    """Return questions of usual length, no two alike: halves of the shipped gold's, joined anew."""
    lines = (ROOT / "eval/gold/seeds.jsonl").read_text(encoding="utf-8").splitlines()
    words = [json.loads(line)["question"].split() for line in lines]
    random = np.random.default_rng(texts.SEED)
    found: dict[str, None] = {}
    while len(found) < count:
        one, other = (words[at] for at in random.integers(len(words), size=2))
        found[" ".join([*one[: len(one) // 2], *other[len(other) // 2 :]])] = None
    return list(found)


@contextmanager
def service(index: Path, **environment: object) -> Iterator[tuple[str, int]]:
    """Give the address of a service in a process of its own, and the process' number."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {"RAG_INDEX": index, "RAG_SEEDS": ROOT / "seeds", "RAG_LOG_LEVEL": "warning"}
    given = {name: str(value) for name, value in {**variables, **environment}.items()}
    command = [sys.executable, "-m", "api", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **given}, stdout=sys.stderr)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            time.sleep(0.1)
            if process.poll() is not None:
                raise RuntimeError("the service ended before it was ready")
            if _answers(f"{address}/readyz"):
                break
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def load(
    address: str, requests: Sequence[tuple[str, str, object]], seconds: int, scratch: Path
) -> tuple[float, float, int]:
    """Return requests a second, the 99th percentile in ms, and how many failed."""
    file = scratch / "requests.tsv"
    lines = (f"{method}\t{path}\t{json.dumps(body) if body else ''}" for method, path, body in requests)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    script = Path(__file__).with_name("serve.lua")
    done = subprocess.run(
        [*command, "-s", str(script), address],
        env={**os.environ, "SEEDRAG_REQUESTS": str(file)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rate, p99 = _RATE.search(done.stdout), _P99.search(done.stdout)
    assert rate is not None
    assert p99 is not None
    failed = sum(int(number) for match in _BAD.findall(done.stdout) for number in match if number)
    return float(rate[1]), float(p99[1]) * _MS[p99[2]], failed


def _loaded(
    name: str,
    index: Path,
    requests: Sequence[tuple[str, str, object]],
    seconds: int,
    ceiling: float,
    options: Options,
    **settings: object,
) -> list[Row]:
    environment = {f"RAG_{key.upper()}": value for key, value in settings.items()}
    with service(index, **environment) as (address, _):
        load(address, requests, 2, options.scratch)
        rate, p99, failed = load(address, requests, seconds, options.scratch)
    note = f"{CONNECTIONS} connections; wrk beside it; {failed} failed; against the encoder"
    return [compared(name, rate, "requests/s", ceiling, note), Row(f"{name}.p99", p99, "ms")]


def _big_index(options: Options, settings: Settings) -> Path:
    real = open_encoder(settings)
    pooled = texts.chunks(options.data, 2000, real.tokenizer, settings)
    encoder = PoolEncoder(real, real.encode_passages(pooled))
    found = islice(texts.made(options.data), round(BIG / DOCUMENT))
    given = ((0, Found(document, "")) for document in found)
    folder = options.scratch / "big"
    build_documents(IndexDirectory(folder), [], given, encoder, settings)
    return folder


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
