"""What goes over the wire, apart from the library's own values; the OpenAPI document is made of it."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StringConstraints,
)

from rag.config.service import NAME
from rag.types import Policy

RECEIPT = r"^[0-9a-f]{32}$"
_CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85"
Text = Annotated[str, StringConstraints(pattern=rf"^[^{_CONTROL}]*$")]
"""Text without control characters other than tab and line ends."""
Scalar = Text | int | FiniteFloat | bool
Question = Annotated[str, StringConstraints(pattern=rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$")]
"""Text in which there is something else than blanks."""


def _is_number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("it must be a number")
    return value


AS_NUMBER = BeforeValidator(_is_number)
"""For an integer that has to be written as a number; 3.0 is one too."""
CollectionName = Annotated[str, StringConstraints(pattern=rf"^{NAME.pattern}$")]
FilterKey = Annotated[str, StringConstraints(pattern=r"^(doc|title|meta\..+)$")]
FilterValue = Scalar | Annotated[list[Scalar], Field(min_length=1, max_length=100)]
DocFilter = Annotated[
    dict[FilterKey, FilterValue],
    Field(
        max_length=16,
        json_schema_extra={
            "additionalProperties": False,
            "properties": {"doc": {"type": ["string", "array"], "items": {"type": "string"}}},
        },
    ),
]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Turn(_Asked):
    """One turn of the conversation before the question."""

    role: Literal["user", "assistant"]
    content: Text


class _QuestionBody(_Asked):
    question: Question = Field(examples=["How many people walked free on 16 September?"])
    collection: CollectionName = Field("default", description="As `GET /v1/index` lists them.")
    top_k: Annotated[int, Field(ge=1), AS_NUMBER] | None = Field(
        None, description="Most passages; the service's own if not given."
    )
    filter: DocFilter | None = Field(
        None, description='`{"doc": "prefix/*", "meta.<key>": value or list}`; all must hold.'
    )
    history: list[Turn] = Field([], description="What was said before, oldest first.")


class SearchBody(_QuestionBody):
    """A question to find passages for."""

    rerank: StrictBool = Field(
        True,
        description="Whether they are ordered anew, as the service is set to; `false` leaves them as "
        "words and vectors found them, which is faster by far.",
    )


class AskBody(_QuestionBody):
    """A question to be answered."""

    backend: str | None = Field(
        None, max_length=200, description="One of those that `GET /v1/index` lists."
    )
    stream: StrictBool = Field(False, description="Answer as server-sent events.")
    grounding: Policy | None = Field(
        None,
        description="What becomes of sentences that nothing supports: marked, left out, or mended once "
        "and then left out; the service's own choice if not given.",
    )


class FeedbackBody(_Asked):
    """What a user says of an answer; at least one of the three."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}
                for name in ("thumb", "correction", "comment")
            ]
        }
    )

    receipt: str = Field(pattern=RECEIPT, description="As the answer carries it.")
    thumb: Literal["up", "down"] | None = None
    correction: Annotated[Text, Field(max_length=4000)] | None = Field(
        None, description="What would have been right."
    )
    comment: Annotated[Text, Field(max_length=4000)] | None = None


class BuildBody(_Asked):
    """What to build."""

    collection: CollectionName = "default"
    fresh: StrictBool = Field(False, description="Carry nothing over from the generation before.")


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Hit(_Given):
    """A passage: `text` is the document's from `start` to `end`, in code points."""

    doc: str
    start: int
    end: int
    text: str
    score: float = Field(description="Higher is better.")
    signals: dict[str, float]
    title: str
    locator: str | None = Field(description="Headings above it, or its pages.")


class SearchResult(_Given):
    """Passages, best first."""

    question: str
    hits: list[Hit]


Verdict = Literal["verified", "unsupported", "not_found", "no_claim"]


class Citation(_Given):
    """A verbatim quote; its place is null where the answer's marker names no passage."""

    n: int
    doc: str | None
    title: str
    start: int | None
    end: int | None
    quote: str | None
    locator: str | None
    verdict: Verdict


class Sentence(_Given):
    """A sentence of the answer, the numbers of its citations, and whether they bear it out."""

    text: str
    citations: list[int]
    verdict: Verdict


class Short(_Given):
    """The exact words that answer."""

    text: str
    doc: str
    start: int
    end: int


class Notice(_Given):
    """Something that was dropped, cut or fallen back to."""

    code: str
    message: str


class IndexRef(_Given):
    """The generation that an answer rests on."""

    generation: str
    digest: str


class AnswerResult(_Given):
    """A checked answer, or an abstention with the nearest passages."""

    question: str
    answer: str
    abstained: bool
    confidence: float = Field(ge=0, le=1)
    short: Short | None
    sentences: list[Sentence]
    citations: list[Citation]
    passages: list[Hit]
    backend: str
    model: str
    prompt: str
    index: IndexRef
    usage: dict[str, int] | None
    warnings: list[Notice]
    calibration: str | None
    timings_ms: dict[str, float]
    receipt: str = Field(
        description="Names this answer in `GET /v1/receipts/{receipt}` and `POST /v1/feedback`."
    )


class DocumentRow(_Given):
    """A document without its text."""

    id: str
    title: str
    meta: dict[str, Any]
    language: str


class DocumentPage(_Given):
    """Documents in the order of their ids."""

    documents: list[DocumentRow]
    total: int = Field(description="How many the collection holds.")
    next: str | None = Field(description="What to give as `after` for the next page.")


class DocumentWindow(DocumentRow):
    """A document's text as it was indexed, or the part of it around a span."""

    characters: int = Field(description="Code points of the whole text.")
    window_start: int = Field(description="Where `text` begins in the whole, in code points.")
    window_end: int
    text: str
    start: int | None = Field(description="The span that was asked for.")
    end: int | None
    index: IndexRef


class BuildCounts(_Given):
    """What became of the documents."""

    added: int
    changed: int
    removed: int
    unchanged: int
    failed: list[dict[str, Any]]


class BuildResult(_Given):
    """What a build did."""

    generation: str
    documents: BuildCounts
    chunks: int
    embedded: int
    reused: int
    seconds: float
    warnings: list[Notice]


class Job(_Given):
    """A build that runs apart from the request that began it."""

    id: str
    collection: str
    fresh: bool
    state: Literal["waiting", "running", "done", "failed"]
    done: int = Field(description="Documents done so far.")
    total: int
    result: BuildResult | None
    error: str | None


class CollectionState(_Given):
    """A collection and the generation that is searched in it."""

    name: str
    ready: bool
    trouble: str | None = Field(description="Why it cannot be searched, or not brought up to date.")
    generation: str | None
    digest: str | None
    built: str | None
    documents: int
    chunks: int
    languages: dict[str, int]
    encoder: str | None


class IndexState(_Given):
    """All collections, and what may write answers."""

    collections: list[CollectionState]
    backends: list[str] = Field(description="The first is what answers if none is named.")
    read_only: bool


class Accepted(_Given):
    """Thanks."""

    receipt: str


class Health(_Given):
    """The process lives."""

    status: Literal["ok"]


class Readiness(_Given):
    """Whether it can answer, and if not why."""

    ready: bool
    collections: dict[str, str] = Field(description="`ok`, or what is wrong.")


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; for programs.")
    request_id: str
    errors: list[dict[str, str]] | None = Field(None, description="Which fields are at fault.")
