"""The service's receipts: read by whoever holds one and may ask, and good for `rag replay`."""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.receipts import Receipts, receipt_in, record_of, spoken_of
from api.security.keys import new_key
from rag.answer import Answerer
from rag.config import Settings
from rag.receipt import Receipt, parse_receipt, receipt_of, replay
from rag.wire import answer_json
from tests.faults import FaultServer
from tests.serving import HELD, NOT_HELD, events, served

SECRET = "sk-never-to-be-seen"


@pytest.fixture(scope="module")
def model() -> Iterator[FaultServer]:
    with FaultServer() as live:
        yield live


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "feedback.jsonl"


@pytest.fixture(scope="module")
def client(seed_index: Path, feedback: Path, model: FaultServer) -> Iterator[httpx.Client]:
    settings = Settings(
        index=seed_index,
        feedback=feedback,
        backends=("openai:tiny",),
        openai_base_url=model.url,
        openai_api_key=SECRET,
    )
    with served(settings) as address, httpx.Client(base_url=address, timeout=30) as open_client:
        yield open_client


def receipt_for(client: httpx.Client, **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = client.post("/v1/ask", json=body).json()
    response = client.get(f"/v1/receipts/{answer['receipt']}")
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return answer, told


def test_a_receipt_of_the_service_is_one_that_can_be_replayed(
    client: httpx.Client, seed_index: Path
) -> None:
    history = [{"role": "user", "content": "Who was freed?"}]
    asked = {"question": f" {HELD} ", "history": history, "filter": {"doc": "pris*"}, "top_k": 2}
    answer, told = receipt_for(client, **asked)
    assert list(told) == list(Receipt.model_fields)
    assert told["receipt"] == 1
    assert {name: told[name] for name in asked} == asked
    for name in ("answer", "sentences", "citations", "index", "confidence", "calibration"):
        assert told[name] == answer[name]
    receipt = parse_receipt(json.dumps(told).encode(), "it")
    assert replay(receipt, seed_index).same


def test_a_streamed_answer_has_its_receipt(client: httpx.Client) -> None:
    told = events(client.post("/v1/ask", json={"question": HELD, "stream": True}))
    receipt = client.get(f"/v1/receipts/{told[-1][1]['receipt']}").json()
    assert receipt["answer"] == told[-1][1]["answer"]


def test_a_receipt_tells_no_more_than_the_asker_could_see(
    client: httpx.Client, model: FaultServer
) -> None:
    model.says("Thirty-seven aliens landed.")
    answer, told = receipt_for(client, question=NOT_HELD, backend="openai:tiny")
    assert model.keys[-1] == f"Bearer {SECRET}"
    assert answer["abstained"]
    text = json.dumps(told)
    assert told["model"] == "tiny-1"
    for hidden in (SECRET, model.url, "aliens"):
        assert hidden not in text


def test_what_is_no_receipt_is_a_problem(client: httpx.Client) -> None:
    missing = client.get(f"/v1/receipts/{'0' * 32}")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert client.get("/v1/receipts/1").status_code == 422


def test_a_receipt_may_be_read_as_often_as_one_likes_and_feedback_is_as_it_was(
    client: httpx.Client, feedback: Path
) -> None:
    answer, told = receipt_for(client, question=HELD)
    for _ in range(6):
        assert client.get(f"/v1/receipts/{answer['receipt']}").json() == told
    said = {"receipt": answer["receipt"], "thumb": "up"}
    assert client.post("/v1/feedback", json=said).status_code == 201
    line = json.loads(feedback.read_text().splitlines()[-1])
    assert list(line) == [
        "receipt", "time", "thumb", "correction", "comment", "question", "history", "filter", "answer",
    ]  # fmt: skip
    assert line["answer"] == {name: each for name, each in answer.items() if name != "receipt"}
    assert (line["question"], line["history"], line["filter"]) == (HELD, [], None)


def test_reading_a_receipt_needs_the_right_to_ask(seed_index: Path) -> None:
    key, digest = new_key()
    with served(Settings(index=seed_index, api_keys=(f"read:{digest}",))) as live:
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.post(f"{live}/v1/ask", json={"question": HELD}, headers=headers).json()
        address = f"{live}/v1/receipts/{answer['receipt']}"
        assert httpx.get(address).status_code == 401
        assert httpx.get(address, headers=headers).json()["question"] == HELD


def test_nothing_is_kept_twice(seed_index: Path) -> None:
    answerer = Answerer.open(settings=Settings(index=seed_index))
    considered = answerer.consider(HELD)
    receipt = receipt_of(considered, answerer, HELD)
    answer = answer_json(considered.answer)
    record = record_of(receipt, answer)
    assert not {"answer", "sentences", "citations", "index", "model"} & record["more"].keys()
    assert receipt_in(record) == receipt.model_dump(mode="json")
    assert spoken_of(record)["answer"] == answer
    receipts = Receipts()
    assert receipts.read(receipts.keep(record)) == json.loads(json.dumps(record))
    assert len(zlib.compress(json.dumps(record).encode(), 1)) < 5000
