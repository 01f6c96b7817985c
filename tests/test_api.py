import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.schemas import AnswerResult, DocumentPage, DocumentWindow, IndexState, SearchResult
from eval.harvest.feedback import read_feedback
from rag.build import build_index
from rag.config import CollectionPaths, Settings
from rag.protocols import Encoder
from rag.store import IndexDirectory
from tests.conftest import ROOT
from tests.serving import HELD, NOT_HELD, events, served


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "feedback.jsonl"


@pytest.fixture(scope="module")
def client(seed_index: Path, feedback: Path) -> Iterator[httpx.Client]:
    settings = Settings(index=seed_index, seeds=ROOT / "seeds", feedback=feedback)
    with served(settings) as address, httpx.Client(base_url=address, timeout=30) as open_client:
        yield open_client


@pytest.fixture
def kept(tmp_path: Path, minilm: Encoder) -> Iterator[tuple[httpx.Client, Path]]:
    """A service over seeds of its own, which a test may change."""
    seeds = tmp_path / "notes"
    seeds.mkdir()
    (seeds / "tea.md").write_text("# Tea\n\nGreen tea is steamed soon after picking.\n")
    (seeds / "lines.jsonl").write_text('{"id": "cocoa", "text": "Cocoa beans are fermented."}\n')
    index = tmp_path / "index"
    build_index(IndexDirectory(index), [seeds], minilm, Settings())
    settings = Settings(index=index, seeds=seeds, refresh_seconds=0.05)
    with served(settings) as address, httpx.Client(base_url=address, timeout=30) as open_client:
        yield open_client, seeds


def asked(client: httpx.Client, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json=body)
    assert response.status_code == 200, response.text
    value: dict[str, Any] = response.json()
    return value


def test_search_finds_passages_with_their_signals(client: httpx.Client) -> None:
    response = client.post("/v1/search", json={"question": HELD, "top_k": 3})
    found = SearchResult.model_validate(response.json())
    assert found.hits[0].doc == "prisoner-releases.md"
    assert len(found.hits) == 3
    assert {"dense", "lexical", "rank"} <= found.hits[0].signals.keys()
    text = (ROOT / "seeds/prisoner-releases.md").read_text(encoding="utf-8")
    best = found.hits[0]
    assert text[best.start : best.end] == best.text


def test_a_search_may_do_without_the_reader(client: httpx.Client) -> None:
    read = client.post("/v1/search", json={"question": HELD}).json()["hits"]
    found = client.post("/v1/search", json={"question": HELD, "rerank": False}).json()["hits"]
    assert "relevance" in read[0]["signals"]
    assert found[0]["doc"] == read[0]["doc"]
    assert not any("relevance" in hit["signals"] for hit in found)
    assert client.post("/v1/ask", json={"question": HELD, "rerank": False}).status_code == 422


def test_an_answer_cites_verbatim(client: httpx.Client) -> None:
    answer = AnswerResult.model_validate(asked(client, question=HELD))
    assert "thirty-seven" in answer.answer
    assert not answer.abstained
    [citation, *_] = answer.citations
    span = {"start": citation.start, "end": citation.end, "context": 0}
    window = client.get(f"/v1/documents/{citation.doc}", params=span).json()
    assert window["text"] == citation.quote


def test_what_is_not_in_the_documents_is_not_answered(client: httpx.Client) -> None:
    answer = asked(client, question=NOT_HELD)
    assert answer["abstained"]
    assert answer["citations"] == []
    assert answer["passages"]


