"""The door for programs that speak OpenAI's chat completions.

A model is `seedrag`, `seedrag/<collection>` or `seedrag/<collection>/<backend>`.
"""

import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from api.answering import Query, answered, noted, streamed
from api.collections import DEFAULT
from api.logs import kind_and_place, log
from api.openai_schemas import ChatBody, ChatResult, Model, ModelList, OtherMessage, UserMessage
from api.problems import ProblemError, openai_error, problem_of, request_id
from api.replies import Reply
from api.routes.documented import problems
from api.service import JSON_ONLY, Asked, Service
from rag.config import Settings
from rag.types import Message

router = APIRouter(tags=["OpenAI-compatible"])

NAME = "seedrag"
_CHUNK = {"type": "object", "properties": {"data": {"type": "string"}}}
_MARKER = re.compile(r"\[(\d+)\]")
_IGNORED = ("frequency_penalty", "functions", "logit_bias", "logprobs", "max_completion_tokens",
            "max_tokens", "presence_penalty", "response_format", "seed", "stop", "temperature",
            "tool_choice", "tools", "top_p")  # fmt: skip
"""Parameters that change how OpenAI's models write; given here, they are named in a warning."""


class _Completion(NamedTuple):
    """What all chunks of one reply share, and where its citations can be looked at."""

    id: str
    created: int
    model: str
    collection: str
    base_url: str
    notices: Sequence[Mapping[str, str]]

    @classmethod
    def of(cls, request: Request, body: ChatBody, query: Query) -> "_Completion":
        return cls(
            f"chatcmpl-{request_id(request)}",
            int(time.time()),
            body.model,
            query.collection,
            str(request.base_url),
            _ignored(body, len(query.history)),
        )

    def value(self, choices: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **more,
        }

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data(self.value([choice], **more))

    def with_notices(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        return {**answer, "warnings": [*answer["warnings"], *self.notices]}

    def annotations(self, answer: Mapping[str, Any], text: str) -> list[dict[str, Any]]:
        """Return one annotation for each marker of the text that names a place."""
        citations = answer["citations"]
        found = []
        for match in _MARKER.finditer(text):
            n = int(match[1][:6])
            citation = citations[n - 1] if 1 <= n <= len(citations) else None
            if citation is not None and citation["doc"] is not None:
                place = {key: citation[key] for key in ("doc", "start", "end")}
                query = urlencode({**place, "collection": self.collection})
                cited = {
                    "start_index": match.start(),
                    "end_index": match.end(),
                    "title": citation["title"] or citation["doc"],
                    "url": f"{self.base_url}?{query}",
                }
                found.append({"type": "url_citation", "url_citation": cited})
        return found


@router.get(
    "/v1/models", response_model=ModelList, responses=problems("not_ready"), summary="List the models"
)
async def list_models(service: Asked) -> Response:
    """Return a model for each collection and backend; `seedrag` is the default of both."""
    return Reply({"object": "list", "data": [_model(name) for name in _models(service)]})


@router.get(
    "/v1/models/{model:path}",
    response_model=Model,
    responses=problems("not_found", "not_ready", "invalid"),
    summary="Look up a model",
)
async def read_model(model: str, service: Asked) -> Response:
    """Return one model."""
    _chosen(service, model)
    return Reply(_model(model))


@router.post(
    "/v1/chat/completions",
    dependencies=[JSON_ONLY],
    response_model=ChatResult,
    responses={
        200: {"content": {"text/event-stream": {"schema": _CHUNK}}},
        **problems("not_found", "not_ready", "backend_failed", "too_slow", body=True),
    },
    summary="Answer the last user message of a conversation",
)
async def complete(body: ChatBody, request: Request, service: Asked) -> Response:
    """Answer from the documents; what users said before counts as history, system messages do not."""
    query = _query(service, body)
    if service.settings.log_questions:
        noted(request, question=query.question)
    service.collections[query.collection].check_ready()  # before a stream begins
    completion = _Completion.of(request, body, query)
    if body.stream:
        usage = bool(body.stream_options and body.stream_options.include_usage)
        return StreamingResponse(
            _chunks(service, query, completion, usage), media_type="text/event-stream"
        )
    answer = await answered(service, query, request)
    message = {
        "role": "assistant",
        "content": answer["answer"],
        "refusal": None,
        "annotations": completion.annotations(answer, answer["answer"]),
    }
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": _finish(answer),
        "logprobs": None,
    }
    return Reply(
        {
            "id": completion.id,
            "object": "chat.completion",
            "created": completion.created,
            "model": body.model,
            "choices": [choice],
            "usage": _usage(answer),
            "seedrag": completion.with_notices(answer),
        }
    )


