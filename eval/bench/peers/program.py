"""A system's program in a process of its own, spoken to by the protocol."""

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from eval.bench.peers.environment import QUIET
from eval.bench.peers.protocol import Plan
from eval.bench.rows import ROOT


class ProgramError(Exception):
    """A program ended before it answered."""


class Program:
    """Runs from `with` to its end; what it prints to stderr goes to `log`."""

    def __init__(self, python: Path, module: str, plan: Plan, log: Path) -> None:
        self._command = [str(python), "-m", module]
        self._plan = plan
        self._log = log

    def __enter__(self) -> "Program":
        """Start it, and tell it what to load."""
        self._stderr = self._log.open("ab")
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env={**os.environ, **QUIET},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        self._say(weights=str(self._plan.weights), kind=self._plan.kind, mode=self._plan.mode)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        if kind is not None:
            self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Return its reply; raises `ProgramError` with the last line of what it printed."""
        self._say(**request)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise ProgramError(said[-1] if said else f"exit code {self._process.returncode}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _say(self, **request: Any) -> None:
        assert self._process.stdin is not None
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return
