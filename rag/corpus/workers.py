"""Processes that read files, in parallel and each within bounds; one that dies is replaced."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

_COMMAND = (sys.executable, "-P", "-m", "rag.corpus.worker")
"""`-P`: a folder of seeds may be where we run, and hold a module of a known name."""
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take."""

    seconds: float = 60
    memory_mb: int = 1024
    processes: int = 0
    """Files that are read at the same time; 0: one for each core."""


USUAL = Limits()

Asked = dict[str, Any]
"""A file to be read, as JSON: `asked_of` makes it."""
Said = dict[str, Any]
"""What it holds, as JSON: documents, failures, notices, and why it holds no more."""


def asked_of(path: Path, name: str, kind: str, max_file_mb: float) -> Asked:
    """Return what asks for a file."""
    return {
        "path": os.fsencode(path).decode("latin-1"),
        "id": name,
        "kind": kind,
        "characters": int(max_file_mb * 1e6),
    }


def nothing(why: str) -> Said:
    """Return what is said of a file that cannot be read."""
    return {"documents": [], "failures": [], "notices": [], "unreadable": why}


class Readers(Protocol):
    """Reads files, several at the same time."""

    @property
    def count(self) -> int:
        """How many at the same time."""

    def read(self, asked: Asked) -> Callable[[], Said]:
        """Begin to read a file; what is returned waits for what it holds."""


class Workers:
    """Reads files in processes of its own, which begin when there is something to read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.count = limits.processes or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self.count, "read")
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            _end(self._idle.get())

    def read(self, asked: Asked) -> Callable[[], Said]:
        """Begin to read a file; what is returned waits for what it holds."""
        return self._threads.submit(self._read, asked).result

    def _read(self, asked: Asked) -> Said:
        process = self._ready()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._limits.seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if late.is_set() or not line.endswith(b"\n"):
            _end(process)
            if late.is_set():
                seconds = self._limits.seconds
                return nothing(f"reading it took more than read_seconds = {seconds:g} allows")
            return nothing(f"what read it died of it ({_cause(process.returncode)})")
        said: Said = json.loads(line)
        self._idle.put(process)
        return said

    def _ready(self) -> "subprocess.Popen[bytes]":
        """Return a process that waits, or a new one."""
        while True:
            try:
                process = self._idle.get_nowait()
            except queue.Empty:
                return self._begun()
            if process.poll() is None:
                return process
            _end(process)

    def _begun(self) -> "subprocess.Popen[bytes]":
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        return subprocess.Popen(
            [*_COMMAND, str(self._limits.seconds), str(self._limits.memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cause(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit {code}"
