"""The peers' own environments, in `.venv-peers` of the checkout, made when they are first needed."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from eval.bench.rows import ROOT

HOME = ROOT / ".venv-peers"
LOCKS: Mapping[str, str] = {"main": "requirements.lock", "onnx": "requirements-onnx.lock"}
QUIET: Mapping[str, str] = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
}
"""What every program is run with: nothing asks the network. Threads are left to each system."""


class EnvironmentMissingError(Exception):
    """An environment cannot be made."""


def python_of(name: str) -> Path:
    """Return the interpreter of an environment, made as its lock file says.

    A lock file names everything, so nothing is resolved. `PIP_ARGS` of the process' environment are
    handed to pip. Raises `EnvironmentMissingError`.
    """
    lock = Path(__file__).with_name(LOCKS[name])
    folder = HOME / name
    python, stamp = folder / "bin" / "python", folder / "lock.sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return python
    print(f"making {folder}; this happens once and takes some minutes", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    extra = os.environ.get("PIP_ARGS", "").split()
    venv = [sys.executable, "-m", "venv", str(folder)]
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", *extra, "-r", str(lock)]
    for command in (venv, install):
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
            raise EnvironmentMissingError(f"{folder} could not be made, see above")
    stamp.write_text(digest, encoding="ascii")
    return python


def version_of(name: str, package: str) -> str:
    """Return the version that an environment's lock file pins a package to."""
    lines = Path(__file__).with_name(LOCKS[name]).read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if "==" in line)
    return pins[package]
