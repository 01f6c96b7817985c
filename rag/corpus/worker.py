"""Reads files that may be hostile, in a process that may die of them: `python -m rag.corpus.worker`.

A line of JSON comes in for each file, a line goes out. What a reader prints goes to standard error.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.corpus.kinds import reader_of
from rag.corpus.readers import File, whole
from rag.corpus.values import Failure, Unreadable
from rag.corpus.workers import nothing

_GRACE = 1.0
_NO_ROOM = "it needs more memory to be read than read_memory_mb allows"


def read(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what a file holds, or why that cannot be told."""
    path = Path(os.fsdecode(asked["path"].encode("latin-1")))
    file = File(asked["id"], b"")
    documents: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    said: dict[str, Any] = {"documents": documents, "failures": failures}
    try:
        file = File(asked["id"], path.read_bytes())
        for item in _bounded(file, asked["kind"], asked["characters"]):
            (failures if isinstance(item, Failure) else documents).append(asdict(item))
    except Unreadable as news:
        said["unreadable"], said["lost"] = str(news), news.lost
    except RecursionError:
        said["unreadable"] = "it nests too deeply"
    except MemoryError:
        said["unreadable"] = _NO_ROOM
    except Exception as error:
        said["unreadable"] = (
            f"it is damaged ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        )
    said["notices"] = [asdict(notice) for notice in file.notices]
    return said


def _bounded(file: File, kind: str, most: int) -> Iterator[Any]:
    size = 0
    for item in reader_of(kind)(file):
        if not isinstance(item, Failure):
            size += len(item.text)
            if size > most:
                raise Unreadable(
                    f"it holds more text than max_file_mb = {most / 1e6:g} allows: {size / 1e6:.0f} "
                    "million characters"
                )
            item = whole(item)
        yield item


def _limit(memory_mb: int) -> None:
    """Bound what this process may take, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = memory_mb << 20 if hard == resource.RLIM_INFINITY else min(memory_mb << 20, hard)
    with suppress(ValueError, OSError):  # macOS takes no bound below what is mapped already
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _last(seconds: float) -> None:
    """Have the system end this process, where it can, if it has not said a word by then."""
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        signal.setitimer(signal.ITIMER_REAL, seconds)


def main() -> None:
    """Answer until standard input ends; the bounds in seconds and MB are the arguments.

    Whoever asks ends us at its bound; our own, a little later, is for when that one has died.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    seconds, memory_mb = float(sys.argv[1]), int(sys.argv[2])
    _limit(memory_mb)
    for line in sys.stdin.buffer:
        _last(seconds + _GRACE)
        said = read(json.loads(line))
        _last(0)
        try:
            answer = json.dumps(said).encode()
        except MemoryError:
            answer = json.dumps(nothing(_NO_ROOM)).encode()
        answers.write(answer + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
