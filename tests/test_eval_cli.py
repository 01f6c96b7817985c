"""The command as people call it: what it prints, writes, and exits with."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.errors import Exit
from eval.gold import read_gold, write_lines
from rag.config import Settings, cache_dir
from rag.embed import open_encoder
from tests.conftest import ROOT

GOLD = ROOT / "eval" / "gold" / "seeds.jsonl"
EDITED = "prisoner-releases.md"


def call(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    return subprocess.run(
        [sys.executable, "-m", "eval", *map(str, words)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "RAG_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


def with_encoders(folder: Path) -> Path:
    """Make a folder to work in, with a cache of its own that knows the compiled encoders."""
    open_encoder(Settings())
    (folder / "cache").mkdir()
    (folder / "cache" / "encoders").symlink_to(cache_dir(Settings()) / "encoders")
    return folder


def part_of_the_gold() -> list[dict[str, Any]]:
    """What rests on the seed that is edited, and every fifth of all questions."""
    items = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]
    on_it = [any(row["doc"] == EDITED for row in item.get("evidence", ())) for item in items]
    return [item for n, item in enumerate(items) if on_it[n] or n % 5 == 0]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped seeds and a part of their gold, run and blessed."""
    folder = with_encoders(tmp_path_factory.mktemp("bench"))
    shutil.copytree(ROOT / "seeds", folder / "seeds")
    write_lines(folder / "gold.jsonl", part_of_the_gold())
    done = call(
        folder,
        "run",
        "--gold",
        "gold.jsonl",
        "--seeds",
        "seeds",
        "--out",
        "out",
        "--verify-determinism",
    )
    assert done.returncode == 0, done.stderr
    (report,) = (folder / "out").iterdir()
    blessed = call(folder, "bless", report, "--gold", "gold.jsonl")
    assert blessed.returncode == 0, blessed.stderr
    assert (folder / "gold.baseline.json").read_bytes() == (report / "report.json").read_bytes()
    return folder


