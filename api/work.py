"""Where blocking work is done: off the event loop, in threads, within a time."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Threads: some for work that computes, as many as may ask for work that waits for others.

    Of those that compute there are more than cores, so that some wait and are served together.
    """

    def __init__(self, waiting: int) -> None:
        self._computing = ThreadPoolExecutor(4 * (os.cpu_count() or 1), "compute")
        self._waiting = ThreadPoolExecutor(waiting, "wait")
        self._building = ThreadPoolExecutor(1, "build")

    async def compute(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what keeps a core busy."""
        return await self._run(self._computing, work, *args, **kwargs)

    async def wait(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what mostly waits for someone else, such as a language model."""
        return await self._run(self._waiting, work, *args, **kwargs)

    async def build(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what changes an index; one after the other."""
        return await self._run(self._building, work, *args, **kwargs)

    def close(self) -> None:
        """Take no more work, and forget what has not begun."""
        for pool in (self._computing, self._waiting, self._building):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _run(
        self, pool: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, partial(work, *args, **kwargs))
