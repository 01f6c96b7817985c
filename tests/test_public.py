import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import rag
from rag import errors
from tests.conftest import ROOT

TIERS = [
    "types errors",
    "stop",
    "protocols text config session quiet bundled",
    "corpus chunk embed stores lexical prompt backends cite confidence reader",
    "store",
    "build retrieve",
    "answer receipt wire",
    "cli __main__",
]
TIER = {room: tier for tier, rooms in enumerate(TIERS) for room in rooms.split()}
SIBLINGS = set(TIERS[2].split())
MODULES = [*ROOT.glob("rag/**/*.py"), *ROOT.glob("api/**/*.py"), *ROOT.glob("eval/**/*.py")]


@cache
def imported(path: Path) -> list[tuple[str, ...]]:
    """Return the dotted names that a module imports; `from a import b` gives `a.b`."""
    return list(_imported(path))


def _imported(path: Path) -> Iterator[tuple[str, ...]]:
    here = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(name.name.split(".")) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level] if node.level else ()
            module = (*above, *(node.module.split(".") if node.module else ()))
            yield from ((*module, name.name) for name in node.names)


def rooms() -> Iterator[tuple[str, str, str]]:
    """Yield (module, its room, the room of `rag` that it imports)."""
    for path in MODULES:
        name = path.relative_to(ROOT)
        if name.parts[0] == "rag" and name.parts != ("rag", "__init__.py"):
            for names in imported(path):
                if names[0] == "rag" and names[1] not in rag.__all__:
                    yield str(name), Path(name.parts[1]).stem, names[1]


def loaded_by(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_every_public_name_is_there() -> None:
    assert len(set(rag.__all__)) == len(rag.__all__)
    for name in rag.__all__:
        assert getattr(rag, name).__name__ == name
    assert set(rag.__all__) <= set(dir(rag))
    assert isinstance(rag.__version__, str)
    with pytest.raises(AttributeError, match="Retreiver"):
        rag.Retreiver  # noqa: B018


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [("import rag", set()), ("from rag import Retriever", {"faiss", "onnxruntime"})],
)
def test_importing_loads_nothing_heavy(statement: str, allowed: set[str]) -> None:
    heavy = {"torch", "transformers", "sentence_transformers", "faiss", "onnxruntime", "fastapi"}
    loaded = loaded_by(statement)
    assert "rag" in loaded
    assert loaded & heavy <= allowed


@pytest.mark.parametrize(
    ("package", "forbidden"), [("rag", {"api", "eval"}), ("api", {"eval"}), ("eval", {"api"})]
)
def test_packages_import_one_way(package: str, forbidden: set[str]) -> None:
    for path in ROOT.glob(f"{package}/**/*.py"):
        assert not {names[0] for names in imported(path)} & forbidden, path


def test_every_room_has_its_tier() -> None:
    assert {room for _, room, _ in rooms()} <= TIER.keys()


def test_rooms_import_downwards() -> None:
    upwards = [edge for edge in rooms() if TIER.get(edge[2], 0) > TIER.get(edge[1], 99)]
    assert not upwards


def test_siblings_do_not_import_each_other() -> None:
    edges = list(rooms())
    assert len(edges) > 50
    assert not [edge for edge in edges if {*edge[1:]} <= SIBLINGS and edge[1] != edge[2]]


def test_no_module_unpickles() -> None:
    banned = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}
    assert not [path for path in MODULES for names in imported(path) if names[0] in banned]


def test_every_error_is_drawn_below_its_parent() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in inspect.cleandoc(errors.__doc__ or "").split("\n"):
        if line == "RagError":
            path = [line]
        elif "── " in line:
            depth, name = line.index("── ") // 4 + 1, line.split("── ")[1].split()[0]
            path[depth:] = [name]
            drawn[name] = path[depth - 1]
    classes = {name: each for name, each in vars(errors).items() if inspect.isclass(each)}
    assert all(issubclass(each, errors.RagError) and each.__doc__ for each in classes.values())
    assert drawn == {
        name: each.__base__.__name__ for name, each in classes.items() if name != "RagError"
    }
