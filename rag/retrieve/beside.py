"""Does a part of a search on another core, where one has nothing to do."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Semaphore
from typing import TypeVar

T = TypeVar("T")


class _Cores:
    """A process' cores, as far as searches take them, and threads for their parts."""

    def __init__(self, count: int) -> None:
        self.free = Semaphore(count)
        self._threads = ThreadPoolExecutor(count, "beside")

    def handed_over(self, part: Callable[[], T]) -> Callable[[], T]:
        """Begin a part and return what waits for it, or the part where no thread can be had."""
        try:
            return self._threads.submit(part).result
        except RuntimeError:  # the interpreter is shutting down, or the system has no more threads
            return part


@contextmanager
def beside(part: Callable[[], T], threads: int = 0) -> Iterator[Callable[[], T]]:
    """Begin a part of a search if there are cores for it and the rest; yield what waits for its result.

    Else it is done when that is called: where all cores have searches to do, handing over only costs.
    `threads` is how many all searches may use together; 0 is one for each core.
    """
    cores = _cores(os.getpid(), threads or os.cpu_count() or 1)
    taken = sum(cores.free.acquire(blocking=False) for _ in range(2))
    try:
        yield cores.handed_over(part) if taken == 2 else part
    finally:
        if taken:
            cores.free.release(taken)


@cache
def _cores(process: int, count: int) -> _Cores:
    """Return those of a process; one that was forked off has none of its parent's threads."""
    return _Cores(count)
