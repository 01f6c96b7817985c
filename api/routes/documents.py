"""The documents: listed, read around a span, and for an admin written and removed."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.collections import Collection
from api.problems import ProblemError
from api.replies import Reply
from api.routes.documented import problems
from api.schemas import BuildResult, CollectionName, DocumentPage, DocumentWindow
from api.seeds import LONGEST_ID, SEED_ID, put_document, remove_document
from api.service import Asked, Written
from rag.store import Snapshot
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
    known = _holds(chosen, doc)
    report = await service.workers.build(put_document, chosen, doc, data)
    return Reply(build_json(report), 200 if known else 201)


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


def _holds(collection: Collection, doc: str) -> bool:
    return collection.ready and collection.snapshot.find(doc) is not None


def documents_page(snapshot: Snapshot, after: str | None, limit: int) -> dict[str, Any]:
    """Return at most `limit` documents whose ids come after `after`, as `DocumentPage`."""
    first = snapshot.after(after) if after is not None else 0
    last = min(first + limit, snapshot.documents)
    rows = [_row(snapshot, number) for number in range(first, last)]
    more = last < snapshot.documents
    return {
        "documents": rows,
        "total": snapshot.documents,
        "next": rows[-1]["id"] if more and rows else None,
    }


def _row(snapshot: Snapshot, number: int) -> dict[str, Any]:
    row = snapshot.document(number)
    return {"id": row.id, "title": row.title, "meta": dict(row.meta), "language": row.language}


def document_window(
    snapshot: Snapshot, doc: str, start: int | None = None, end: int | None = None, context: int = 0
) -> dict[str, Any]:
    """Return a document's text, or `context` code points around a span of it, as `DocumentWindow`.

    Raises `ProblemError` for an unknown document and for a span that is none or not there.
    """
    start, end = end if start is None else start, start if end is None else end
    if start is not None and end is not None and start > end:
        raise ProblemError("not_found", "There is no such span: it ends before it starts.")
    span = (start, end) if start is not None and end is not None else None
    number = snapshot.find(doc)
    if number is None:
        raise ProblemError("not_found", "There is no document with this id in the index.")
    text = snapshot.document_bytes(number).decode()
    first, last = 0, len(text)
    if span is not None:
        if span[1] > len(text):
            raise ProblemError(
                "not_found", f"The document ends at {len(text)}; the span does not exist."
            )
        first, last = max(0, span[0] - context), min(len(text), span[1] + context)
    return {
        **_row(snapshot, number),
        "characters": len(text),
        "window_start": first,
        "window_end": last,
        "text": text[first:last],
        "start": span[0] if span else None,
        "end": span[1] if span else None,
        "index": {"generation": snapshot.generation, "digest": snapshot.manifest.digest},
    }
