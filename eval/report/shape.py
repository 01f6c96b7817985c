"""What a report and a comparison hold; their JSON Schemas are written from this.

Types rather than classes: reports stay the plain JSON values that they are on disk.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveInt, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict

from eval.anchor import Status
from eval.measures import Better, Group
from rag.types import Verdict

SCHEMA = 1
"""Raised whenever a report no longer fits the readers of older ones."""
STRICT = ConfigDict(extra="forbid", strict=True)

Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float | None, Field(description="None where the metric does not apply.")]
Scores = dict[str, Score]


@with_config(STRICT)
class GoldPart(TypedDict):
    """The questions: how many were asked, of how many, and how they were chosen."""

    name: str
    digest: str
    items: NonNegativeInt
    of: NonNegativeInt
    tags: list[str]
    limit: PositiveInt | None


@with_config(STRICT)
class SystemPart(TypedDict):
    """What the answers depend on, part by part."""

    index: str
    documents: NonNegativeInt
    chunks: NonNegativeInt
    encoder: str
    encoder_fingerprint: str
    backend: str
    prompt: str
    calibration: str
    reader: NotRequired[Annotated[str | None, Field(description="Digest of its weights.")]]
    settings: dict[str, Any]
    code: str
    models: list[str]
    judge: str


@with_config(STRICT)
class Metric(TypedDict):
    """One metric over all items that it applies to, with its 95 % interval."""

    group: Group
    title: str
    about: str
    better: Better | None
    value: Score
    low: Score
    high: Score
    interval: Annotated[str | None, Field(description="The method of the interval.")]
    n: NonNegativeInt
    na: Annotated[int, Field(ge=0, description="Items that it does not apply to.")]
    references: Annotated[Scores, Field(description="What systems that nobody wants would get.")]


@with_config(STRICT)
class DocumentPart(TypedDict):
    """A document's digest, and those of its sentences."""

    sha256: str
    sentences: list[str]


@with_config(STRICT)
class Turn(TypedDict):
    """What was said before the question."""

    role: Literal["system", "user", "assistant"]
    content: str


@with_config(STRICT)
class EvidencePart(TypedDict):
    """A gold quote and where it stands today; no place where that is not settled."""

    group: str
    doc: str
    start: NonNegativeInt | None
    end: NonNegativeInt | None
    quote: str | None
    status: Status


@with_config(STRICT)
class ShortPart(TypedDict):
    """The exact words that answer."""

    text: str
    doc: str
    start: NonNegativeInt
    end: NonNegativeInt


@with_config(STRICT)
class SentencePart(TypedDict):
    """A sentence of the answer with the numbers of its citations."""

    text: str
    citations: list[int]
    verdict: Verdict


@with_config(STRICT)
class CitationPart(TypedDict):
    """A verbatim quote; without document and place where the marker named no passage."""

    n: PositiveInt
    doc: str | None
    title: str
    start: NonNegativeInt | None
    end: NonNegativeInt | None
    quote: str | None
    locator: str | None
    verdict: Verdict


@with_config(STRICT)
class PassagePart(TypedDict):
    """A passage that the answer was written from; its place is in code points."""

    doc: str
    start: NonNegativeInt
    end: NonNegativeInt
    score: float


@with_config(STRICT)
class ItemPart(TypedDict):
    """One question: what was expected, what was answered, and what that is worth."""

    id: Annotated[str, Field(min_length=1)]
    question: str
    answerable: bool
    tags: list[str]
    digest: str
    history: list[Turn]
    filter: dict[str, Any] | None
    answers: Annotated[
        list[Annotated[list[str], Field(min_length=1)]],
        Field(description="Every answer is required; any of its wordings will do."),
    ]
    evidence: list[EvidencePart]
    near: str | None
    answer: str
    withheld: Annotated[str, Field(description="What would have been said, had it not abstained.")]
    abstained: bool
    confidence: Share
    short: ShortPart | None
    sentences: list[SentencePart]
    citations: list[CitationPart]
    passages: list[PassagePart]
    ranking: Annotated[list[str], Field(description="The first documents, best first.")]
    warnings: Annotated[list[str], Field(description="Codes.")]
    scores: Scores
    stage: Annotated[str, Field(description="Where it failed: one of the report's stages.")]


@with_config(STRICT)
class ReportShape(TypedDict):
    """What a run found: the same for the same system and the same gold."""

    schema: Literal[1]
    scoring: Annotated[int, Field(description="The scoring rules; others do not compare.")]
    gold: GoldPart
    system: SystemPart
    headline: list[str]
    gated: list[str]
    metrics: dict[str, Metric]
    stages: dict[str, NonNegativeInt]
    risk_coverage: Annotated[
        list[Annotated[list[Share], Field(min_length=2, max_length=2)]],
        Field(description="Pairs of coverage and risk, had no answer been withheld."),
    ]
    documents: dict[str, DocumentPart]
    items: list[ItemPart]


report_type: TypeAdapter[ReportShape] = TypeAdapter(ReportShape)


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def written_schema(title: str, of: TypeAdapter[Any]) -> dict[str, Any]:
    """Return the JSON Schema of a type."""
    schema = of.json_schema(schema_generator=_Untitled)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of a report; `report.schema.json` holds it."""
    return written_schema("A report of seedrag's eval", report_type)
