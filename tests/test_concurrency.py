"""Eight threads search while another process rebuilds: every result is of one generation."""

import multiprocessing
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rag import embed
from rag.build import build_index
from rag.config import Settings
from rag.retrieve import Retriever
from rag.store import IndexDirectory, open_snapshot
from tests.conftest import LetterEncoder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="open files cannot be removed there")

DOCUMENTS, REBUILDS, THREADS = 24, 30, 8
EDITION = re.compile(r"edition\d+")


def publish(index: Path, seeds: Path, number: int) -> None:
    """Write and build an edition in which every document is another."""
    for n in range(DOCUMENTS):
        body = f"In edition{number} the grain of barn {n} was weighed and sold."
        (seeds / f"{n:02d}.txt").write_text(body)
    build_index(IndexDirectory(index), [seeds], LetterEncoder(), Settings(keep_generations=2))


def rebuild(index: Path, seeds: Path, pipe: Connection) -> None:
    for number in range(1, REBUILDS + 1):
        publish(index, seeds, number)
    pipe.send("done")


def searched(retriever: Retriever) -> str:
    """Search, check that all hits are of one edition, and return which."""
    passages = retriever.search("who weighed the grain and sold it", 10)
    editions = {EDITION.search(passage.text)[0] for passage in passages}  # type: ignore[index]
    assert len(passages) == 10
    assert len(editions) == 1, editions
    return editions.pop()


def test_searching_while_another_process_rebuilds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, seeds = tmp_path / "index", tmp_path / "seeds"
    seeds.mkdir()
    publish(index, seeds, 0)
    monkeypatch.setattr(embed, "open_encoder", lambda _: LetterEncoder())
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    shared = Retriever.open(index)
    finished = threading.Event()

    def refreshed() -> Retriever:
        shared.refresh()
        return shared

    def ask(current: Callable[[], Retriever]) -> list[str]:
        seen = []
        while not finished.is_set():
            seen.append(searched(current()))
        return seen

    receive, send = multiprocessing.Pipe(duplex=False)
    writer = multiprocessing.get_context("spawn").Process(target=rebuild, args=(index, seeds, send))
    with ThreadPoolExecutor(THREADS) as pool:
        ways = [refreshed, lambda: Retriever.open(index)]
        asking = [pool.submit(ask, ways[n % 2]) for n in range(THREADS)]
        writer.start()
        send.close()
        try:
            assert receive.recv() == "done"
        finally:
            finished.set()
        seen = [future.result() for future in asking]
    writer.join()
    assert all(seen)
    assert len({edition for each in seen for edition in each}) > 2
    assert searched(Retriever.open(index)) == searched(refreshed()) == f"edition{REBUILDS}"


def test_a_search_ends_on_the_generation_it_began_with(tmp_path: Path) -> None:
    """Its files may be gone from the folder by then."""
    index, seeds = tmp_path / "index", tmp_path / "seeds"
    seeds.mkdir()
    publish(index, seeds, 0)
    held = Retriever(open_snapshot(IndexDirectory(index)), LetterEncoder(), Settings())
    for number in (1, 2, 3):
        publish(index, seeds, number)
    assert not (index / held.index.generation).exists()
    assert searched(held) == "edition0"


def test_refresh_tells_whether_there_was_news(tmp_path: Path) -> None:
    index, seeds = tmp_path / "index", tmp_path / "seeds"
    seeds.mkdir()
    publish(index, seeds, 0)
    directory = IndexDirectory(index)
    held = Retriever(open_snapshot(directory), LetterEncoder(), Settings(), directory=directory)
    assert not held.refresh()
    publish(index, seeds, 1)
    assert held.refresh()
    assert searched(held) == "edition1"
