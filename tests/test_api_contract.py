"""The service keeps what its OpenAPI document promises, whatever is sent: schemathesis tries."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from api.security.keys import new_key
from rag.build import build_index
from rag.config import Settings
from rag.protocols import Encoder
from rag.store import IndexDirectory
from tests.conftest import ROOT
from tests.serving import served


@pytest.mark.parametrize(
    ("guarded", "examples"),
    [
        pytest.param(False, 4, id="open"),
        pytest.param(False, 10, id="open, with more", marks=pytest.mark.slow),
        pytest.param(True, 10, id="with keys", marks=pytest.mark.slow),
    ],
)
def test_no_check_fails(tmp_path: Path, minilm: Encoder, guarded: bool, examples: int) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(ROOT / "seeds", seeds)
    build_index(IndexDirectory(tmp_path / "index"), [seeds], minilm, Settings())
    key, digest = new_key()
    settings = Settings(
        index=tmp_path / "index",
        seeds=seeds,
        feedback=tmp_path / "feedback.jsonl",
        api_keys=(f"admin:{digest}",) if guarded else (),
        rate_limit="none",
    )
    headers = {"Authorization": f"Bearer {key}"} if guarded else {}
    with served(settings) as address:
        description = tmp_path / "openapi.json"
        description.write_bytes(httpx.get(f"{address}/openapi.json", headers=headers).content)
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(description), "--url", address]
        command += ["--checks", "all", "--max-examples", str(examples), "--generation-deterministic"]
        command += [part for pair in headers.items() for part in ("-H", ": ".join(pair))]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-6000:]
        assert "17 selected" in done.stdout
        assert httpx.get(f"{address}/readyz").json()["ready"]
