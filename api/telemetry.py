"""Traces by OpenTelemetry: a span for each request, and below it one for each stage of an answer.

A span tells which route was asked, and how that ended; never a path, a question, a text or a key.
"""

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import SpanKind, StatusCode, Tracer, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import log
from api.metrics import METHODS, Metrics
from rag import __version__
from rag.errors import ConfigError
from rag.types import Answer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

FASTAPI_SILENT: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""FastAPI's own spans would carry paths and query strings, and its log records stacks."""

_LAST_SECONDS = 5
"""How long the end of the service waits for spans that are still to be sent."""


class Tracing:
    """Makes the spans of one service. Its provider is its own: whatever else traces is not heard."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self.tracer: Tracer = provider.get_tracer("seedrag", __version__)
        self.metrics: Metrics = _TracedMetrics(self.tracer)

    @classmethod
    def from_environment(cls) -> "Tracing":
        """Return what sends spans by OTLP over HTTP, to where `OTEL_EXPORTER_OTLP_*` say.

        Raises `ConfigError` without the extra `telemetry`, or for variables that make no sense.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import OTELResourceDetector, Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise ConfigError(
                "RAG_TELEMETRY needs the extra `telemetry`: pip install 'seedrag[telemetry]', or in a "
                "checkout pip install -e '.[telemetry]'."
            ) from None
        logging.getLogger("opentelemetry").parent = log
        named = Resource({"service.name": "seedrag", "service.version": __version__})
        try:
            provider = TracerProvider(
                resource=named.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
            )
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except (ValueError, RuntimeError, OSError) as error:
            raise ConfigError(f"The variables of OpenTelemetry cannot be used: {error}.") from None
        return cls(provider)

    async def close(self) -> None:
        """Send what was not sent yet; after a few seconds what is left is lost."""
        # A thread of the loop's own pool would keep the process until the collector answers.
        last = threading.Thread(target=self._provider.shutdown, name="telemetry", daemon=True)
        last.start()
        until = time.monotonic() + _LAST_SECONDS
        while last.is_alive() and time.monotonic() < until:
            await asyncio.sleep(0.01)


class RequestSpans:
    """ASGI middleware outside of all other: one span a request, below the caller's if it names one."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing
        self._callers = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Trace a request; at the end of the service send what is left."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        name = "HTTP" if method == "_OTHER" else method
        span = self._tracing.tracer.start_span(
            name,
            self._callers.extract(Headers(scope=scope)),
            SpanKind.SERVER,
            {"http.request.method": method},
        )

        async def noticed(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= 500:
                    span.set_status(StatusCode.ERROR)
            await send(message)

        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                await self._app(scope, receive, noticed)
        except Exception:
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            route = getattr(scope.get("route"), "path", None)
            if route:
                span.update_name(f"{name} {route}")
                span.set_attribute("http.route", route)
            request_id = scope.get("state", {}).get("request_id")
            if request_id:
                span.set_attribute("seedrag.request_id", request_id)
            span.end()

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def last(message: Message) -> None:
            # Whoever runs us ends the process as soon as it hears this.
            if message["type"].startswith("lifespan.shutdown"):
                await self._tracing.close()
            await send(message)

        await self._app(scope, receive, last)


class _TracedMetrics(Metrics):
    """Counters whose answers also become spans, made afterwards from the time that each stage took.

    A stage runs in a thread of the library, which knows nothing of traces.
    """

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def answered(self, answer: Answer) -> None:
        """Count an answer, and put its stages below the span of the request."""
        super().answered(answer)
        told: dict[str, str | bool] = {
            "seedrag.backend": answer.backend,
            "seedrag.abstained": answer.abstained,
            "seedrag.generation": answer.index.generation,
        }
        ended = time.time_ns()
        found = ended - _nanoseconds(answer.timings_ms["generate"])
        began = found - _nanoseconds(answer.timings_ms["retrieve"])
        for name, start, end in (("retrieve", began, found), ("generate", found, ended)):
            self._tracer.start_span(name, start_time=start, attributes=told).end(end)


def _nanoseconds(milliseconds: float) -> int:
    return round(milliseconds * 1e6)
