import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rag.cli import app
from rag.errors import RagError
from tests.conftest import ROOT, shared

QUESTION = "Who is the foreign minister of Belarus?"


@pytest.fixture
def index(seed_index: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seed_index, tmp_path / "index"))


def _run(*arguments: object, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit | RagError):
        raise result.exception
    assert (1 if isinstance(result.exception, RagError) else result.exit_code) == code, result.output
    return result


def _json(*arguments: object) -> dict:  # type: ignore[type-arg]
    value = json.loads(_run(*arguments, "--json").stdout)
    assert isinstance(value, dict)
    return value


def test_build_reports_the_contracts_keys(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.md").write_text("# Tea\n\nTea is hot.\n")
    (tmp_path / "seeds" / "b.bin").write_bytes(bytes(range(256)))
    value = _json("build", tmp_path / "seeds", "--index", tmp_path / "index")
    assert value["generation"] == "gen-000001"
    assert (value["chunks"], value["embedded"], value["reused"]) == (1, 1, 0)
    failed = value["documents"].pop("failed")
    assert value["documents"] == {"added": 1, "changed": 0, "removed": 0, "unchanged": 0}
    assert failed[0]["doc"] == "b.bin"
    assert ".bin" in failed[0]["reason"]


def test_search_and_ask_keep_the_contract(index: Path) -> None:
    found = _json("search", QUESTION, "--index", index, "--top-k", "2")
    assert found.keys() == {"question", "hits"}
    assert len(found["hits"]) == 2
    assert {"doc", "start", "end", "text", "score", "signals"} <= found["hits"][0].keys()
    answer = _json("ask", QUESTION, "--index", index)
    assert list(answer) == [
        "question", "answer", "abstained", "confidence", "short", "sentences", "citations",
        "passages", "backend", "model", "prompt", "index", "usage", "warnings", "calibration",
        "timings_ms",
    ]  # fmt: skip
    assert answer["answer"] == "Maxim Ryzhenkov is the foreign minister of Belarus. [1]"
    [citation] = answer["citations"]
    assert list(citation) == ["n", "doc", "title", "start", "end", "quote", "locator", "verdict"]
    assert answer["index"].keys() == {"generation", "digest"}
    assert answer["timings_ms"].keys() == {"retrieve", "generate", "total"}


def test_people_read_quote_and_place(index: Path) -> None:
    said = _run("ask", QUESTION, "--index", index).stdout
    assert "war-expectations.md:" in said
    assert "verified" in said
    assert "dense=" in _run("search", QUESTION, "--index", index, "--explain").stdout


def test_a_batch_keeps_order_and_ids(index: Path, tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    lines = [
        {"id": "b", "question": QUESTION},
        {"id": 1, "question": "And his view?", "history": [{"role": "user", "content": QUESTION}]},
        {"id": None, "question": "Who died?", "filter": {"doc": "who-*"}},
    ]
    batch.write_text("\n".join(map(json.dumps, lines)))
    out = _run("ask", "--batch", batch, "--index", index).stdout.splitlines()
    assert [json.loads(line)["id"] for line in out] == ["b", 1, None]
    hits = _run("search", "--batch", "-", "--index", index, stdin=batch.read_text()).stdout
    last = json.loads(hits.splitlines()[2])
    assert {hit["doc"] for hit in last["hits"]} == {"who-was-freed.md"}


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"id": 1}', '{"question": ""}', '{"question": "q", "filter": 3}',
             '{"question": "q", "history": [{"role": "king", "content": "x"}]}']
)  # fmt: skip
def test_a_broken_batch_line_is_named(index: Path, tmp_path: Path, line: str) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text(json.dumps({"question": "fine?"}) + "\n" + line)
    result = _run("ask", "--batch", batch, "--index", index, code=1)
    assert "Line 2 of" in str(result.exception)
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ask", "why?"], 1, "There is no index"),
        (["search", " "], 1, "empty"),
        (["build", "nowhere"], 1, "no seeds at"),
        (["ask"], 2, ""),
        (["ask", "q", "--batch", "f"], 2, ""),
        (["build", "--add", "--replace"], 2, ""),
        (["search", "q", "--top-k", "0"], 2, ""),
        (["brew"], 2, ""),
    ],
)
def test_wrong_use_has_its_code_and_a_sentence(arguments: list[str], code: int, said: str) -> None:
    result = _run(*arguments, code=code)
    assert said in str(result.exception)
    assert "Traceback" not in result.output


def test_unknown_backend_and_filter_are_sentences(index: Path) -> None:
    backend = _run("ask", QUESTION, "--index", index, "--backend", "oracle:x", code=1)
    assert "No backend 'oracle:x'" in str(backend.exception)
    where = _run("search", QUESTION, "--index", index, "--filter", "size=3", code=1)
    assert "Unknown filter" in str(where.exception)


