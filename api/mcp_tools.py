"""The tools of the MCP door: what each takes, what it does, and how its result reads.

They ask through the same bounds and give the same values as the HTTP API.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from mcp_types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request

from api.answering import Query, answered, noted
from api.collections import DEFAULT
from api.documents import document_window
from api.schemas import (
    AnswerResult,
    CollectionName,
    DocFilter,
    DocumentWindow,
    Question,
    SearchResult,
    Turn,
)
from api.service import Service
from rag.types import Message
from rag.wire import search_json

MOST_CHARACTERS = 100_000
"""Text that `read_document` gives at a time; a model's context holds little more."""

Told: TypeAlias = tuple[str, dict[str, Any]]
"""A result for people to read, and the same for programs."""

_At = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Arguments(BaseModel):
    """What any tool is called with."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = Field(DEFAULT, description="Which set of documents to use.")


class SearchArguments(Arguments):
    """What to search for."""

    question: Question = Field(description="A question, or words to look for, in any language.")
    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Most passages to return; the service's own number if not given."
    )
    filter: DocFilter | None = Field(
        None,
        description='Search only documents that fit: `{"doc": "prefix/*", "title": "…", '
        '"meta.<key>": value or list of values}`; all must hold.',
    )


class AskArguments(Arguments):
    """What to answer."""

    question: Question = Field(description="The question, in any language.")
    backend: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="What writes the answer; the service's own choice if not given."
    )
    history: list[Turn] | None = Field(
        None, description="What was said before, oldest first, so that a follow-up is understood."
    )


class ReadArguments(Arguments):
    """What to read."""

    id: str = Field(
        min_length=1, description="The document's id, as `doc` in passages and citations gives it."
    )
    start: _At | None = Field(
        None, description="First code point of a span, as a citation gives it; give `end` with it."
    )
    end: _At | None = Field(None, description="End of the span, itself not included.")
    context: int = Field(
        1000, ge=0, le=100_000, description="Code points to show on each side of the span."
    )


async def search(service: Service, given: Any, request: Request | None) -> Told:
    """Find passages; raises `ProblemError`, `RagError`."""
    query = Query.checked(
        service, given.question, given.collection, top_k=given.top_k, filter=given.filter
    )
    _note_question(service, request, query)
    retriever = service.collections[query.collection].retriever
    found = await service.workers.compute(
        retriever.retrieve, query.question, query.top_k, query.filter, query.history
    )
    value = search_json(query.question, found.passages)
    return _hits_text(value["hits"]) or "Nothing was found.", value


async def ask(service: Service, given: Any, request: Request | None) -> Told:
    """Answer; raises `ProblemError`, `RagError`, and `ClientGoneError` as `answered` does."""
    history = [Message(turn.role, turn.content) for turn in given.history or ()]
    query = Query.checked(service, given.question, given.collection, given.backend, history=history)
    _note_question(service, request, query)
    value = await answered(service, query, request)
    return _answer_text(value), value


async def read(service: Service, given: Any, _: Request | None) -> Told:
    """Read a document or a part of it; raises `ProblemError`."""
    snapshot = service.collections[given.collection].snapshot
    value = await service.workers.compute(
        document_window, snapshot, given.id, given.start, given.end, given.context
    )
    if len(value["text"]) > MOST_CHARACTERS:
        end = value["window_start"] + MOST_CHARACTERS
        value = {**value, "text": value["text"][:MOST_CHARACTERS], "window_end": end}
    return _window_text(value), value


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool: what a client is told of it, and what it does."""

    title: str
    description: str
    arguments: type[Arguments]
    result: type[BaseModel]
    run: Callable[[Service, Any, Request | None], Awaitable[Told]]


OFFERS: Mapping[str, Offer] = {
    "search": Offer(
        "Search the documents",
        "Find the passages that fit a question best. Each comes with its document, its exact place "
        "(start and end in code points), its text and a score. Use it to look around, or to answer "
        "from the passages yourself.",
        SearchArguments,
        SearchResult,
        search,
    ),
    "ask": Offer(
        "Ask the documents",
        "Answer a question from the documents alone. Each sentence carries [n], and each citation is a "
        "verbatim quote with its document and offsets, checked by code. Where the documents do not "
        "answer, it says so and shows the nearest passages.",
        AskArguments,
        AnswerResult,
        ask,
    ),
    "read_document": Offer(
        "Read a document",
        "Read a document as it was indexed; with start and end only what stands around that span, "
        f"such as a citation's. At most {MOST_CHARACTERS:,} characters come at a time; the result says "
        "where they stand in the whole.",
        ReadArguments,
        DocumentWindow,
        read,
    ),
}
_HINTS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def tool(name: str, service: Service) -> Tool:
    """Return a tool as this service's clients are told of it."""
    offer = OFFERS[name]
    return Tool(
        name=name,
        title=offer.title,
        description=offer.description,
        input_schema=_schema(offer.arguments, service),
        output_schema=offer.result.model_json_schema(),
        annotations=_HINTS.model_copy(update={"title": offer.title}),
    )


def _schema(arguments: type[Arguments], service: Service) -> dict[str, Any]:
    """Return a schema of arguments, with this service's own bounds and choices put in."""
    value = arguments.model_json_schema()
    fields = value["properties"]
    fields["collection"] = fields.pop("collection")  # a model should read of the question first
    bounds = service.settings
    told = {
        "question": {"maxLength": bounds.max_question_chars},
        "top_k": {"maximum": bounds.max_top_k},
        "history": {"maxItems": bounds.max_history},
        "collection": {"enum": list(service.collections)},
        "backend": {"enum": list(service.collections.backends)},
    }
    for name, field in fields.items():
        field.get("anyOf", [field])[0].update(told.get(name, {}))
    return value


def _note_question(service: Service, request: Request | None, query: Query) -> None:
    if request and service.settings.log_questions:
        noted(request, question=query.question)


def _place(value: Mapping[str, Any]) -> str:
    under = f", {value['locator']}" if value["locator"] else ""
    return f"{value['doc']} {value['start']}-{value['end']}{under}"


def _hits_text(hits: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(f"{n}. {_place(hit)}\n{hit['text']}" for n, hit in enumerate(hits, 1))


def _answer_text(answer: Mapping[str, Any]) -> str:
    """Return an answer with its verbatim citations, or an abstention with the nearest passages."""
    notes = [f"Note: {notice['message']}" for notice in answer["warnings"]]
    if answer["abstained"]:
        near = _hits_text(answer["passages"][:3])
        parts = [answer["answer"], *notes]
        return "\n\n".join([*parts, f"Nearest passages:\n\n{near}"] if near else parts)
    cited = [
        f"[{each['n']}] {_place(each)} ({each['verdict']})\n“{each['quote']}”"
        if each["doc"] is not None
        else f"[{each['n']}] names no passage ({each['verdict']})"
        for each in answer["citations"]
    ]
    sure = f"Confidence: {answer['confidence']:.2f}"
    return "\n\n".join([answer["answer"], *cited, *notes, sure])


def _window_text(window: Mapping[str, Any]) -> str:
    first, last, whole = window["window_start"], window["window_end"], window["characters"]
    where = f"{window['id']}, characters {first} to {last} of {whole}"
    if window["start"] is not None:
        where += f", around {window['start']} to {window['end']}"
    elif last < whole:
        where += "; give start and end to read on"
    return f"{where}:\n\n{window['text']}"