def test_a_stream_gives_passages_then_the_text_then_the_answer(client: httpx.Client) -> None:
    response = client.post("/v1/ask", json={"question": HELD, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    told = events(response)
    names = [name for name, _ in told]
    assert names[0] == "passages"
    assert names[-1] == "answer"
    assert set(names[1:-1]) == {"token"}
    assert len(names) > 5
    answer = told[-1][1]
    assert "".join(data["text"] for name, data in told if name == "token") == answer["answer"]
    whole = asked(client, question=HELD)
    varies = {"receipt", "timings_ms"}
    assert {k: v for k, v in answer.items() if k not in varies} == {
        k: v for k, v in whole.items() if k not in varies
    }


def test_an_abstention_streams_no_text(client: httpx.Client) -> None:
    told = events(client.post("/v1/ask", json={"question": NOT_HELD, "stream": True}))
    assert [name for name, _ in told] == ["passages", "answer"]
    assert told[-1][1]["abstained"]


def test_a_follow_up_is_understood_by_what_was_asked_before(client: httpx.Client) -> None:
    question = "And who are the others?"
    history = [
        {"role": "user", "content": "Who is the foreign minister of Belarus?"},
        {"role": "assistant", "content": "Maxim Ryzhenkov is the foreign minister of Belarus."},
    ]
    alone = client.post("/v1/search", json={"question": question}).json()["hits"][0]
    after = client.post("/v1/search", json={"question": question, "history": history})
    assert "Ryzhenkov" in after.json()["hits"][0]["text"]
    assert "Ryzhenkov" not in alone["text"]


def test_filters_hold(client: httpx.Client) -> None:
    body = {"question": HELD, "filter": {"doc": ["economy.md", "sanct*"]}}
    hits = client.post("/v1/search", json=body).json()["hits"]
    assert {hit["doc"] for hit in hits} <= {"economy.md", "sanctions.md"}
    assert hits


def test_documents_are_listed_page_by_page(client: httpx.Client) -> None:
    ids: list[str] = []
    after = None
    while True:
        params = {"limit": 4} | ({"after": after} if after else {})
        page = DocumentPage.model_validate(client.get("/v1/documents", params=params).json())
        ids += [row.id for row in page.documents]
        assert page.total == 10
        after = page.next
        if after is None:
            break
    assert ids == sorted(path.name for path in (ROOT / "seeds").glob("*.md"))


def test_a_document_is_read_whole_or_around_a_span(client: httpx.Client) -> None:
    text = (ROOT / "seeds/economy.md").read_text(encoding="utf-8")
    whole = DocumentWindow.model_validate(client.get("/v1/documents/economy.md").json())
    assert (whole.text, whole.characters, whole.start) == (text, len(text), None)
    params = {"start": 100, "end": 120, "context": 30}
    part = DocumentWindow.model_validate(client.get("/v1/documents/economy.md", params=params).json())
    assert part.text == text[70:150]
    assert (part.window_start, part.window_end, part.start, part.end) == (70, 150, 100, 120)
    for wrong, status in [
        ({"start": -5}, 422),
        ({"start": 9, "end": 3}, 404),
        ({"start": 0, "end": 10**8}, 404),
    ]:
        assert client.get("/v1/documents/economy.md", params=wrong).status_code == status
    assert client.get("/v1/documents/nothing.md").status_code == 404


def test_the_index_tells_what_can_be_asked(client: httpx.Client) -> None:
    state = IndexState.model_validate(client.get("/v1/index").json())
    assert state.backends == ["extractive"]
    [collection] = state.collections
    assert (collection.name, collection.ready, collection.documents) == ("default", True, 10)


def test_feedback_is_kept_as_the_harness_reads_it(client: httpx.Client, feedback: Path) -> None:
    history = [{"role": "user", "content": "Who was freed?"}]
    answer = asked(client, question=HELD, history=history, filter={"doc": "pris*"})
    said = {"receipt": answer["receipt"], "thumb": "down", "correction": "37", "comment": "“figures”"}
    assert client.post("/v1/feedback", json=said).status_code == 201
    assert client.post("/v1/feedback", json={"receipt": answer["receipt"]}).status_code == 422
    assert client.post("/v1/feedback", json={"receipt": "0" * 32, "thumb": "up"}).status_code == 404
    [read] = read_feedback(feedback)
    assert (read.receipt, read.thumb, read.correction) == (answer["receipt"], "down", "37")
    assert (read.question, read.filter) == (HELD, {"doc": "pris*"})
    assert read.answer.answer == answer["answer"]
    assert oct(feedback.stat().st_mode & 0o777) == "0o600"


def test_health_metrics_and_description(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"ready": True, "collections": {"default": "ok"}}
    asked(client, question=HELD)
    asked(client, question=NOT_HELD)
    text = client.get("/metrics").text
    for line in [
        'seedrag_answers_total{backend="extractive",outcome="abstained"}',
        'seedrag_citations_total{verdict="verified"}',
        'seedrag_index_generation{collection="default"} 1.0',
        'seedrag_requests_total{method="POST",route="/v1/ask",status="200"}',
        'seedrag_stage_seconds_count{stage="retrieve"}',
    ]:
        assert line in text
    described = client.get("/openapi.json").json()
    assert described["components"]["schemas"]["AskBody"]["properties"]["question"]["maxLength"] == 4000


def test_an_uploaded_document_can_be_asked_at_once(kept: tuple[httpx.Client, Path]) -> None:
    client, seeds = kept
    text = "# Coffee\n\nCoffee beans are roasted at about 200 degrees.\n"
    first = client.put("/v1/documents/drinks/coffee.md", content=text)
    assert (first.status_code, first.json()["documents"]["added"]) == (201, 1)
    assert (seeds / "drinks/coffee.md").read_text() == text
    answer = asked(client, question="How hot is the roasting of coffee?")
    assert answer["citations"][0]["doc"] == "drinks/coffee.md"
    again = client.put("/v1/documents/drinks/coffee.md", content=text.replace("200", "210"))
    assert (again.status_code, again.json()["documents"]["changed"]) == (200, 1)
    assert "210" in asked(client, question="How hot is the roasting of coffee?")["answer"]
    gone = client.delete("/v1/documents/drinks/coffee.md")
    assert (gone.status_code, gone.json()["documents"]["removed"]) == (200, 1)
    assert client.get("/v1/documents/drinks/coffee.md").status_code == 404
    assert not (seeds / "drinks/coffee.md").exists()
    assert client.delete("/v1/documents/drinks/coffee.md").status_code == 404
    assert client.delete("/v1/documents/cocoa.md").status_code == 404


def test_a_document_whose_file_is_gone_goes_with_the_next_build(
    kept: tuple[httpx.Client, Path],
) -> None:
    client, seeds = kept
    client.put("/v1/documents/coffee.md", content="Coffee is roasted.")
    (seeds / "coffee.md").unlink()
    told = client.delete("/v1/documents/coffee.md")
    assert told.status_code == 409
    assert "gone already" in told.json()["detail"]


def test_what_cannot_be_indexed_is_refused_and_nothing_is_lost(kept: tuple[httpx.Client, Path]) -> None:
    client, seeds = kept
    before = (seeds / "tea.md").read_bytes()
    for data in (b"", b"  \n", b"\x00\x01\x02\xff\xfe binary \x00"):
        assert client.put("/v1/documents/tea.md", content=data).status_code == 422
    assert (seeds / "tea.md").read_bytes() == before
    clash = client.put("/v1/documents/cocoa", content="Cocoa.")
    assert clash.status_code == 422
    assert sorted(path.name for path in seeds.iterdir()) == ["lines.jsonl", "tea.md"]


def test_a_build_runs_as_a_job(kept: tuple[httpx.Client, Path]) -> None:
    client, seeds = kept
    (seeds / "milk.md").write_text("Milk is pasteurised at 72 degrees.")
    begun = client.post("/v1/index/build", json={})
    assert begun.status_code == 202
    for _ in range(200):
        job = client.get(begun.headers["location"]).json()
        if job["state"] in ("done", "failed"):
            break
        time.sleep(0.05)
    assert job["state"] == "done"
    assert job["result"]["documents"]["added"] == 1
    assert "72" in asked(client, question="At how many degrees is milk pasteurised?")["answer"]
    assert client.get("/v1/jobs/none").status_code == 404


def test_a_generation_that_another_process_published_is_picked_up(
    kept: tuple[httpx.Client, Path], minilm: Encoder
) -> None:
    client, seeds = kept
    (seeds / "milk.md").write_text("Milk is pasteurised at 72 degrees.")
    build_index(IndexDirectory(seeds.parent / "index"), [seeds], minilm, Settings())
    for _ in range(100):
        if client.get("/v1/index").json()["collections"][0]["generation"] == "gen-000002":
            break
        time.sleep(0.05)
    assert client.get("/v1/documents/milk.md").status_code == 200


def test_it_starts_without_an_index_and_says_so(tmp_path: Path, minilm: Encoder) -> None:
    seeds = tmp_path / "notes"
    seeds.mkdir()
    (seeds / "tea.md").write_text("Green tea is steamed soon after picking.")
    settings = Settings(index=tmp_path / "index", seeds=seeds, refresh_seconds=0.05)
    with served(settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert "not built" in ready.json()["collections"]["default"]
        for stream in (False, True):
            refused = client.post("/v1/ask", json={"question": "Tea?", "stream": stream})
            assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
            assert str(tmp_path) not in refused.text
        assert client.post("/v1/index/build", json={}).status_code == 202
        for _ in range(200):
            if client.get("/readyz").status_code == 200:
                break
            time.sleep(0.05)
        assert "steamed" in asked(client, question="When is green tea steamed?")["answer"]


def test_collections_are_apart(tmp_path: Path, seed_index: Path, minilm: Encoder) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "tea.md").write_text("Green tea is steamed soon after picking.")
    build_index(IndexDirectory(tmp_path / "tea-index"), [notes], minilm, Settings())
    paths = CollectionPaths(index=tmp_path / "tea-index", seeds=notes)
    settings = Settings(index=seed_index, seeds=ROOT / "seeds", collections={"tea": paths})
    with served(settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        question = "When is green tea steamed?"
        assert asked(client, question=question)["abstained"]
        assert "steamed" in asked(client, question=question, collection="tea")["answer"]
        assert client.get("/v1/documents", params={"collection": "tea"}).json()["total"] == 1
        unknown = client.post("/v1/ask", json={"question": question, "collection": "cocoa"})
        assert unknown.status_code == 404
        models = [model["id"] for model in client.get("/v1/models").json()["data"]]
        assert "seedrag/tea/extractive" in models
        put = client.put("/v1/documents/milk.md", params={"collection": "tea"}, content="Milk.")
        assert put.status_code == 201
        assert (notes / "milk.md").exists()


def test_a_replica_only_reads(tmp_path: Path, seed_index: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(seed_index, index)
    settings = Settings(index=index, seeds=ROOT / "seeds", read_only=True)
    with served(settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        assert "thirty-seven" in asked(client, question=HELD)["answer"]
        assert client.put("/v1/documents/a.md", content="A.").status_code == 403
        assert client.delete("/v1/documents/economy.md").status_code == 403
        assert client.post("/v1/index/build", json={}).status_code == 403
    assert json.loads((index / "gen-000001/manifest.json").read_text())