def test_status_verify_and_rollback(index: Path, tmp_path: Path) -> None:
    status = _json("status", "--index", index)
    assert (status["generation"], status["documents"]) == ("gen-000001", 10)
    assert _json("verify", "--index", index)["ok"]
    _run("rollback", "--index", index, code=1)
    _run("rollback", "gen-000007", "--index", index, code=1)


def test_doctor_names_stale_seeds_and_a_foreign_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = Path(shutil.copytree(ROOT / "seeds", tmp_path / "seeds"))
    _run("build", seeds, "--index", tmp_path / "index")
    assert all(check["ok"] for check in _json("doctor", "--index", tmp_path / "index")["checks"])
    with monkeypatch.context() as other:
        other.setenv("RAG_OVERLAP_TOKENS", "3")
        said = _run("doctor", "--index", tmp_path / "index", code=1).stdout
    assert "built with other settings" in said
    (seeds / "economy.md").write_text("# Economy\n\nIt grew.\n")
    stale = json.loads(_run("doctor", "--index", tmp_path / "index", "--json", code=1).stdout)
    assert [c["name"] for c in stale["checks"] if not c["ok"]] == ["seeds"]
    monkeypatch.setenv("RAG_ENCODER", "st:minilm")
    foreign = json.loads(_run("doctor", "--index", tmp_path / "index", "--json", code=1).stdout)
    assert "index" in [c["name"] for c in foreign["checks"] if not c["ok"]]


def test_doctor_names_an_unwritable_cache(
    seed_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RAG_CACHE_DIR", str(tmp_path / "file" / "cache"))
    value = json.loads(_run("doctor", "--index", seed_index, "--json", code=1).stdout)
    assert {"cache", "encoder"} <= {c["name"] for c in value["checks"] if not c["ok"]}


@pytest.mark.shared
def test_a_folder_of_many_formats_is_indexed_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    """The three longest texts are left out: they would be half of what is embedded."""
    longest = shutil.ignore_patterns("manual.html", "test_wikipedia.html", "CHANGELOG.md")
    messy = Path(shutil.copytree(shared("messy"), tmp_path / "messy", ignore=longest))
    value = _json("build", messy, "--index", tmp_path / "index")
    files = {path.relative_to(messy).as_posix() for path in messy.rglob("*") if path.is_file()}
    failed = {failure["doc"]: failure["reason"] for failure in value["documents"]["failed"]}
    assert value["documents"]["added"] + len(failed) == len(files)
    assert all(failed.values())
    assert len(failed) == 5
    assert {Path(name).suffix for name in failed} == {".pdf", ".md", ".bin"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.md").write_text("One.")
    locked = tmp_path / "seeds" / "b.md"
    locked.write_text("Two.")
    locked.chmod(stat.S_IWUSR)
    value = _json("build", tmp_path / "seeds", "--index", tmp_path / "index")
    assert [failure["doc"] for failure in value["documents"]["failed"]] == ["b.md"]


def test_watching_builds_whenever_something_changes(tmp_path: Path) -> None:
    seeds, index = tmp_path / "seeds", tmp_path / "seeds" / "index"
    seeds.mkdir()
    (seeds / "tea.md").write_text("Tea is hot.")
    command = [sys.executable, "-m", "rag", "build", seeds, "--index", index, "--watch"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # whatever the tests' own shell set
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as watching:
        assert watching.stdout is not None
        try:
            assert "gen-000001" in watching.stdout.readline()
            time.sleep(1)
            (seeds / ".hidden.md").write_text("Not this.")
            (seeds / "cocoa.md").write_text("Cocoa is sweet.")
            said = ""
            while "gen-000002" not in said:
                said = watching.stdout.readline()
                assert said
            time.sleep(1)
            (seeds / "tea.md").write_text("Tea is hot.")
        finally:
            watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
        assert "Traceback" not in watching.communicate()[1]
    assert (index / "CURRENT").read_text().strip() == "gen-000002"


@pytest.mark.parametrize("is_put_back", [True, False])
def test_watching_goes_on_when_its_folder_is_put_back(tmp_path: Path, is_put_back: bool) -> None:
    seeds, index = tmp_path / "seeds", tmp_path / "index"
    seeds.mkdir()
    (seeds / "tea.md").write_text("Tea is hot.")
    command = [sys.executable, "-m", "rag", "build", seeds, "--index", index, "--watch"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as watching:
        assert watching.stdout is not None
        try:
            assert "gen-000001" in watching.stdout.readline()
            shutil.rmtree(seeds)
            time.sleep(1.5)
            if is_put_back:
                seeds.mkdir()
                (seeds / "fox.md").write_text("Foxes are red.")
            for generation in ("gen-000002", "gen-000003") if is_put_back else ():
                said = ""
                while generation not in said:
                    said = watching.stdout.readline()
                    assert said
                time.sleep(1)
                (seeds / f"{generation}.md").write_text("Hens are brown.")
        finally:
            watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
        assert "Traceback" not in watching.communicate()[1]
