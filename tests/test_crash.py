"""A build may be killed at any moment: readers keep what was published, the next build mends the rest.

Children are told after how many steps on the disk to kill themselves; a step is opening a file to
write, a rename, a removal, a new folder or an fsync.
"""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from rag.build import build_index
from rag.config import Settings
from rag.errors import IndexBusyError, IndexMissingError, SnapshotError
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory, open_snapshot, verify_generation
from rag.store.layout import FILES, MANIFEST
from tests.conftest import ROOT, LetterEncoder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")

Step = tuple[str, str]
"""What is done, and to which file name."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FORKED = multiprocessing.get_context("forkserver")
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir")


@pytest.fixture(scope="module", autouse=True)
def _forkserver() -> Iterator[None]:
    """Let children be forks of a process that has imported all this, and has no threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        FORKED.set_forkserver_preload(["tests.test_crash", "rag.stores.ivf", "Stemmer"])
        forkserver.ensure_running()
        yield


def write_seeds(seeds: Path, edition: int) -> None:
    """Write an edition: one document changes, one is added, one goes, one stays."""
    for path in seeds.glob("*.txt"):
        path.unlink()
    seeds.mkdir(exist_ok=True)
    (seeds / "same.txt").write_text("The commissions buy grain and store it for hard winters.")
    (seeds / "changes.txt").write_text(f"This is edition {edition} of the almanac.")
    (seeds / f"only-{edition}.txt").write_text("Nothing else speaks of zebras.")


def built(index: Path, seeds: Path, keep: int) -> None:
    settings = Settings(keep_generations=keep)
    build_index(IndexDirectory(index), [seeds], LetterEncoder(), settings)


def watch(root: str, seen: Callable[[Step], None]) -> None:
    """Call `seen` before each step on the disk below `root`, for the rest of this process."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and (not isinstance(args[0], str | bytes) or not args[2] & WRITING):
            return
        if event == "open" or event in CHANGES:
            path = os.fsdecode(args[1] if event == "os.rename" else args[0])
            if path.startswith(root) or not Path(path).is_absolute():
                seen((event.removeprefix("os."), Path(path).name))

    os.fsync = lambda _: seen(("fsync", ""))
    sys.addaudithook(hook)


def build_until(index: Path, seeds: Path, keep: int, fatal: int | None, pipe: Connection) -> None:
    """Build, and die before step number `fatal`; send the steps if nothing was fatal."""
    steps: list[Step] = []

    def seen(step: Step) -> None:
        if len(steps) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        steps.append(step)

    watch(str(index), seen)
    built(index, seeds, keep)
    pipe.send(list(steps))


def child(index: Path, seeds: Path, keep: int, fatal: int | None = None) -> list[Step] | None:
    """Build in a child process; return its steps, or None if it was killed."""
    receive, send = multiprocessing.Pipe(duplex=False)
    process = FORKED.Process(target=build_until, args=(index, seeds, keep, fatal, send))
    process.start()
    send.close()
    try:
        steps: list[Step] | None = receive.recv()
    except EOFError:
        steps = None
    process.join()
    assert process.exitcode == (0 if steps is not None else -signal.SIGKILL)
    return steps


def edition(index: Path, encoder: Encoder | None = None) -> str:
    """Return what a search finds of the document that changes with each edition."""
    opened = open_snapshot(IndexDirectory(index))
    found = Retriever(opened, encoder or LetterEncoder(), Settings()).search("almanac edition", 3)
    return next(passage.text for passage in found if passage.doc == "changes.txt")


def assert_whole(index: Path) -> None:
    directory = IndexDirectory(index)
    damage = [said for g in directory.generations() for said in verify_generation(directory.folder(g))]
    assert damage == []


def assert_tidy(index: Path, keep: int) -> None:
    directory = IndexDirectory(index)
    names = {path.name for path in index.iterdir()} - {"README.md", ".lock"}
    assert names == {"CURRENT", *directory.generations()}
    assert len(directory.generations()) <= keep
    assert directory.generations()[-1] == directory.current()
    assert {p.name for p in directory.folder(directory.current()).iterdir()} == {*FILES, MANIFEST}


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do without fsync: what a killed process wrote the system still has."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def nothing(index: Path, seeds: Path) -> None:
    index.mkdir()


def one_generation(index: Path, seeds: Path) -> None:
    write_seeds(seeds, 1)
    built(index, seeds, 3)


def left_by_a_crash(index: Path, seeds: Path) -> None:
    one_generation(index, seeds)
    write_seeds(seeds, 7)
    steps = child(index, seeds, 3) or []
    IndexDirectory(index).point_to("gen-000001")
    write_seeds(seeds, 8)
    child(index, seeds, 3, len(steps) // 2)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize(
    ("prepare", "keep"),
    [
        (nothing, 3),
        pytest.param(one_generation, 3, marks=pytest.mark.slow),
        (one_generation, 1),
        (left_by_a_crash, 2),
    ],
    ids=["first build", "next build", "that removes the last", "after a crash"],
)
def test_killed_at_every_step(prepare: Callable[[Path, Path], None], keep: int, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    prepare(tmp_path / "before", seeds)
    (tmp_path / "before" / "README.md").write_text("This file is the user's.")

    def fresh(name: str) -> Path:
        write_seeds(seeds, 2)
        return Path(shutil.copytree(tmp_path / "before", tmp_path / name))

    steps = child(fresh("whole"), seeds, keep)
    assert steps is not None
    published = steps.index(("rename", "CURRENT"))
    assert published > len(FILES)
    for fatal in range(len(steps)):
        index = fresh(f"killed-{fatal}")
        assert child(index, seeds, keep, fatal) is None
        assert_whole(index)
        if fatal <= published and prepare is nothing:
            with pytest.raises(IndexMissingError):
                edition(index)
        else:
            assert f"edition {2 if fatal > published else 1} " in edition(index)
        write_seeds(seeds, 3)
        built(index, seeds, keep)
        assert "edition 3 " in edition(index)
        assert (index / "README.md").exists()
        assert_tidy(index, keep)
        shutil.rmtree(index)


def test_all_is_on_the_disk_before_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut a name leads to nothing that was not synced before."""
    index, seeds = tmp_path / "index", tmp_path / "seeds"
    steps: list[tuple[str, int | str]] = []
    rename = os.replace

    def replace(source: Path, target: Path, **how: Any) -> None:
        if Path(target).parent == index:
            steps.append(("rename", Path(target).name))
        rename(source, target, **how)

    monkeypatch.setattr(os, "fsync", lambda handle: steps.append(("fsync", os.fstat(handle).st_ino)))
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "rename", replace)
    one_generation(index, seeds)

    generation = index / "gen-000001"
    named, current = steps.index(("rename", generation.name)), steps.index(("rename", "CURRENT"))
    inode = {path.name: path.stat().st_ino for path in generation.iterdir()}
    synced = {node for what, node in steps[: named - 1] if what == "fsync"}
    assert set(inode) == {*FILES, MANIFEST}
    assert synced == set(inode.values())
    assert steps[named - 2] == ("fsync", inode[MANIFEST])
    assert steps[named - 1] == ("fsync", generation.stat().st_ino)
    assert steps[named + 1] == ("fsync", index.stat().st_ino)
    assert steps[named + 2] == ("fsync", (index / "CURRENT").stat().st_ino)
    assert current == named + 3
    assert steps[current + 1 :] == [("fsync", index.stat().st_ino)]


