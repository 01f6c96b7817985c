"""The page, the reference and their files: for people, so none of it is in the OpenAPI document."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from api.collections import Collection
from api.page.files import static_files
from api.page.reference import operations, schemas
from api.page.render import render
from api.problems import CODES, ProblemError
from api.service import Service
from rag.config import Settings

router = APIRouter(include_in_schema=False)

_KEPT = "public, max-age=60, must-revalidate"
_METHODS = ["GET", "HEAD"]


@router.api_route("/", methods=_METHODS)
async def page(request: Request) -> Response:
    """Return the page to ask on, also while the index is not ready."""
    service: Service | None = request.app.state.service
    settings = service.settings if service else Settings.model_construct()
    values = {
        "collections": [_told(each) for each in service.collections.values()] if service else [],
        "backends": list(service.collections.backends) if service else [],
        "max_question": settings.max_question_chars,
        "max_history": settings.max_history,
    }
    return HTMLResponse(render("page.html", values))


@router.api_route("/docs", methods=_METHODS)
async def docs(request: Request) -> Response:
    """Return the reference of the API."""
    document = request.app.openapi()
    values = {
        "service": document["info"],
        "base": str(request.base_url).rstrip("/"),
        "tags": operations(document, str(request.base_url).rstrip("/")),
        "schemas": schemas(document),
        "problems": CODES,
        "needs_key": "securitySchemes" in document["components"],
    }
    return HTMLResponse(render("docs.html", values))


@router.api_route("/static/{name}", methods=_METHODS)
async def static(name: str, request: Request) -> Response:
    """Return one of the page's own files."""
    found = static_files().get(name)
    if found is None:
        raise ProblemError("not_found", "Nothing is found at this address.")
    headers = {"ETag": found.etag, "Cache-Control": _KEPT}
    if _has(request.headers.get("if-none-match", ""), found.etag):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


def _told(collection: Collection) -> dict[str, Any]:
    snapshot = collection.snapshot if collection.ready else None
    count = snapshot.documents if snapshot else 0
    held = f"{count:,} document{'' if count == 1 else 's'}" if snapshot else "not ready"
    return {
        "name": collection.name,
        "ready": snapshot is not None,
        "trouble": collection.trouble,
        "held": held,
    }


def _has(known: str, etag: str) -> bool:
    """Tell whether `If-None-Match` names the tag; weak ones compare as strong ones do."""
    named = [each.strip().removeprefix("W/") for each in known.split(",")]
    return etag in named or "*" in named
