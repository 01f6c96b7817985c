"""Embeddings from a server: a real llama.cpp, and one that fails as servers do."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from rag import Retriever
from rag.config import Settings
from rag.embed import http, open_encoder
from rag.errors import EncoderError
from rag.protocols import Encoder
from tests.llama import llama_server

Reply = Callable[[dict[str, Any]], tuple[int, dict[str, str], Any]]


class Served:
    """A server of embeddings: a text's vector is how many letters it has, and what it begins with."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.failing: list[tuple[int, dict[str, str], Any]] = []
        self.reply: Reply = self.embed

    def embed(self, body: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        data = [
            {"index": at, "embedding": [len(text), ord(text[0]), 3.0]}
            for at, text in enumerate(body["input"])
        ]
        return 200, {}, {"data": data[::-1]}


@pytest.fixture
def served() -> Iterator[tuple[Served, str]]:
    kept = Served()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                kept.asked.append(body)
                kept.keys.add(self.headers.get("authorization"))
                status, headers, value = kept.failing.pop(0) if kept.failing else kept.reply(body)
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, said in {"content-length": str(len(data)), **headers}.items():
                self.send_header(name, said)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept, f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def opened(url: str, **more: Any) -> Encoder:
    return open_encoder(Settings(encoder="http:m", encoder_base_url=url, remembered=0, **more))


def test_texts_go_in_batches_and_come_back_in_order_at_unit_length(served: tuple[Served, str]) -> None:
    kept, url = served
    encoder = opened(url, encoder_query_prefix="q: ", encoder_api_key=SecretStr("s3cret"))
    assert (encoder.spec.name, encoder.spec.dimension, encoder.spec.max_tokens) == ("http:m", 3, 256)
    texts = [chr(97 + n % 26) * (n + 1) for n in range(100)]
    kept.asked.clear()
    rows = encoder.encode_passages(texts)
    assert rows.shape == (100, 3)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    expected = np.array([[len(text), ord(text[0]), 3.0] for text in texts])
    assert rows == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True))
    assert sorted(len(body["input"]) for body in kept.asked) == [4, 32, 32, 32]
    encoder.encode_queries(["why"])
    assert kept.asked[-1] == {"model": "m", "input": ["q: why"]}
    assert kept.keys == {"Bearer s3cret"}
    assert encoder.encode_passages([]).shape == (0, 3)


def test_what_passes_is_asked_for_again(
    served: tuple[Served, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, url = served
    waited: list[float] = []
    monkeypatch.setattr(http.time, "sleep", waited.append)
    kept.failing = [(429, {"retry-after": "7"}, {}), (503, {}, b"overloaded"), (500, {}, {})]
    assert opened(url).spec.dimension == 3
    assert waited == [7, 1, 2]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((401, {}, b"no such key"), "401 no such key"),
        ((503, {}, b"overloaded"), "503 overloaded"),
        ((200, {}, b"<html>"), "did not answer in JSON"),
        ((200, {}, {"data": [{"index": 0}]}), "no embeddings as OpenAI's API"),
        ((200, {}, {"data": [{"index": 0, "embedding": [0.0, 0.0]}]}), "no direction"),
        ((200, {}, {"data": [{"index": 0, "embedding": [1.0, float("nan")]}]}), "no direction"),
        ((200, {}, {"data": []}), "gave vectors of shape|no embeddings"),
    ],
)
def test_what_does_not_pass_is_one_sentence(
    served: tuple[Served, str],
    monkeypatch: pytest.MonkeyPatch,
    reply: tuple[int, dict[str, str], Any],
    said: str,
) -> None:
    kept, url = served
    monkeypatch.setattr(http.time, "sleep", lambda seconds: None)
    kept.reply = lambda body: reply
    with pytest.raises(EncoderError, match=said) as caught:
        opened(url)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EncoderError, match=r"m at http://127\.0\.0\.1:9"):
        opened("http://127.0.0.1:9/v1")


def test_a_changed_dimension_is_noticed(served: tuple[Served, str]) -> None:
    kept, url = served
    encoder = opened(url)
    kept.reply = lambda body: (200, {}, {"data": [{"index": 0, "embedding": [1.0] * 5}]})
    with pytest.raises(EncoderError, match=r"shape \(1, 5\) instead of \(1, 3\)"):
        encoder.encode_queries(["why"])


def test_a_real_server_embeds() -> None:
    with llama_server(512, embeds=True) as url:
        settings = Settings(encoder="http:smollm2", encoder_base_url=url, reader="off")
        documents = ["Green tea is steamed.", "The mill was built in 1702."]
        retriever = Retriever.from_documents(documents, settings)
        assert retriever.encoder.spec.dimension == 576
        assert retriever.search("When was the mill built?")[0].text == documents[1]
