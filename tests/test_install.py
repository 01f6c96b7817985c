"""The wheel, installed alone elsewhere, and the process that a user starts."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT


def _python(*arguments: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_command_prints_one_json_value_and_nothing_else(seed_index: Path, tmp_path: Path) -> None:
    said = _python("-m", "rag", "ask", "Who freed whom?", "--index", seed_index, "--json", cwd=tmp_path)
    assert json.loads(said)["question"] == "Who freed whom?"


def test_an_error_is_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rag", "ask", "why?"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("rag: There is no index")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_the_wheel_works_alone_in_an_empty_folder(tmp_path: Path) -> None:
    _python("-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path / "dist", ROOT, cwd=tmp_path)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    lock = ROOT / "requirements.lock"
    own = home / "bin" / "python"
    subprocess.run([own, "-m", "pip", "install", "--quiet", wheel, "-c", lock], check=True)
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "bees.txt").write_text("A honey bee colony has one queen. Drones have no sting.")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RAG_", "PYTHON"))}
    environment["RAG_CACHE_DIR"] = str(tmp_path / "cache")
    for arguments in (["build", "."], ["ask", "How many queens has a bee colony?"]):
        done = subprocess.run(
            [home / "bin" / "rag", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    assert "one queen" in done.stdout
    assert "bees.txt:0-" in done.stdout
