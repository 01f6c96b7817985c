import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.config import PREFIX, ServiceSettings, Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_library_example_runs() -> None:
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("coffee.md 0 46 Coffee beans are roasted")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("README.md", Settings.model_fields.keys() - ServiceSettings.model_fields.keys()),
        ("docs/serving.md", ServiceSettings.model_fields.keys()),
    ],
)
def test_every_setting_has_its_row_with_its_default(page: str, names: set[str]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| (.*?) \|", text, re.MULTILINE))
    fields = {name: Settings.model_fields[name].default for name in names}
    assert rows == {
        name.upper(): "–" if default in (None, (), {}) else f"`{default}`"
        for name, default in fields.items()
    }


def test_every_command_is_shown() -> None:
    from rag.cli import app

    for command in app.registered_commands:
        assert command.callback is not None
        assert f"$ rag {command.callback.__name__}" in README


def test_every_eval_command_is_shown() -> None:
    from eval.cli.main import app

    assert app.registered_commands
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"$ python -m eval {command.callback.__name__}" in README


def test_the_scores_shown_are_those_of_the_blessed_baseline() -> None:
    baseline = json.loads((ROOT / "eval/gold/seeds.baseline.json").read_text(encoding="utf-8"))
    shown = re.findall(
        r"^\| [^|]+ \| \*\*(.*?)\*\* \| (.*?) to (.*?) \| (\d+) \|", README, re.MULTILINE
    )
    metrics = (
        "correct success@1 ndcg@3 all_evidence@context citation_recall abstained_unanswerable "
        "false_abstention auroc exact_match f1"
    ).split()
    expected = [
        (*(_short(found[key]) for key in ("value", "low", "high")), str(found["n"]))
        for found in (baseline["metrics"][name] for name in metrics)
    ]
    assert shown == expected
    stages = ("not retrieved", "answered wrong", "wrongly abstained", "wrongly answered")
    lost, other, withheld, answered = (baseline["stages"][stage] for stage in stages)
    wrong = f"{lost} were not retrieved, {other} answered wrong, {withheld} wrongly withheld"
    assert f"{wrong}, and {answered} answered although" in README


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target, anchor in re.findall(
            r"\]\(([^)#:]*)(?:#([^):]+))?\)", page.read_text(encoding="utf-8")
        ):
            to = page.parent / target if target else page
            assert to.exists(), (page, target)
            if anchor:
                assert anchor in _anchors(to), (page, target, anchor)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
