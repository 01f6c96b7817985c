"""Questions: passages for them, and answers to them."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from api.answering import Query, answered, noted, streamed
from api.logs import kind_and_place, log
from api.problems import problem_of, request_id
from api.replies import Reply
from api.routes.documented import problems
from api.schemas import AnswerResult, AskBody, SearchBody, SearchResult
from api.service import JSON_ONLY, Asked, Service
from rag.types import Message, Policy
from rag.wire import search_json

router = APIRouter(tags=["questions"])

_STREAM = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
            "description": "With `stream`: the events `passages`, `token` (many), then `answer` or "
            "`error`. The tokens' texts, joined, are the answer's, unless it is an abstention.",
        }
    }
}


@router.post(
    "/v1/search",
    dependencies=[JSON_ONLY],
    response_model=SearchResult,
    responses=problems("not_found", "not_ready", body=True),
    summary="Find the passages that fit a question best",
)
async def search(body: SearchBody, request: Request, service: Asked) -> Response:
    """Return passages, best first, each with the signals that it was ranked by."""
    query = _query(service, body)
    _note(service, request, query)
    retriever = service.collections[query.collection].retriever
    found = await service.workers.compute(
        retriever.retrieve, query.question, query.top_k, query.filter, query.history, body.rerank
    )
    return Reply(search_json(query.question, found.passages))


@router.post(
    "/v1/ask",
    dependencies=[JSON_ONLY],
    response_model=AnswerResult,
    responses={
        200: {"content": _STREAM},
        **problems("not_found", "not_ready", "backend_failed", "too_slow", body=True),
    },
    summary="Answer a question, every sentence with a citation that was checked",
)
async def ask(body: AskBody, request: Request, service: Asked) -> Response:
    """Answer, or say that the documents do not.

    Where the answer is streamed, the `answer` event is what counts: it says whether it stands.
    """
    query = _query(service, body, body.backend, body.grounding)
    _note(service, request, query)
    service.collections[query.collection].check_ready()  # before a stream begins
    if body.stream:
        return StreamingResponse(
            _events(service, query, request_id(request)), media_type="text/event-stream"
        )
    return Reply(await answered(service, query, request))


def _query(
    service: Service,
    body: SearchBody | AskBody,
    backend: str | None = None,
    grounding: Policy | None = None,
) -> Query:
    history = [Message(turn.role, turn.content) for turn in body.history]
    return Query.checked(
        service, body.question, body.collection, backend, body.top_k, body.filter, history, grounding
    )


def _note(service: Service, request: Request, query: Query) -> None:
    if service.settings.log_questions:
        noted(request, question=query.question)


async def _events(service: Service, query: Query, known_as: str) -> AsyncIterator[bytes]:
    try:
        async with aclosing(streamed(service, query)) as told:
            async for events in told:
                yield b"".join(_event(name, data) for name, data in events)
    except Exception as error:
        problem = problem_of(error)
        log.warning("stream failed", extra={"request_id": known_as, **kind_and_place(error)})
        yield _event("error", problem.body(known_as))


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), to_json(data))
