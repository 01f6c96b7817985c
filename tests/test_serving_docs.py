"""The console blocks of the serving guide and the README are run against a live service."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.build import build_index
from rag.config import Settings
from rag.protocols import Encoder
from rag.store import IndexDirectory
from tests.conftest import ROOT
from tests.serving import served


def sessions(page: str) -> Iterator[list[tuple[str, str]]]:
    """Yield of each console block with curl in it the commands and what they print."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        if "curl" in block:
            parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
            yield list(zip(parts[::2], parts[1::2], strict=True))


def matches(shown: str, printed: str) -> bool:
    """Tell whether what was printed is what is shown, where `…` stands for anything."""
    pattern = ".*?".join(map(re.escape, shown.strip().split("…")))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.mark.parametrize("page", ["docs/serving.md", "README.md"])
def test_the_examples_are_real(page: str, tmp_path: Path, minilm: Encoder) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    seeds = tmp_path / "seeds"
    shutil.copytree(ROOT / "seeds", seeds)
    build_index(IndexDirectory(tmp_path / "index"), [seeds], minilm, Settings())
    settings = Settings(index=tmp_path / "index", seeds=seeds, feedback=tmp_path / "feedback.jsonl")
    count = 0
    with served(settings) as address:
        here = address.removeprefix("http://").replace("127.0.0.1", "localhost")
        for session in sessions(page):
            script = "\n".join(f"{command}\necho {shlex.quote(MARK)}" for command, _ in session)
            done = subprocess.run(
                ["bash", "-c", script.replace("localhost:8000", here)], capture_output=True, text=True
            )
            for (command, shown), printed in zip(session, done.stdout.split(MARK), strict=False):
                shown = shown.replace("localhost:8000", here)
                assert matches(shown, printed), f"{command}\nshown:\n{shown}\nprinted:\n{printed}"
                count += 1
    assert count > 0


MARK = "--- next ---"