def test_an_index_that_lasts_no_longer_than_its_program_waits_for_no_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(handle: int) -> None:
        raise AssertionError(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    assert Retriever.from_documents(["Tea grows on hills."]).search("tea", rerank=False)


def hold(index: Path, pipe: Connection) -> None:
    """Hold the writer's lock until killed."""
    with IndexDirectory(index).lock():
        pipe.send("held")
        time.sleep(60)


def test_a_living_writer_is_respected_and_a_dead_one_is_not(tmp_path: Path) -> None:
    index, seeds = tmp_path / "index", tmp_path / "seeds"
    one_generation(index, seeds)
    write_seeds(seeds, 2)
    receive, send = multiprocessing.Pipe(duplex=False)
    holder = FORKED.Process(target=hold, args=(index, send))
    holder.start()
    assert receive.recv() == "held"
    with pytest.raises(IndexBusyError, match="Another process is building"):
        built(index, seeds, 3)
    assert "edition 1 " in edition(index)
    holder.kill()
    holder.join()
    built(index, seeds, 3)
    assert "edition 2 " in edition(index)


def test_a_full_disk_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, seeds = tmp_path / "index", tmp_path / "seeds"
    one_generation(index, seeds)
    write_seeds(seeds, 2)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(SnapshotError, match="No space left"):
            built(index, seeds, 3)
    assert "edition 1 " in edition(index)
    assert_tidy(index, 3)
    built(index, seeds, 3)
    assert "edition 2 " in edition(index)


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_the_command_killed_at_random(kills: int, tmp_path: Path, minilm: Encoder) -> None:
    index, seeds = tmp_path / "index", tmp_path / "seeds"
    command = [sys.executable, "-m", "rag", "build", str(seeds), "--index", str(index)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    write_seeds(seeds, 0)
    began = time.monotonic()
    assert start().wait() == 0
    usual, known = time.monotonic() - began, 0
    for number in range(1, kills + 1):
        write_seeds(seeds, number)
        process = start()
        time.sleep(random.uniform(0.3, 1.1) * usual)
        process.kill()
        process.wait()
        assert_whole(index)
        found = int(edition(index, minilm).split()[3])
        assert found in (known, number)
        known = found
    write_seeds(seeds, kills + 1)
    assert start().wait() == 0
    assert f"edition {kills + 1} " in edition(index, minilm)
    assert_tidy(index, 3)
