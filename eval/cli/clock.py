"""When a run began, how long it took, and at which commit: what reports keep apart."""

import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Stop = Callable[[Mapping[str, Any]], dict[str, Any]]


def clock() -> Stop:
    """Start; what is returned adds commit, start and seconds to a run's timings."""
    began, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")

    def stop(timings: Mapping[str, Any]) -> dict[str, Any]:
        seconds = round(time.perf_counter() - began, 2)
        return {"commit": _commit(), "started": started, "seconds": seconds, **timings}

    return stop


def _commit() -> str | None:
    """Return the checkout's commit, or None outside of one."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
