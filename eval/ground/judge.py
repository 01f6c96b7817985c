"""Claims → what the checker says of them, and how long it takes."""

import time
from collections.abc import Iterator, Sequence

from eval.ask import Progress
from eval.ground.values import Judged
from rag.cite import Checker
from rag.text import language


def judge_all(
    checker: Checker, asked: Sequence[tuple[str, str]], progress: Progress
) -> Iterator[Judged]:
    """Yield what the checker says of each claim and passage, in order."""
    for done, (claim, passage) in enumerate(asked, 1):
        spoken = language(f"{passage}\n{claim}")
        began = time.perf_counter()
        found = checker.support(claim, passage, spoken)
        seconds = time.perf_counter() - began
        yield Judged(float(found.score), found.supported, tuple(found.against), seconds)
        progress(done, len(asked))


def milliseconds(judged: Sequence[Judged]) -> dict[str, float | None]:
    """Return the mean and the 95th percentile of how long a claim took; None without claims."""
    times = sorted(each.seconds for each in judged)
    if not times:
        return {"mean_ms": None, "p95_ms": None}
    late = times[min(len(times) - 1, int(0.95 * len(times)))]
    return {"mean_ms": round(1000 * sum(times) / len(times), 2), "p95_ms": round(1000 * late, 2)}
