"""Cuts a connection in time, whatever drips in over it meanwhile."""

import socket
import threading
import time
from contextlib import suppress
from typing import Self

TOTAL = "reply_seconds"
FIRST = "first_token_seconds"
SILENCE = "silence_seconds"


class CutError(Exception):
    """The connection was cut, by its time or by `Watch.close`."""


class Watch:
    """Cuts the connection it holds once the time that is allowed is over, or when it is closed.

    A socket's own timeout begins anew with each byte, so a server that drips would never meet it.
    While it is entered, a thread keeps the time.
    """

    def __init__(self, seconds: float) -> None:
        self.closed = False
        self.late = False
        self.setting = TOTAL
        """Whose time is running, or ran out."""
        self.seconds = seconds
        """How much was allowed by it."""
        self._total = seconds
        self._end = self._deadline = float("inf")
        self._wakes_at = float("inf")
        """When the thread looks next; a deadline that moves on need not wake it."""
        self._over = False
        self._socket: socket.socket | None = None
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self._over = False
        self._end = self._deadline = self._wakes_at = time.monotonic() + self._total
        threading.Thread(target=self._keep_time, name="rag-watch", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._let_go()
            self._changed.notify_all()

    @property
    def left(self) -> float:
        """Seconds that are left of the whole time."""
        return self._end - time.monotonic()

    def allow(self, seconds: float = float("inf"), setting: str = TOTAL) -> None:
        """Let so many seconds pass from now, by this setting, within the whole time."""
        with self._changed:
            deadline = time.monotonic() + seconds
            total = deadline >= self._end
            self.setting, self.seconds = (TOTAL, self._total) if total else (setting, seconds)
            self._deadline = min(deadline, self._end)
            if self._deadline < self._wakes_at:
                self._changed.notify_all()

    def hold(self, held: socket.socket) -> None:
        """Take a connection under watch.

        Its descriptor is doubled: TLS takes the socket over, and a closed one's number is reused.
        """
        with self._changed:
            self._let_go()
            self._socket = held.dup()
            if self.closed or self.late:
                self._cut()

    def close(self) -> None:
        """Cut the connection and end all waiting; from any thread."""
        with self._changed:
            self.closed = True
            self._cut()
            self._changed.notify_all()

    def check(self) -> None:
        """Raise `CutError` if the time is over or it was closed."""
        if self.closed or self.late:
            raise CutError

    def wait(self, seconds: float) -> None:
        """Wait between two requests; raises `CutError` as soon as it is closed."""
        self.allow()
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self.late, seconds)
        self.check()

    def _keep_time(self) -> None:
        with self._changed:
            while not self._over and not self.late:
                left = self._deadline - time.monotonic()
                if left <= 0:
                    self.late = True
                    self._cut()
                    self._changed.notify_all()
                else:
                    self._wakes_at = self._deadline
                    self._changed.wait(left)

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
