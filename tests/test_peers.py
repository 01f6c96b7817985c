"""The comparison with peers: what can be held without their packages."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from eval.bench.__main__ import BENCHMARKS, LONG
from eval.bench.peers.environment import LOCKS, version_of
from eval.bench.peers.measure import Found, rows_of, side_by_side
from eval.bench.peers.program import Program, ProgramError
from eval.bench.peers.protocol import Plan
from eval.bench.peers.systems import AGAINST, Way, ways
from eval.bench.quality import each_document_ndcg
from rag.bundled import bundled_folder
from tests.conftest import ROOT

PEERS = ROOT / "eval" / "bench" / "peers"
PROGRAMS = sorted(PEERS.glob("with_*.py"))
TEXTS = {
    "tea": "Green tea is steamed soon after picking. Black tea is left to oxidise.",
    "coffee": "Coffee beans are roasted at about 200 degrees.",
    "bridge": "The bridge across the river was built by the town in 1887.",
}


def _ours() -> Way:
    [way] = [way for way in ways() if way.name == AGAINST]
    return way


def _program(folder: Path) -> Program:
    way = _ours()
    plan = Plan(bundled_folder(), way.kind, way.mode)
    return Program(Path(sys.executable), way.module, plan, folder / "log")


@pytest.mark.parametrize("lock", LOCKS.values())
def test_every_pin_is_exact_and_stands_once(lock: str) -> None:
    lines = (PEERS / lock).read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 100
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==\w+(\.\w+)*", line)] == []
    names = [re.sub("[-_.]+", "-", line.partition("==")[0]).lower() for line in pins]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", LOCKS)
def test_both_environments_have_our_build_of_torch_and_what_measures(name: str) -> None:
    ours = dict(
        line.split("==")
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    assert version_of(name, "torch") == ours["torch"]
    assert version_of(name, "faiss-cpu") == ours["faiss-cpu"]
    assert version_of(name, "onnxruntime") == ours["onnxruntime"]


def test_every_program_is_measured_and_every_way_has_its_program() -> None:
    named = {way.module.rpartition(".")[2] for way in ways()}
    assert {path.stem for path in PROGRAMS} == named
    names = [way.name for way in ways()]
    assert len(names) == len(set(names))
    assert AGAINST in names
    for peer in named - {"with_seedrag"}:
        own = {(way.mode, way.kind) for way in ways() if way.module.endswith(peer)}
        assert own == {(mode, kind) for mode in ("dense", "hybrid") for kind in ("float32", "int8")}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_every_program_speaks_the_protocol(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    [system] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = {
        node.name: [each.arg for each in node.args.args]
        for node in system.body
        if isinstance(node, ast.FunctionDef)
    }
    assert methods["__init__"] == ["self", "plan"]
    assert methods["build"] == ["self", "corpus", "index"]
    assert methods["open"] == ["self", "index"]
    assert methods["searcher"] == ["self", "k"]
    assert ast.unparse(tree.body[-1]).endswith(f"serve({system.name})")


@pytest.mark.parametrize("name", ["__init__", "protocol", "export", *(p.stem for p in PROGRAMS)])
def test_what_runs_beside_the_peers_imports_nothing_of_ours_but_the_protocol(name: str) -> None:
    if name == "with_seedrag":
        return
    tree = ast.parse((PEERS / f"{name}.py").read_text(encoding="utf-8"))
    loaded = {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    own = {module for module in loaded if module.partition(".")[0] in ("rag", "eval", "api")}
    assert own <= {"eval.bench.peers.protocol", "eval.bench.rows"}


def test_our_program_builds_opens_and_finds(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    lines = (json.dumps({"id": name, "title": name, "text": text}) for name, text in TEXTS.items())
    corpus.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with _program(tmp_path) as program:
        built = program.ask(build=str(corpus), index=str(tmp_path / "index"))
    assert built["passages"] == 3
    assert built["seconds"] > 0
    with _program(tmp_path) as program:
        assert program.ask(open=str(tmp_path / "index")) == {}
        questions = [
            "How hot is coffee roasted?",
            "Who built the bridge?",
            "What is done to green tea?",
        ]
        reply = program.ask(search=questions, k=2)
        assert [found[0] for found in reply["found"]] == ["coffee", "bridge", "tea"]
        assert [len(found) for found in reply["found"]] == [2, 2, 2]
        assert len(reply["ms"]) == 3
        assert 10 < program.ask(memory=True)["mb"] < 4000


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(ProgramError, match="There is no index in"),
        _program(tmp_path) as program,
    ):
        program.ask(open=str(tmp_path / "nowhere"))


def test_a_document_ranks_where_its_best_passage_does() -> None:
    gold = [{"id": "q", "evidence": [{"doc": "b"}]}]
    assert each_document_ndcg(gold, [["a", "a", "a", "b", "b"]]) == pytest.approx([0.6309], abs=1e-4)
    assert each_document_ndcg(gold, [["b", "a"]]) == [1.0]
    assert each_document_ndcg(gold, [["a"]]) == [0.0]


def test_peers_are_measured_only_where_named() -> None:
    assert "peers" in BENCHMARKS
    assert "peers" in LONG


def test_figures_stand_beside_ours_and_a_failure_has_none() -> None:
    found = {
        way.name: Found(9, [5.0, 4.0], [3.0, 1.0, 2.0], [8.0, 8.0], [500.0, 600.0], 0.8)
        for way in ways()
    }
    found[AGAINST] = Found(9, [2.0, 2.5], [0.5], [4.0, 4.0], [150.0], 0.9)
    failed = ways()[-1]
    found[failed.name] = Found(failed="build: it takes no int8")
    peer = ways()[-2]
    rows = {row.name.removeprefix(f"peers.{peer.name}."): row for row in rows_of(peer, found, 7, 3)}
    assert {key: (row.value, row.ratio) for key, row in rows.items()} == {
        "build": (4.0, 2.0),
        "query": (8.0, 2.0),
        "query.p99": (8.0, 2.0),
        "cold": (2.0, 4.0),
        "memory": (600.0, 4.0),
        "ndcg": (0.8, pytest.approx(0.8 / 0.9)),
    }
    assert peer.said in rows["build"].note
    [row] = rows_of(failed, found, 7, 3)
    assert row.value is None
    assert "build: it takes no int8" in row.note
    assert failed.said in row.note
    lines = side_by_side(found).splitlines()
    assert len(lines) == 2 + len(ways())
    assert lines[2] == "| seedrag | hybrid | int8 | 2 | 4 | 4 | 0.5 | 150 | 0.9 |"
    assert lines[-1].endswith("| build: it takes no int8 |")


def test_the_page_has_a_line_for_every_way() -> None:
    page = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")
    for way in ways():
        assert f"| {way.system} | {way.mode} | {way.kind} |" in page