async def _chunks(
    service: Service, query: Query, completion: _Completion, usage: bool
) -> AsyncIterator[bytes]:
    said = ""
    yield completion.chunk({"role": "assistant", "content": ""})
    try:
        async with aclosing(streamed(service, query)) as told:
            async for events in told:
                for name, data in events:
                    if name == "token":
                        said += data["text"]
                        yield completion.chunk({"content": data["text"]})
                    elif name == "answer":
                        for piece in _ending(completion, said, data, usage):
                            yield piece
    except Exception as error:
        problem = problem_of(error)
        log.warning("stream failed", extra={"request_id": completion.id, **kind_and_place(error)})
        yield _data({"error": openai_error(problem)})
        return
    yield b"data: [DONE]\n\n"


def _ending(
    completion: _Completion, said: str, answer: Mapping[str, Any], usage: bool
) -> Iterator[bytes]:
    """Yield the end of a stream: what was not said yet, the citations, perhaps the usage."""
    if answer["abstained"]:
        rest = f"\n\n{answer['answer']}" if said else answer["answer"]
        yield completion.chunk({"content": rest})
        said += rest
    annotations = completion.annotations(answer, said)
    yield completion.chunk(
        {"annotations": annotations}, _finish(answer), seedrag=completion.with_notices(answer)
    )
    if usage:
        yield _data(completion.value([], usage=_usage(answer)))


def _query(service: Service, body: ChatBody) -> Query:
    users = [at for at, each in enumerate(body.messages) if isinstance(each, UserMessage)]
    if not users:
        raise ProblemError("invalid", "messages holds no user message, so there is no question.")
    last = body.messages[users[-1]]
    assert isinstance(last, UserMessage)
    collection, backend = _chosen(service, body.model)
    history = [turn for each in body.messages[: users[-1]] if (turn := _turn(each, service.settings))]
    kept = history[max(0, len(history) - service.settings.max_history) :]
    return Query.checked(service, last.said, collection, backend, history=kept)


def _turn(message: UserMessage | OtherMessage, bounds: Settings) -> Message | None:
    """Return a turn of the history, the end of a long one left out; None for what is none."""
    if isinstance(message, UserMessage):
        return Message("user", message.said[: bounds.max_question_chars])
    if message.role == "assistant" and isinstance(message.content, str):
        return Message("assistant", message.content[: bounds.max_question_chars])
    return None


def _chosen(service: Service, model: str) -> tuple[str, str | None]:
    if model not in _models(service):
        raise ProblemError("not_found", "There is no model of this name; GET /v1/models lists them.")
    parts = model.split("/", 2)[1:]
    return (parts[0] if parts else DEFAULT), (parts[1] if len(parts) > 1 else None)


def _models(service: Service) -> list[str]:
    names = [f"{NAME}/{collection}" for collection in service.collections]
    backends = service.collections.backends
    return [NAME, *names, *(f"{name}/{backend}" for name in names for backend in backends)]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": NAME}


def _ignored(body: ChatBody, heard: int) -> list[dict[str, str]]:
    given = [name for name in _IGNORED if (body.model_extra or {}).get(name) is not None]
    if any(isinstance(each, OtherMessage) and each.role != "assistant" for each in body.messages):
        given.append("messages that neither user nor assistant wrote")
    spoken = [isinstance(each, UserMessage) or each.role == "assistant" for each in body.messages]
    users = [at for at, each in enumerate(body.messages) if isinstance(each, UserMessage)]
    if users and sum(spoken[: users[-1]]) > heard:
        given.append("the earliest messages, or some that are no text")
    if users and users[-1] + 1 < len(body.messages):
        given.append("messages after the user's last")
    if not given:
        return []
    return [{"code": "parameters_ignored", "message": f"Not heeded here: {', '.join(given)}."}]


def _finish(answer: Mapping[str, Any]) -> str:
    """Return why the answer ends where it does, in OpenAI's words."""
    return "length" if any(each["code"] == "reply_cut" for each in answer["warnings"]) else "stop"


def _usage(answer: Mapping[str, Any]) -> dict[str, int] | None:
    """Return the tokens that a backend told of, in OpenAI's names; None where it did not."""
    told = answer["usage"]
    if not told:
        return None
    read, written = (told.get(name, 0) for name in ("prompt_tokens", "completion_tokens"))
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _data(value: Mapping[str, Any]) -> bytes:
    return b"data: %b\n\n" % to_json(value)
