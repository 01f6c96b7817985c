"""A build on a Ray cluster gives the bytes that a plain one gives, also when a worker dies."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.build import build_index
from rag.config import Settings
from rag.errors import ClusterError
from rag.protocols import Encoder
from rag.store import IndexDirectory, Manifest, open_snapshot
from tests import papers

pytestmark = pytest.mark.slow

WORDS = "mill toll flood bridge mason penny horse river church valley".split()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files: dict[str, bytes | str] = {
        f"{n:03}.txt": " ".join(
            f"The {WORDS[(n * m) % 10]} number {m} of {n} was built." for m in range(40)
        )
        for n in range(60)
    }
    files |= {f"{n}.pdf": papers.pdf([f"Mill {n} was built in {1700 + n}."]) for n in range(8)}
    files["cut.pdf"] = files["0.pdf"][:300]
    files["page.html"] = "<p>The valley is deep.</p>"
    return papers.written(tmp_path_factory.mktemp("seeds"), files)


@pytest.fixture(scope="module")
def plain(seeds: Path, tmp_path_factory: pytest.TempPathFactory, minilm: Encoder) -> Manifest:
    return built(tmp_path_factory.mktemp("plain"), seeds, minilm, None)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers of one processor each; whoever builds has none."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        found.add_node(num_cpus=1)
    yield found.address
    found.shutdown()


def built(index: Path, seeds: Path, minilm: Encoder, ray: str | None) -> Manifest:
    directory = IndexDirectory(index)
    report = build_index(directory, [seeds], minilm, Settings(), ray=ray)
    assert [failed["doc"] for failed in report.failed] == ["cut.pdf"]
    assert report.embedded == report.chunks > 128
    return open_snapshot(directory).manifest


def test_a_cluster_builds_the_same(
    seeds: Path, plain: Manifest, cluster: str, tmp_path: Path, minilm: Encoder
) -> None:
    found = built(tmp_path / "index", seeds, minilm, cluster)
    assert dict(found.files) == dict(plain.files)
    assert found.digest == plain.digest


def test_a_worker_that_is_killed_changes_nothing(
    seeds: Path, plain: Manifest, cluster: str, tmp_path: Path, minilm: Encoder
) -> None:
    killed: list[int] = []
    done = threading.Event()

    def kill() -> None:
        while not done.is_set() and len(killed) < 2:
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    name = (process / "cmdline").read_bytes().split(b"\0")[0]
                except OSError:
                    continue
                if b"MapBatches" in name or b"MapWorker" in name:
                    time.sleep(1)
                    try:
                        os.kill(int(process.name), signal.SIGKILL)
                    except ProcessLookupError:
                        continue
                    killed.append(int(process.name))
                    break
            time.sleep(0.2)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = built(tmp_path / "index", seeds, minilm, cluster)
    done.set()
    killer.join()
    assert killed
    assert dict(found.files) == dict(plain.files)


def test_a_cluster_that_is_not_there_is_named(seeds: Path, tmp_path: Path, minilm: Encoder) -> None:
    pytest.importorskip("ray")
    with pytest.raises(ClusterError, match=r"No Ray cluster at 127\.0\.0\.1:9"):
        build_index(IndexDirectory(tmp_path), [seeds], minilm, Settings(), ray="127.0.0.1:9")
