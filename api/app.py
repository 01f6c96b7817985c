"""The service as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import mcp
from api.collections import Collections
from api.gate import Gate
from api.jobs import Jobs
from api.logs import kind_and_place, log
from api.metrics import Metrics
from api.openapi import allowed_methods, describe
from api.problems import ProblemError, answer_problem
from api.receipts import Receipts
from api.routes import ask, documents, feedback, health, index, openai, page
from api.service import Service
from api.telemetry import FASTAPI_SILENT, RequestSpans, Tracing
from api.work import Workers
from rag import __version__
from rag.config import Settings
from rag.errors import RagError


async def _not_allowed(request: Request, error: Exception) -> Response:
    """Name all methods of a path: several routes may share it."""
    response = await answer_problem(request, error)
    methods = allowed_methods(request.app, request.url.path)
    if methods:
        response.headers["Allow"] = ", ".join(methods)
    return response


_HANDLED = (ProblemError, RagError, RequestValidationError, HTTPException)


def create_app(settings: Settings | None = None, tracing: Tracing | None = None) -> FastAPI:
    """Return the service; its indexes are opened when it starts.

    An index that is not there yet does not keep it from starting: `/readyz` says so, and it is
    opened as soon as it is. Raises `ConfigError`.
    """
    settings = settings or Settings.load()
    if tracing is None and settings.telemetry:
        tracing = Tracing.from_environment()
    metrics = tracing.metrics if tracing else Metrics()
    mcp_door = mcp.Door()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with running(settings, metrics) as service, mcp_door.opened(service):
                app.state.service = service
                yield
        except RagError as error:
            app.state.failure = error
            raise

    app = FastAPI(
        title="seedrag",
        version=__version__,
        summary="Ask your own documents, and get an answer you can check.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        exception_handlers={**dict.fromkeys(_HANDLED, answer_problem), 405: _not_allowed},
        telemetry=FASTAPI_SILENT,
    )
    app.state.service = None
    app.state.failure = None
    for door in (ask, documents, index, feedback, openai, health, page):
        app.include_router(door.router)
    for path in mcp.PATHS:
        app.router.routes.append(Route(path, mcp_door, methods=["POST"], include_in_schema=False))
    describe(app, settings)
    app.add_middleware(Gate, settings=settings, metrics=metrics)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", *mcp.HEADERS],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    if tracing:
        app.add_middleware(RequestSpans, tracing=tracing)
    return app


@asynccontextmanager
async def running(settings: Settings, metrics: Metrics) -> AsyncIterator[Service]:
    """Open the collections and follow them from generation to generation until the block ends."""
    workers = Workers(settings.max_requests)
    collections = await workers.compute(Collections, settings)
    service = Service(settings, collections, workers, metrics, Receipts(), Jobs(workers))
    await _refresh(service)
    following = asyncio.create_task(_follow(service))
    try:
        yield service
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        workers.close()


async def _follow(service: Service) -> None:
    """Turn to new generations as they are published."""
    while True:
        await asyncio.sleep(service.settings.refresh_seconds)
        await _refresh(service)


async def _refresh(service: Service) -> None:
    for name, collection in service.collections.items():
        before = collection.trouble
        try:
            await service.workers.wait(collection.refresh)
        except Exception as error:  # the next round tries again
            log.error("refresh failed", extra={"collection": name, **kind_and_place(error)})
        if collection.ready:
            service.metrics.turned(name, collection.snapshot.generation)
        if collection.trouble and collection.trouble != before:
            log.warning(
                "collection in trouble", extra={"collection": name, "trouble": collection.trouble}
            )
