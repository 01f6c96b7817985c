"""What a fresh process costs: seconds from start to exit, peak memory, and whether it loads torch.

The files are in the system's cache and the encoder is compiled: this is the second call of a day,
not the first after a boot. Each process reports its own peak, since what the system tells a parent
about a child includes the parent's own size at the fork.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

from eval.bench.rows import ROOT, Options, Row, compared
from rag.build import build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.store import IndexDirectory

QUESTION = "How many people walked free on 16 September?"
_PROBE = """
import atexit, sys
def report():
    try:
        with open("/proc/self/status") as lines:
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except OSError:
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    sys.stderr.write(f"\\n{peak} {int('torch' in sys.modules)}\\n")
atexit.register(report)
"""


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    mb: float
    torch: bool


def run(options: Options) -> list[Row]:
    """Measure imports and a whole `rag ask`, in turns."""
    index = options.scratch / "index"
    settings = Settings.load()
    build_index(IndexDirectory(index), [ROOT / "seeds"], open_encoder(settings), settings)
    ask = (
        f"sys.argv = ['rag', 'ask', {QUESTION!r}, '--index', {str(index)!r}]\n"
        "from rag.cli import main\nmain()"
    )
    programs = {
        "python": "",
        "import_rag": "import rag",
        "import_retriever": "from rag import Retriever",
        "ask": ask,
        "ask_without_reader": f"import os\nos.environ['RAG_READER'] = 'off'\n{ask}",
    }
    for program in programs.values():
        _cost(program)
    turns = 5 if options.quick else 10
    costs: dict[str, list[_Cost]] = {name: [] for name in programs}
    for _ in range(turns):
        for name, program in programs.items():
            costs[name].append(_cost(program))
    bare = costs.pop("python")
    return [row for name, each in costs.items() for row in _rows(f"cold.{name}", each, bare)]


def _rows(name: str, costs: list[_Cost], bare: list[_Cost]) -> list[Row]:
    """Return seconds and peak memory beside those of an interpreter that does nothing."""
    seconds = [cost.seconds for cost in costs]
    said = f"median of {len(costs)}, best {min(seconds):.3f} s; "
    said += "torch loaded" if any(cost.torch for cost in costs) else "no torch"
    idle = median(cost.seconds for cost in bare), max(cost.mb for cost in bare)
    peak = max(cost.mb for cost in costs)
    return [
        compared(name, median(seconds), "s", idle[0], f"{said}; against a bare python"),
        compared(f"{name}.rss", peak, "MB", idle[1], "peak; against a bare python"),
    ]


def _cost(program: str) -> _Cost:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{_PROBE}\n{program}"],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{program!r} failed:\n{done.stderr}")
    peak, torch = done.stderr.split()[-2:]
    return _Cost(seconds, float(peak), torch == "1")
