"""All that the routes work with, made once for an app."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.collections import Collections
from api.jobs import Jobs
from api.metrics import Metrics
from api.problems import ProblemError
from api.receipts import Receipts
from api.work import Workers
from rag.config import Settings


@dataclass
class Service:
    """The parts of a running service; `collections` are open once it has started."""

    settings: Settings
    collections: Collections
    workers: Workers
    metrics: Metrics
    receipts: Receipts
    jobs: Jobs


async def _service(request: Request) -> Service:
    service = request.app.state.service
    if service is None:
        raise ProblemError("not_ready", "The service is starting; try again in a moment.")
    assert isinstance(service, Service)
    return service


async def _admin(request: Request, service: Annotated[Service, Depends(_service)]) -> Service:
    if request.scope["state"]["caller"].role != "admin":
        raise ProblemError("forbidden", "This needs a key with the admin role.")
    return service


async def _writable(service: Annotated[Service, Depends(_admin)]) -> Service:
    if service.settings.read_only:
        raise ProblemError("forbidden", "This service only reads; build the index where it is kept.")
    return service


async def _json_only(request: Request) -> None:
    """Refuse what is not declared as JSON: a form needs no leave to come from another origin."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError("unsupported_type", "Send the body as application/json.")


JSON_ONLY = Depends(_json_only)
Asked = Annotated[Service, Depends(_service)]
"""The service, for whoever may ask."""
Kept = Annotated[Service, Depends(_admin)]
"""The service, for an admin."""
Written = Annotated[Service, Depends(_writable)]
"""The service, for an admin, where it may be written."""
