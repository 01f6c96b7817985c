"""How whoever asked ends the work on an answer that nobody waits for any more."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.errors import StoppedError


class Stop:
    """A flag that is set once, from any thread; what blocks meanwhile can be woken by it."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether the work shall end."""
        return self._set.is_set()

    def set(self) -> None:
        """End the work, and wake whatever it waits in."""
        with self._lock:
            self._set.set()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def check(self) -> None:
        """Raise `StoppedError` if the work shall end."""
        if self.is_set:
            raise StoppedError("The answer was stopped, as nobody waited for it any more.")

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake` as soon as the flag is set, while the block runs; at once if it is set."""
        with self._lock:
            late = self.is_set
            if not late:
                self._wakers.append(wake)
        if late:
            wake()
        try:
            yield
        finally:
            with self._lock:
                if wake in self._wakers:
                    self._wakers.remove(wake)
