"""While many ask, the index changes and the backend fails: every response is right or a problem."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.build import build_index
from rag.config import Settings
from rag.protocols import Encoder
from rag.store import IndexDirectory
from rag.store import snapshot as snapshots
from tests.conftest import ROOT
from tests.faults import FaultServer
from tests.serving import HELD, NOT_HELD, events, served

BACKEND = "openai:tiny"


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    with FaultServer() as live:
        yield live


@pytest.fixture
def settings(seed_index: Path, faults: FaultServer) -> Settings:
    return Settings(
        index=seed_index,
        seeds=ROOT / "seeds",
        backends=(BACKEND,),
        openai_base_url=faults.url,
        first_token_seconds=0.5,
        silence_seconds=0.5,
        refresh_seconds=0.05,
        threshold=0,
    )


@pytest.fixture
def changing(settings: Settings, tmp_path: Path, minilm: Encoder) -> Settings:
    """The same over seeds and an index that a test may change."""
    seeds = Path(shutil.copytree(ROOT / "seeds", tmp_path / "seeds"))
    build_index(IndexDirectory(tmp_path / "index"), [seeds], minilm, Settings())
    return settings.model_copy(update={"index": tmp_path / "index", "seeds": seeds})


class Load:
    """Asks from several threads until told to stop, and notes whatever is not as it should be."""

    def __init__(self, address: str) -> None:
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._address = address
        self._stop = threading.Event()
        asks = (self._search, self._answer, self._abstain, self._backend, self._stream, self._ready)
        self._threads = [threading.Thread(target=self._repeat, args=(ask,)) for ask in asks]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, ask: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(base_url=self._address, timeout=20) as client:
            while not self._stop.is_set():
                try:
                    ask(client)
                    self.seen[ask.__name__] += 1
                except (AssertionError, httpx.HTTPError, KeyError) as error:
                    self.wrong.append(f"{ask.__name__}: {error!r}"[:600])

    def _search(self, client: httpx.Client) -> None:
        response = client.post("/v1/search", json={"question": HELD})
        assert response.status_code == 200, response.text
        assert response.json()["hits"][0]["doc"] == "prisoner-releases.md"

    def _answer(self, client: httpx.Client) -> None:
        response = client.post("/v1/ask", json={"question": HELD})
        assert response.status_code == 200, response.text
        assert "thirty-seven" in response.json()["answer"]
        for citation in response.json()["citations"]:
            assert "thirty-seven" in citation["quote"]
            assert citation["verdict"] == "verified"

    def _abstain(self, client: httpx.Client) -> None:
        response = client.post("/v1/ask", json={"question": "how many dogs has Mars?"})
        assert response.status_code == 200, response.text

    def _backend(self, client: httpx.Client) -> None:
        response = client.post("/v1/ask", json={"question": HELD, "backend": BACKEND})
        self._right_or_problem(response.status_code, response.json())

    def _stream(self, client: httpx.Client) -> None:
        body = {"question": HELD, "backend": BACKEND, "stream": True}
        response = client.post("/v1/ask", json=body)
        assert response.status_code == 200, response.text
        name, data = events(response)[-1]
        self._right_or_problem(200 if name == "answer" else data["status"], data)

    def _right_or_problem(self, status: int, value: dict[str, Any]) -> None:
        if status == 200:
            assert value["backend"] == BACKEND
            assert "citations" in value
        else:
            assert status in (502, 504), value
            assert value["code"] in ("backend_failed", "too_slow")
            assert "/secret/path" not in str(value)
        self.seen[str(status)] += 1

    def _ready(self, client: httpx.Client) -> None:
        response = client.get("/readyz")
        assert response.status_code == 200, response.text
        time.sleep(0.02)


@pytest.mark.parametrize("turns", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_nothing_goes_wrong_while_the_index_turns_and_the_backend_fails(
    changing: Settings, faults: FaultServer, turns: int
) -> None:
    faults.says("Thirty-seven people were freed on 16 September. [1]")
    directory = IndexDirectory(changing.index)
    with served(changing) as address, httpx.Client(base_url=address, timeout=30) as admin:
        with Load(address) as load:
            for turn in range(turns):
                (changing.seeds / f"more-{turn}.md").write_text(f"Text number {turn} is about nothing.")
                job = admin.post("/v1/index/build", json={"fresh": turn % 2 == 0})
                assert job.status_code == 202
                for fault in ("", "hang", "die_midway", "garbage", "end_early", "hang_midway", "500"):
                    faults.fault = fault
                    time.sleep(0.25)
                wait_for(lambda at=job.headers["location"]: admin.get(at).json()["state"] == "done")
            faults.fault = ""
            before = directory.generations()[-2]
            with directory.lock():
                directory.point_to(before)
            wait_for(lambda: generation(admin) == before)
            time.sleep(0.3)
        assert load.wrong == []
        for kind in (
            "_search",
            "_answer",
            "_abstain",
            "_backend",
            "_stream",
            "_ready",
            "200",
            "502",
            "504",
        ):
            assert load.seen[kind] > 3, load.seen
        assert admin.get("/v1/documents").json()["total"] == 9 + turns


def generation(client: httpx.Client) -> str:
    value: str = client.get("/v1/index").json()["collections"][0]["generation"]
    return value


def wait_for(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_damaged_generation_is_not_turned_to_and_readiness_says_so(
    changing: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(changing) as address, httpx.Client(base_url=address, timeout=30) as client:
        first = generation(client)
        directory = IndexDirectory(changing.index)
        verified: list[str] = []
        real = snapshots.verify_generation

        def noted(folder: Path, *how: Any) -> Iterator[str]:
            verified.append(folder.name)
            return real(folder, *how)

        monkeypatch.setattr(snapshots, "verify_generation", noted)
        broken = directory.folder("gen-000002")
        shutil.copytree(directory.folder(first), broken)
        (broken / "vectors.bin").write_bytes(b"\x00" * 64)
        directory.point_to("gen-000002")
        wait_for(lambda: client.get("/readyz").json()["collections"]["default"] != "ok")
        told = client.get("/readyz")
        assert (told.status_code, told.json()["ready"]) == (200, True)
        assert "damaged" in told.json()["collections"]["default"]
        time.sleep(0.5)
        assert verified.count("gen-000002") <= 2
        assert generation(client) == first
        assert "thirty-seven" in client.post("/v1/ask", json={"question": HELD}).json()["answer"]
        directory.point_to(first)
        wait_for(lambda: client.get("/readyz").json()["collections"]["default"] == "ok")


def test_a_client_that_goes_away_ends_its_generation(settings: Settings, faults: FaultServer) -> None:
    faults.fault = "endless"
    body = {"question": HELD, "backend": BACKEND, "stream": True}
    with served(settings) as address, httpx.Client(base_url=address, timeout=10) as client:
        with client.stream("POST", "/v1/ask", json=body) as response:
            for line in response.iter_lines():
                if line == "event: token":
                    break
        faults.wait_for_hang_up()
        faults.fault = "hang"
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/ask", json=body | {"stream": False}, timeout=0.2)
        wait_for(lambda: "seedrag_requests_in_work 1.0" in client.get("/metrics").text)


def test_an_answer_that_takes_too_long_is_given_up(settings: Settings, faults: FaultServer) -> None:
    faults.fault = "endless"
    bounded = settings.model_copy(update={"answer_seconds": 0.5})
    with served(bounded) as address:
        httpx.post(f"{address}/v1/search", json={"question": HELD}, timeout=10)  # the first is slow
        body = {"question": HELD, "backend": BACKEND}
        response = httpx.post(f"{address}/v1/ask", json=body, timeout=10)
        assert (response.status_code, response.json()["code"]) == (504, "too_slow")
        faults.wait_for_hang_up()
        response = httpx.post(f"{address}/v1/ask", json=body | {"stream": True}, timeout=10)
        assert events(response)[-1][0] == "error"


def test_more_requests_than_there_is_room_for_are_told_to_come_back(
    settings: Settings, faults: FaultServer
) -> None:
    faults.fault = "hang"
    narrow = settings.model_copy(update={"max_requests": 2, "first_token_seconds": 1.5})
    with served(narrow) as address:
        statuses: list[int] = []

        def ask() -> None:
            body = {"question": HELD, "backend": BACKEND}
            statuses.append(httpx.post(f"{address}/v1/ask", json=body, timeout=20).status_code)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(faults.requests) == 2)
        assert httpx.get(f"{address}/readyz").status_code == 200
        refused = httpx.post(f"{address}/v1/ask", json={"question": NOT_HELD})
        assert (refused.status_code, refused.json()["code"]) == (429, "busy")
        assert refused.headers["retry-after"] == "1"
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [429] * 4 + [504] * 2
        assert httpx.post(f"{address}/v1/ask", json={"question": HELD}).status_code == 200


def test_shutdown_lets_running_answers_end(settings: Settings, faults: FaultServer) -> None:
    faults.fault = "hang_midway"
    got: list[httpx.Response] = []

    def ask(address: str) -> None:
        body = {"question": HELD, "backend": BACKEND}
        got.append(httpx.post(f"{address}/v1/ask", json=body, timeout=20))

    with served(settings) as address:
        thread = threading.Thread(target=ask, args=(address,))
        thread.start()
        wait_for(lambda: bool(faults.requests))
    thread.join()
    assert got[0].status_code == 504


def test_waiting_builds_of_one_kind_are_one(changing: Settings) -> None:
    with served(changing) as address, httpx.Client(base_url=address, timeout=30) as admin:
        jobs = [admin.post("/v1/index/build", json={"fresh": True}).json()["id"] for _ in range(8)]
        assert len(set(jobs)) <= 3
        wait_for(lambda: admin.get(f"/v1/jobs/{jobs[-1]}").json()["state"] == "done")


def test_a_slow_reader_still_hears_how_a_stream_ends(settings: Settings, faults: FaultServer) -> None:
    faults.fault = "endless"
    bounded = settings.model_copy(update={"answer_seconds": 0.4})
    body = {"question": HELD, "backend": BACKEND, "stream": True}
    with (
        served(bounded) as address,
        httpx.stream("POST", f"{address}/v1/ask", json=body, timeout=20) as response,
    ):
        time.sleep(1)
        text = "".join(response.iter_text())
    assert text.rstrip().split("\n\n")[-1].startswith("event: error")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_program_ends_when_told_to(settings: Settings, sign: signal.Signals) -> None:
    environment = {**os.environ, "RAG_INDEX": str(settings.index), "RAG_SEEDS": str(settings.seeds)}
    command = [sys.executable, "-m", "api", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "running on" in line:
                break
        process.send_signal(sign)
        lines += process.stderr.readlines()
    assert process.returncode == 0
    assert "Traceback" not in "".join(lines)
    assert all(json.loads(line) for line in lines)


def test_a_port_that_is_taken_is_said_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "api", "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port} cannot be listened on" in done.stderr


def test_a_backend_that_is_none_is_told_at_the_start() -> None:
    environment = {**os.environ, "RAG_BACKEND": "openai", "RAG_PORT": "0"}
    command = [sys.executable, "-m", "api"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "No backend 'openai'" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
