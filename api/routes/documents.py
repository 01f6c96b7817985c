"""The documents: listed, read around a span, and for an admin written and removed."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.documents import document_window, documents_page
from api.replies import Reply
from api.routes.documented import problems
from api.schemas import BuildResult, CollectionName, DocumentPage, DocumentWindow
from api.seeds import LONGEST_ID, SEED_ID, put_document, remove_document
from api.service import Asked, Written
from rag.wire import build_json

router = APIRouter(tags=["documents"])

In = Annotated[CollectionName, Query(description="The collection.")]
DocId = Annotated[str, Path(description="The document's id; it may hold `/`.", examples=["economy.md"])]
SeedId = Annotated[
    str,
    Path(
        description="The document's id: plain names joined by /, the last with a known ending.",
        pattern=SEED_ID,
        max_length=LONGEST_ID,
        examples=["notes/tea.md"],
    ),
]
At = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="Code points.")]


@router.get(
    "/v1/documents",
    response_model=DocumentPage,
    responses=problems("not_found", "not_ready", "invalid"),
    summary="List the documents",
)
async def list_documents(
    service: Asked,
    collection: In = "default",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
) -> Response:
    """Return a page of documents in the order of their ids."""
    snapshot = service.collections.named(collection).snapshot
    return Reply(await service.workers.compute(documents_page, snapshot, after, limit))


@router.get(
    "/v1/documents/{doc:path}",
    response_model=DocumentWindow,
    responses=problems("not_found", "not_ready", "invalid"),
    summary="Read a document, or the part of it around a span",
)
async def read_document(
    service: Asked,
    doc: DocId,
    collection: In = "default",
    start: At = None,
    end: At = None,
    context: Annotated[int, Query(ge=0, le=100_000, description="Code points on each side.")] = 1000,
) -> Response:
    """Return the text as it was indexed: all of it, or what stands around a span."""
    snapshot = service.collections.named(collection).snapshot
    window = await service.workers.compute(document_window, snapshot, doc, start, end, context)
    return Reply(window)


@router.put(
    "/v1/documents/{doc:path}",
    response_model=BuildResult,
    responses={
        201: {"model": BuildResult, "description": "It is new"},
        **problems("not_found", "not_ready", "conflict", body=True),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*\S"}}
                for kind in ("text/plain", "text/markdown", "application/octet-stream")
            },
        }
    },
    summary="Write a document into the seeds and index it",
)
async def write_document(
    service: Written, request: Request, doc: SeedId, collection: In = "default"
) -> Response:
    """Write the body as the seed file `doc`, bring the index up to date, and return what that did."""
    chosen = service.collections.named(collection)
    data = await request.body()
    report, created = await service.workers.build(put_document, chosen, doc, data)
    return Reply(build_json(report), 201 if created else 200)


@router.delete(
    "/v1/documents/{doc:path}",
    response_model=BuildResult,
    responses=problems("not_found", "not_ready", "conflict", "invalid", "forbidden"),
    summary="Remove a document from the seeds and the index",
)
async def delete_document(service: Written, doc: DocId, collection: In = "default") -> Response:
    """Remove the seed file `doc`, bring the index up to date, and return what that did."""
    chosen = service.collections.named(collection)
    report = await service.workers.build(remove_document, chosen, doc)
    return Reply(build_json(report))
