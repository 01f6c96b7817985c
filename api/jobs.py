"""Builds that run apart from the request that began them, one after the other."""

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from api.collections import Collection
from api.logs import kind_and_place, log
from api.problems import problem_of
from api.work import Workers
from rag.build import BuildReport, build_index, plan_sources
from rag.wire import build_json

_KEPT = 100
"""Jobs that are remembered; no more can wait than there are collections, twice."""


@dataclass
class Job:
    """One build and how far it is."""

    id: str
    collection: str
    fresh: bool
    state: str = "waiting"
    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    error: str | None = None

    def progress(self, done: int, total: int) -> None:
        """Note how many documents are done."""
        self.done, self.total = done, total


class Jobs:
    """Begins builds and remembers what became of them."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()

    def find(self, job: str) -> Job | None:
        """Return a job by its id."""
        return self._known.get(job)

    def begin(self, collection: Collection, fresh: bool) -> Job:
        """Begin a build, or return the one like it that waits; return at once."""
        for job in self._known.values():
            if (job.state, job.collection, job.fresh) == ("waiting", collection.name, fresh):
                return job
        job = Job(secrets.token_hex(8), collection.name, fresh)
        ended = [each.id for each in self._known.values() if each.state in ("done", "failed")]
        for old in ended[: max(0, len(self._known) + 1 - _KEPT)]:
            del self._known[old]
        self._known[job.id] = job
        task = asyncio.create_task(self._run(job, collection, fresh))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return job

    async def _run(self, job: Job, collection: Collection, fresh: bool) -> None:
        try:
            job.result = build_json(await self._workers.build(_build, job, collection, fresh))
            job.state = "done"
        except Exception as error:
            problem = problem_of(error)
            log.warning("build failed", extra={"job": job.id, **kind_and_place(error)})
            job.error, job.state = problem.detail, "failed"


def _build(job: Job, collection: Collection, fresh: bool) -> BuildReport:
    job.state = "running"
    return build(collection, fresh, job)


def build(collection: Collection, fresh: bool = False, job: Job | None = None) -> BuildReport:
    """Bring a collection's index up to date with its seeds and turn to it (blocking)."""
    directory, settings = collection.directory, collection.settings
    sources = plan_sources(directory, [], settings.seeds, add=False, replace=False)
    progress = job.progress if job else lambda done, total: None
    report = build_index(directory, sources, collection.encoder, settings, progress, fresh)
    collection.refresh()
    return report