@pytest.fixture(scope="module")
def edited(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, after one number was changed in one seed."""
    folder = tmp_path_factory.mktemp("edited")
    shutil.copytree(bench, folder, dirs_exist_ok=True, symlinks=True)
    seed = folder / "seeds" / EDITED
    text = seed.read_text(encoding="utf-8")
    assert "thirty-seven" in text
    seed.write_text(text.replace("thirty-seven", "forty-one"), encoding="utf-8")
    return folder


def of_number(gold: Path) -> set[str]:
    """The items whose evidence states the number."""
    return {
        item.id
        for item in read_gold(gold).items
        for row in item.evidence
        if row.doc == EDITED and row.quote and "thirty-seven" in row.quote
    }


def json_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_a_run_prints_a_table_and_writes_every_report(bench: Path) -> None:
    done = call(bench, "run", "--gold", "gold.jsonl", "--seeds", "seeds", "--out", "again")
    assert done.returncode == 0
    for said in ("Success@1", "nDCG@3", "95 %", "random passage"):
        assert said in done.stdout
    (folder,) = (bench / "again").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert names == {"report.json", "report.md", "junit.xml", "index.html", "timings.json"}
    assert (folder / "report.json").read_bytes() == (bench / "gold.baseline.json").read_bytes()
    assert json.loads((folder / "timings.json").read_text(encoding="utf-8"))["answered"] == 0


def test_against_its_own_baseline_a_run_passes(bench: Path) -> None:
    done = call(
        bench, "run", "--gold", "gold.jsonl", "--seeds", "seeds", "--out", "same",
        "--baseline", "gold.baseline.json", "--strict", "--json",
    )  # fmt: skip
    assert done.returncode == Exit.PASS, done.stderr
    comparison = json_of(done)["comparison"]
    assert comparison["verdict"] == "PASS"
    assert comparison["changed"] == comparison["flips"] == []


def test_check_is_content_with_unchanged_seeds(bench: Path) -> None:
    done = call(bench, "check", "--gold", "gold.jsonl", "--seeds", "seeds")
    assert done.returncode == 0
    assert "nothing to look at" in done.stdout


def test_after_a_number_changed_check_names_what_rests_on_it_and_mends_it(edited: Path) -> None:
    done = call(edited, "check", "--gold", "gold.jsonl", "--seeds", "seeds", "--json")
    assert done.returncode == Exit.STALE
    found = json_of(done)
    assert {item["id"] for item in found["items"]} == of_number(edited / "gold.jsonl")
    assert "forty-one" in found["patch"]
    mended = edited / "mended"
    shutil.copytree(edited / "seeds", mended / "seeds")
    shutil.copy(edited / "gold.jsonl", mended)
    (mended / "cache").symlink_to(edited / "cache")
    people = call(mended, "check", "--gold", "gold.jsonl", "--seeds", "seeds", "--patch", "gold.patch")
    assert people.returncode == Exit.STALE
    assert all(name in people.stdout for name in of_number(edited / "gold.jsonl"))
    subprocess.run(["git", "apply", "gold.patch"], cwd=mended, check=True)
    assert call(mended, "check", "--gold", "gold.jsonl", "--seeds", "seeds").returncode == 0


def test_after_a_number_changed_each_flip_is_laid_to_that_document(edited: Path) -> None:
    done = call(
        edited, "run", "--gold", "gold.jsonl", "--seeds", "seeds", "--out", "new",
        "--baseline", "gold.baseline.json", "--json",
    )  # fmt: skip
    comparison = json_of(done)["comparison"]
    lost = [flip for flip in comparison["flips"] if flip["direction"] == "lost"]
    rest_on_it = of_number(edited / "gold.jsonl")
    assert lost
    assert {flip["id"] for flip in lost} <= rest_on_it
    for flip in comparison["flips"]:
        assert [cause["said"] for cause in flip["causes"]] == [f"{EDITED} was edited"]
        assert flip["edited"] is True
    right = next(gate for gate in comparison["gates"] if gate["metric"] == "correct")
    assert right["edited"]["lost"] == len(lost)
    assert right["untouched"]["lost"] == 0
    assert right["untouched"]["n"] + right["edited"]["n"] == right["n"]
    expected = {"FAIL": Exit.REGRESSION, "PASS": Exit.STALE, "INCONCLUSIVE": Exit.STALE}
    assert done.returncode == expected[comparison["verdict"]]
    assert "rest on text that is no longer there" in done.stderr


def test_compare_reads_two_reports(bench: Path, edited: Path) -> None:
    done = call(edited, "compare", bench / "gold.baseline.json", "gold.baseline.json")
    assert done.returncode == 0
    assert "PASS" in done.stdout
    other = json.loads((bench / "gold.baseline.json").read_text(encoding="utf-8"))
    other["scoring"] += 1
    (edited / "other.json").write_text(json.dumps(other), encoding="utf-8")
    done = call(edited, "compare", "gold.baseline.json", "other.json")
    assert done.returncode == Exit.NOT_COMPARABLE
    assert done.stdout == ""
    assert done.stderr.startswith("eval: The runs were scored by rules")


def planted(report: dict[str, Any], losses: int) -> dict[str, Any]:
    """A report in which so many items that were right came out wrong, through another prompt."""
    changed: dict[str, Any] = json.loads(json.dumps(report))
    changed["system"]["prompt"] = "another"
    right = [item for item in changed["items"] if item["scores"]["correct"] == 1]
    for item in right[:losses]:
        item["scores"]["correct"] = 0.0
        item["stage"] = "answered wrong"
    return changed


@pytest.mark.parametrize(
    ("losses", "strict", "verdict", "code"),
    [
        (12, False, "FAIL", Exit.REGRESSION),
        (2, False, "INCONCLUSIVE", Exit.PASS),
        (2, True, "INCONCLUSIVE", Exit.INCONCLUSIVE),
    ],
)
def test_planted_losses_of_a_hundred(
    tmp_path: Path, losses: int, strict: bool, verdict: str, code: Exit
) -> None:
    base = json.loads(GOLD.with_name("seeds.baseline.json").read_text(encoding="utf-8"))
    base["items"] = base["items"][:100]
    for name, report in (("base", base), ("new", planted(base, losses))):
        (tmp_path / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
    flags = ["--strict"] if strict else []
    done = call(tmp_path, "compare", "base.json", "new.json", "--json", *flags)
    comparison = json_of(done)
    assert comparison["verdict"] == verdict
    assert len(comparison["flips"]) == losses
    assert {cause["kind"] for flip in comparison["flips"] for cause in flip["causes"]} == {"prompt"}
    assert done.returncode == code


def refused(done: subprocess.CompletedProcess[str], code: int, said: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = with_encoders(tmp_path_factory.mktemp("small"))
    (folder / "seeds").mkdir()
    (folder / "seeds" / "tea.md").write_text("Green tea is steamed. It is hot.", encoding="utf-8")
    write_lines(folder / "gold.jsonl", [GOOD])
    write_lines(folder / "empty.jsonl", [])
    return folder


GOOD = {
    "id": "tea",
    "question": "How is green tea treated?",
    "answerable": True,
    "answers": [{"text": "steamed"}],
    "evidence": [{"group": "g1", "doc": "tea.md", "quote": "Green tea is steamed."}],
    "tags": ["fact"],
}


def test_a_run_of_no_items_proves_nothing(small: Path) -> None:
    words = ("run", "--seeds", "seeds", "--out", "out")
    refused(call(small, *words, "--gold", "empty.jsonl"), Exit.NOTHING_SCORED, "holds no item")
    done = call(small, *words, "--gold", "gold.jsonl", "--tags", "date")
    refused(done, Exit.NOTHING_SCORED, "bears date; there are fact")
    assert not (small / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["run", "--gold", "no.jsonl"], 1, "no.jsonl cannot be read"),
        (["run", "--gold", "broken.jsonl"], 1, "broken.jsonl line 2 is no JSON"),
        (["run", "--gold", "gold.jsonl", "--baseline", "no.json"], 1, "no.json"),
        (["run", "--gold", "gold.jsonl", "--seeds", "seeds", "--judge", "gpt"], 1, "no judge 'gpt'"),
        (["run", "--gold", "gold.jsonl", "--seeds", "seeds", "--backend", "gpt"], 1, "gpt"),
        (["run", "--gold", "gold.jsonl", "--index", "nowhere"], 1, "nowhere"),
        (["compare", "gold.jsonl", "gold.jsonl"], 1, "gold.jsonl"),
        (["check", "--gold", "broken.jsonl"], 1, "line 2"),
        (["bless", "gold.jsonl", "--gold", "gold.jsonl"], 1, "gold.jsonl"),
        (["calibrate", "--gold", "gold.jsonl", "--seeds", "seeds"], 1, "unanswerable"),
        (["harvest", "broken.jsonl", "--gold", "gold.jsonl", "--seeds", "seeds"], 1, "line 1"),
        (["convert", "xml", "gold.jsonl", "--out", "x"], 1, "squad"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    small: Path, words: Sequence[str], code: int, said: str
) -> None:
    (small / "broken.jsonl").write_text(json.dumps(GOOD) + "\n{broken\n", encoding="utf-8")
    refused(call(small, *words), code, said)


def test_wrong_usage_exits_2(small: Path) -> None:
    assert call(small, "run", "--limit", "0").returncode == Exit.USAGE
    assert call(small, "frobnicate").returncode == Exit.USAGE
    assert call(small, "run", "--help").returncode == 0


def test_a_part_or_another_gold_is_not_blessed(bench: Path, small: Path) -> None:
    done = call(
        bench, "run", "--gold", "gold.jsonl", "--seeds", "seeds", "--out", "part", "--limit", "5"
    )
    assert done.returncode == 0
    (part,) = (bench / "part").iterdir()
    refused(call(bench, "bless", part, "--gold", "gold.jsonl"), 1, "only a part of the gold")
    refused(call(bench, "bless", part, "--gold", small / "gold.jsonl"), 1, "was not measured on")


def test_the_shipped_baseline_is_of_the_shipped_gold() -> None:
    baseline = json.loads(GOLD.with_name("seeds.baseline.json").read_text(encoding="utf-8"))
    gold = read_gold(GOLD)
    assert baseline["gold"]["digest"] == gold.digest
    assert baseline["gold"]["items"] == len(gold.items)
