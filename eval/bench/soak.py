"""Ten minutes of mixed load within bounds: what fails, and how memory grows."""

import shutil
from pathlib import Path

from eval.bench.rows import ROOT, Options, Row, compared, skipped
from eval.bench.serve import distinct_questions, load, service
from rag.build import build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.store import IndexDirectory

MIX = ("search",) * 6 + ("ask",) * 3 + ("document", "documents", "index", "page")
"""What the requests are, by turns."""


def run(options: Options) -> list[Row]:
    """Measure the growth of the service's memory once its caches are full."""
    if shutil.which("wrk") is None:
        return [skipped("soak", "wrk is not installed")]
    settings = Settings.load()
    index = options.scratch / "index"
    build_index(IndexDirectory(index), [ROOT / "seeds"], open_encoder(settings), settings)
    requests = [
        _request(MIX[at % len(MIX)], question) for at, question in enumerate(distinct_questions(20_000))
    ]
    warm, seconds = (20, 60) if options.quick else (150, 600)
    with service(index) as (address, process):
        load(address, requests, warm, options.scratch)
        before = _memory(process)
        rate, p99, failed = load(address, requests, seconds, options.scratch)
        after = _memory(process)
    note = f"{seconds} s of mixed load after {warm} s to fill the caches; {failed} failed"
    return [
        compared("soak.memory", after, "MB", before, f"{note}; against the beginning"),
        Row("soak.rate", rate, "requests/s"),
        Row("soak.p99", p99, "ms"),
        Row("soak.failed", failed, "requests"),
    ]


def _request(kind: str, question: str) -> tuple[str, str, object]:
    match kind:
        case "search":
            return "POST", "/v1/search", {"question": question}
        case "ask":
            return "POST", "/v1/ask", {"question": question, "stream": len(question) % 2 == 0}
        case "document":
            return "GET", "/v1/documents/economy.md?start=10&end=90", None
        case "documents":
            return "GET", "/v1/documents", None
        case "index":
            return "GET", "/v1/index", None
    return "GET", "/", None


def _memory(process: int) -> float:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise RuntimeError("the system does not tell a process' memory")
