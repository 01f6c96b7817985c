"""Traces: what a request leaves in them, what it never does, and that they reach a collector."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import create_app
from api.security.keys import new_key
from api.telemetry import Tracing
from rag.config import Settings
from rag.errors import ConfigError
from tests.conftest import ROOT
from tests.serving import HELD, NOT_HELD

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra `telemetry` is not installed")
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402
from opentelemetry.trace import SpanKind, StatusCode  # noqa: E402

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Traced:
    """A service whose spans are kept, and a client of it."""

    def __init__(self, settings: Settings) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.client = TestClient(create_app(settings, Tracing(provider)), "http://localhost")

    def taken(self) -> list[ReadableSpan]:
        """Return the spans since the last time, the request's own last."""
        spans = list(self._exporter.get_finished_spans())
        self._exporter.clear()
        return spans


@pytest.fixture(scope="module")
def traced(seed_index: Path) -> Iterator[Traced]:
    service = Traced(Settings(index=seed_index, seeds=ROOT / "seeds"))
    with service.client:
        yield service


def _attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def _check_stages(spans: list[ReadableSpan], abstained: bool) -> None:
    retrieve, generate, request = spans
    assert [retrieve.name, generate.name] == ["retrieve", "generate"]
    assert request.context is not None
    for stage in (retrieve, generate):
        assert stage.parent is not None
        assert stage.parent.span_id == request.context.span_id
        assert _attributes(stage) == {
            "seedrag.backend": "extractive",
            "seedrag.abstained": abstained,
            "seedrag.generation": "gen-000001",
        }
    times = [request.start_time, retrieve.start_time, retrieve.end_time, generate.end_time]
    assert None not in times
    assert times == sorted(times)  # type: ignore[type-var]
    assert retrieve.end_time == generate.start_time


def test_an_answer_is_a_request_with_its_two_stages(traced: Traced) -> None:
    response = traced.client.post("/v1/ask", json={"question": HELD})
    spans = traced.taken()
    _check_stages(spans, abstained=False)
    request = spans[-1]
    assert (request.name, request.kind, request.parent) == ("POST /v1/ask", SpanKind.SERVER, None)
    assert request.status.status_code is StatusCode.UNSET
    assert _attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/v1/ask",
        "http.response.status_code": 200,
        "seedrag.request_id": response.headers["x-request-id"],
    }


def test_a_streamed_abstention_has_its_stages(traced: Traced) -> None:
    traced.client.post("/v1/ask", json={"question": NOT_HELD, "stream": True})
    _check_stages(traced.taken(), abstained=True)


def test_a_tool_of_mcp_has_its_stages(traced: Traced) -> None:
    call = {"name": "ask", "arguments": {"question": HELD}}
    response = traced.client.post(
        "/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        headers={"Accept": "application/json, text/event-stream"},
    )
    assert response.status_code == 200, response.text
    spans = traced.taken()
    _check_stages(spans, abstained=False)
    assert spans[-1].name == "POST /mcp"


@pytest.mark.parametrize(
    ("method", "path", "name", "route", "status"),
    [
        ("GET", "/v1/documents/economy.md?start=3", "GET /v1/documents/{doc:path}", True, 200),
        ("GET", "/v1/documents/secret-plan", "GET /v1/documents/{doc:path}", True, 404),
        ("GET", "/secret-plan?key=secret", "GET", False, 404),
        ("BREW", "/healthz", "HTTP /healthz", True, 405),
        ("GET", "/healthz", "GET /healthz", True, 200),
    ],
)
def test_a_span_has_the_route_but_not_the_path(
    traced: Traced, method: str, path: str, name: str, route: bool, status: int
) -> None:
    traced.client.request(method, path)
    [span] = traced.taken()
    told = _attributes(span)
    assert told.get("http.response.status_code") == status
    assert span.name == name
    assert told.get("http.route") == (name.partition(" ")[2] if route else None)
    assert "secret" not in span.to_json()


def test_nothing_of_a_question_its_answer_or_a_key_is_told(seed_index: Path) -> None:
    key, digest = new_key()
    service = Traced(Settings(index=seed_index, api_keys=(f"read:{digest}",)))
    with service.client as client:
        headers = {"Authorization": f"Bearer {key}"}
        answer = client.post("/v1/ask", json={"question": HELD}, headers=headers).json()
        client.post("/v1/ask", json={"question": HELD}, headers={"X-API-Key": "wrong-one"})
    spans = service.taken()
    assert _attributes(spans[-1])["http.response.status_code"] == 401
    told = "".join(span.to_json() for span in spans)
    for secret in (key, digest[:8], "wrong-one", HELD, "walked", answer["answer"], "prisoner"):
        assert secret not in told


def test_what_fails_by_our_fault_is_marked(tmp_path: Path) -> None:
    service = Traced(Settings(index=tmp_path / "none"))
    with service.client as client:
        client.post("/v1/ask", json={"question": HELD})
        client.post("/v1/ask", json={})
    failed, refused = service.taken()
    assert _attributes(failed)["http.response.status_code"] == 503
    assert failed.status.status_code is StatusCode.ERROR
    assert not failed.events
    assert refused.status.status_code is StatusCode.UNSET


def test_the_callers_trace_goes_on(traced: Traced) -> None:
    traced.client.get("/healthz", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    [span] = traced.taken()
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == CALLER


def test_a_callers_trace_that_is_none_is_ignored(traced: Traced) -> None:
    traced.client.get("/healthz", headers={"traceparent": "00-zero"})
    [span] = traced.taken()
    assert span.parent is None


def test_without_traces_the_sdk_is_not_loaded() -> None:
    code = (
        "import sys; from api import create_app; from rag.config import Settings; "
        "create_app(Settings()); print([m for m in sys.modules if m.startswith('opentelemetry.sdk')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"pip install 'seedrag\[telemetry\]'"):
        create_app(Settings(telemetry=True))


def test_a_variable_that_makes_no_sense_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "few")
    with pytest.raises(ConfigError, match="few"):
        create_app(Settings(telemetry=True))


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Give the address of a collector on loopback, and what is posted to it."""
    posted: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", posted
        server.shutdown()
        thread.join()


def test_what_is_left_is_sent_to_the_collector_at_the_end(
    collector: tuple[str, list[tuple[str, bytes]]],
    seed_index: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    address, posted = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    app = create_app(Settings(index=seed_index, telemetry=True))
    with TestClient(app, "http://localhost") as client:
        client.post("/v1/ask", json={"question": HELD})
    assert [path for path, _ in posted] == ["/v1/traces"]
    sent = MessageToDict(ExportTraceServiceRequest.FromString(posted[0][1]))
    [resource] = sent["resourceSpans"]
    about = {each["key"]: each["value"]["stringValue"] for each in resource["resource"]["attributes"]}
    assert about["service.name"] == "seedrag"
    assert about["deployment.environment.name"] == "test"
    [scope] = resource["scopeSpans"]
    assert {span["name"] for span in scope["spans"]} == {"POST /v1/ask", "retrieve", "generate"}
    assert "walked" not in json.dumps(sent)


def test_a_collector_that_is_away_disturbs_nobody(
    seed_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    app = create_app(Settings(index=seed_index, telemetry=True))
    with TestClient(app, "http://localhost") as client:
        assert client.get("/healthz").status_code == 200
