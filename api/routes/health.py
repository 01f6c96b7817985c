"""Whether the process lives, whether it can answer, and what it counts."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from api.replies import Reply
from api.routes.documented import problems
from api.schemas import Health, Readiness
from api.service import Asked, Service

router = APIRouter(tags=["operation"])


@router.get("/healthz", response_model=Health, responses=problems(), summary="Does it live?")
async def healthz() -> Response:
    """Answer as long as the process does."""
    return Reply({"status": "ok"})


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not now"}, **problems()},
    summary="Can it answer?",
)
async def readyz(request: Request) -> Response:
    """Say whether questions of every collection can be answered; 503 where not."""
    service: Service | None = request.app.state.service
    if service is None:
        return Reply({"ready": False, "collections": {}}, 503)
    told = {
        name: "ok" if each.ready and each.trouble is None else each.trouble or "it is not open yet"
        for name, each in service.collections.items()
    }
    ready = all(each.ready for each in service.collections.values())
    return Reply({"ready": ready, "collections": told}, 200 if ready else 503)


@router.get(
    "/metrics",
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The counters"},
        **problems("not_ready"),
    },
    response_class=Response,
    summary="What Prometheus reads",
)
async def metrics(service: Asked) -> Response:
    """Return this process's counters in Prometheus' text format."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
