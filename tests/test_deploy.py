"""The files that operators start from name what there is."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.metrics import Metrics
from rag.config import PREFIX, Settings
from tests.conftest import ROOT

PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}


def _instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments, lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in joined.splitlines() if line]


INSTRUCTIONS = _instructions()
FINAL = INSTRUCTIONS[[at for at, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM"][-1] :]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def _only(name: str) -> str:
    [argument] = [argument for given, argument in FINAL if given == name]
    return argument


def _fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml", "docs/deploy.md"])
def test_every_setting_that_is_named_is_one(file: str) -> None:
    named = set(re.findall(r"\bRAG_[A-Z0-9_]+", (ROOT / file).read_text(encoding="utf-8")))
    assert named
    assert named <= SETTINGS


def test_the_image_is_not_root_and_tells_its_health() -> None:
    user, _, group = _only("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert "/healthz" in _only("HEALTHCHECK")
    assert _only("STOPSIGNAL") == "SIGTERM"
    assert _only("CMD") == '["python", "-m", "api"]'


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [shlex.split(argument) for name, argument in INSTRUCTIONS if name == "COPY"]
    sources = [path for words in copied if not words[0].startswith("--") for path in words[:-1]]
    assert {"rag", "api", "prompts", "requirements.lock"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_what_is_set_in_the_image_makes_valid_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = next(shlex.split(argument) for name, argument in FINAL if name == "ENV")
    for name, _, value in (pair.partition("=") for pair in pairs):
        if name.startswith(PREFIX):
            monkeypatch.setenv(name, value)
    settings = Settings.load()
    volumes = _only("VOLUME")
    for path in (settings.index, settings.seeds, settings.feedback.parent):
        assert f'"{path}"' in volumes


def test_every_service_of_compose_has_the_least_rights() -> None:
    ours = [each for each in COMPOSE["services"].values() if each.get("image") == "seedrag"]
    assert len(ours) == 3
    for each in ours:
        assert each["read_only"]
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]
        assert each["mem_limit"]
        grace = int(each["stop_grace_period"].removesuffix("s"))
        assert grace > Settings().drain_seconds
        assert "RAG_API_KEYS" in each["environment"]
    for each in ours[1:]:
        assert each["environment"]["RAG_READ_ONLY"] == "true"
        assert "index:/data/index:ro" in each["volumes"]
    for each in COMPOSE["services"].values():
        for port in each.get("ports", ()):
            assert port.startswith("127.0.0.1:")


def test_the_metrics_that_are_named_are_kept() -> None:
    kept = set(re.findall(r"^# TYPE (\w+) ", Metrics().text().decode(), re.MULTILINE))
    named = {
        name.removesuffix("_bucket")
        for name in re.findall(r"\bseedrag_[a-z_]+", PAGE)
        if name != "seedrag_process"  # Caddy's cookie
    }
    assert named
    assert named <= kept


def test_the_examples_in_yaml_parse() -> None:
    scrape, rules = map(yaml.safe_load, _fenced("yaml"))
    assert scrape["scrape_configs"][0]["job_name"] == "seedrag"
    assert all(rule["expr"] for rule in rules["groups"][0]["rules"])


def test_a_new_key_is_shown_as_on_the_page(tmp_path: Path) -> None:
    [example] = _fenced("console")
    done = subprocess.run(
        [sys.executable, "-m", "api", "--new-key", "read"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    shown = re.sub(r"sr_\S+", "sr_…", re.sub(r"read:\w+", "read:…", done.stdout))
    assert example == f"$ python -m api --new-key read\n{shown}"
