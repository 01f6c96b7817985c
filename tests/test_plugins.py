"""The worked example of docs/plugins.md, installed as its reader would."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.backends.conformance.checks import CHECKS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
PROGRAM = """
import sys, time
prompt = sys.stdin.read()
if "JSON" in prompt:
    print('{"ready":true}')
elif "Count" in prompt:
    for n in range(500):
        print("number", n, flush=True)
        time.sleep(0.005)
else:
    print("Maxim Ryzhenkov is the foreign minister of Belarus. [1]")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package installed, and the program that it runs."""
    folder = tmp_path_factory.mktemp("plugin")
    package, target = folder / "rag-command", folder / "site"
    package.mkdir()
    for name, text in re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL):
        (package / name).write_text(text, encoding="utf-8")
    assert sorted(path.name for path in package.iterdir()) == ["pyproject.toml", "rag_command.py"]
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    options = ("--no-build-isolation", "--disable-pip-version-check", "--target", str(target))
    subprocess.run([*pip, *options, str(package)], check=True, capture_output=True)
    (folder / "model.py").write_text(PROGRAM, encoding="utf-8")
    return target


def _python(site: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(site), str(ROOT)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=site.parent,
        env=os.environ | {"PYTHONPATH": path, "RAG_THRESHOLD": "0"},
        capture_output=True,
        text=True,
    )


def test_the_example_answers(site: Path, seed_index: Path) -> None:
    spec = f"command:{sys.executable} model.py"
    question = "Who is the foreign minister of Belarus?"
    done = _python(
        site, "-m", "rag", "ask", question, "--backend", spec, "--index", str(seed_index), "--json"
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["backend"] == spec
    assert [each["verdict"] for each in answer["sentences"]] == ["verified"]


def test_the_example_conforms_and_one_that_fails_is_told(site: Path) -> None:
    done = _python(site, "-m", "rag.backends.conformance", f"command:{sys.executable} model.py")
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(re.findall(r"^(?:ok|cannot tell) +(too long|\w+) *(.*)$", done.stdout, re.MULTILINE))
    assert set(told) == set(CHECKS)
    done = _python(site, "-m", "rag.backends.conformance", "command:false")
    assert done.returncode == 1
    assert "failed       bits" in done.stdout
    assert "command:false failed with exit code 1" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_package_that_fails_is_named(site: Path) -> None:
    done = _python(site, "-m", "rag.backends.conformance", "command:'unbalanced")
    assert done.returncode == 1
    assert done.stderr.startswith("conformance: The package behind command: (rag_command:CommandChat)")
    assert len(done.stderr.splitlines()) == 1


def test_the_example_without_a_program_or_with_one_that_reads_nothing_is_a_sentence(site: Path) -> None:
    done = _python(site, "-m", "rag.backends.conformance", "command:")
    assert done.stderr == "conformance: command: takes a program, as in command:./my-model.\n"
    deaf = "from rag_command import CommandChat; from rag.types import Message\n"
    deaf += "try: list(CommandChat('false', None).stream([Message('user', 'x' * 10**6)]))\n"
    deaf += "except Exception as error: print(error)"
    assert _python(site, "-c", deaf).stdout == "command:false failed with exit code 1.\n"


def test_help_is_no_spec(site: Path) -> None:
    done = _python(site, "-m", "rag.backends.conformance", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_every_check_is_explained() -> None:
    rows = re.findall(r"^\| ([\w ]+) \| .+ \|$", PAGE, re.MULTILINE)
    assert rows == ["check", *CHECKS]
