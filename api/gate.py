"""What every request passes on its way in, in this order, and what is noted on its way out."""

import asyncio
import logging
import time

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import kind_and_place, log, request_id
from api.metrics import METHODS, Metrics
from api.problems import ProblemError, problem_of
from api.security.body import ClientGoneError, read_body, replayed
from api.security.keys import Caller, Keys, is_near
from api.security.origin import Origins
from api.security.rates import Rates, Room
from rag.config import Settings

HEALTH = ("/healthz", "/readyz")
"""Open to everyone, and never refused for load."""
_MOST_HEADER_BYTES = 16_384
_HEADERS = [
    (b"content-security-policy",
     b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
     b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]  # fmt: skip
_NO_STORE = (b"cache-control", b"no-store")


class Gate:
    """ASGI middleware around the whole service."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._keys = Keys(settings)
        self._origins = Origins(settings)
        self._rates = Rates(settings, self._keys)
        self._room = Room(settings.max_requests)
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
            return
        request = Request(scope)
        known = request_id(request.headers.get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = known
        passage = _Passage(send, known, self._settings.send_seconds)
        began = time.perf_counter()
        self._metrics.in_work.inc()
        try:
            await self._through(request, receive, passage.send)
        except (ClientGoneError, ClientDisconnect):
            passage.status = passage.status or 499
        except Exception as error:
            problem = problem_of(error)
            if problem.code == "internal":
                log.error("failed", extra={"request_id": known, **kind_and_place(error)})
            if not passage.status:
                await problem.response(request)(scope, receive, passage.send)
        finally:
            self._metrics.in_work.dec()
            self._note(request, passage.status, time.perf_counter() - began)

    async def _through(self, request: Request, receive: Receive, send: Send) -> None:
        scope, headers = request.scope, request.headers
        if sum(len(name) + len(value) for name, value in headers.raw) > _MOST_HEADER_BYTES:
            raise ProblemError("header_too_large", "Send fewer or shorter headers.")
        self._origins.check_host(headers.getlist("host"))
        if scope["path"] in HEALTH:
            await self._app(scope, receive, send)
            return
        host, origin = headers["host"], headers.get("origin")
        self._origins.check_sender(request.method, host, origin, headers.get("sec-fetch-site"))
        peer = request.client.host if request.client else None
        shown = headers.get("authorization"), headers.get("x-api-key")
        caller = self._keys.caller(*shown, is_near(peer))
        scope["state"]["caller"] = caller
        self._rates.check(caller, peer or "-")
        with self._room.seat():
            limit = self._most_bytes(request, caller)
            declared = headers.get("content-length")
            body = await read_body(receive, declared, limit, self._settings.body_seconds)
            await self._app(scope, replayed(body, receive), send)

    def _most_bytes(self, request: Request, caller: Caller) -> int:
        if request.method == "PUT" and caller.role == "admin":
            return int(self._settings.max_upload_mb * 1e6)
        return self._settings.max_body_kb * 1000

    def _note(self, request: Request, status: int, seconds: float) -> None:
        route = getattr(request.scope.get("route"), "path", None) or "other"
        method = request.method if request.method in METHODS else "OTHER"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if log.isEnabledFor(logging.INFO):
            state = request.scope["state"]
            caller = state.get("caller") or Caller("none", "-")
            line = {
                "request_id": state["request_id"],
                "method": method,
                "route": route,
                "status": status,
                "ms": round(1000 * seconds, 2),
                "caller": caller.name,
                **state.get("noted", {}),
            }
            log.info("request", extra=line)


class _Passage:
    """The way out: adds the headers that every response has, and remembers the status."""

    def __init__(self, send: Send, request_id: str, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._headers = [*_HEADERS, (b"x-request-id", request_id.encode())]
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), *self._headers]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(_NO_STORE)
            message = {**message, "headers": headers}
        try:
            async with asyncio.timeout(self._seconds):
                await self._send(message)
        except (TimeoutError, OSError):  # it does not read, or has gone
            raise ClientGoneError from None
