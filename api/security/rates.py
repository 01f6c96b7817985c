"""How often a caller may ask, and how many may ask at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.problems import ProblemError
from api.security.keys import Caller, Keys
from rag.config import Settings

WHERE_KEYS_ARE_NEEDED = "600/minute"


class Rates:
    """Counts each key's requests, or each address's where no key is shown; in this process."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        rate = settings.rate_limit or (WHERE_KEYS_ARE_NEEDED if keys.needed else "none")
        self._limit = None if rate == "none" else parse(rate)
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def check(self, caller: Caller, address: str) -> None:
        """Count a request; raises `ProblemError` with Retry-After for one too many."""
        if self._limit is None:
            return
        who = address if caller.name == "anonymous" else f"key {caller.name}"
        if not self._counter.hit(self._limit, who):
            reset = self._counter.get_window_stats(self._limit, who).reset_time
            seconds = max(1, round(reset - time.time()))
            raise ProblemError(
                "rate_limited",
                f"Try again in {seconds} s; allowed are {self._limit}.",
                {"Retry-After": str(seconds)},
            )


class Room:
    """How many requests are in work or waiting."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Hold one seat; raises `ProblemError` where all are taken."""
        if self.taken >= self._most:
            raise ProblemError(
                "busy", "Too many requests are in work; try again in a second.", {"Retry-After": "1"}
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
