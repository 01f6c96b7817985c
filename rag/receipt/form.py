"""The form of a receipt: one JSON object that says what an answer rests on."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from rag.types import Policy, Verdict

VERSION: Literal[1] = 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ReceiptTurn(_Form):
    """A turn of the conversation before the question."""

    role: Literal["system", "user", "assistant"]
    content: str


class ReceiptIndex(_Form):
    """The index that was searched; two of one digest hold the same."""

    generation: str
    digest: str


class ReceiptEncoder(_Form):
    """What embedded the question; vectors compare only between encoders of one fingerprint."""

    name: str
    fingerprint: str


class ReceiptSettings(_Form):
    """The settings that an answer depends on beside all else that stands in its receipt.

    They are those of `rag.config.Settings`, and a replay puts them in force again.
    """

    alpha: float
    alpha_blind: float
    candidates: int
    encoder_languages: str | None
    context_tokens: int
    reply_tokens: int
    condense: bool
    judge: str
    reader: str = "off"
    rerank: bool = True
    threshold: float | None


class ReceiptPassage(_Form):
    """A passage that the answer was written from: a document's text from `start` to `end`."""

    doc: str
    start: Count
    end: Count
    score: float
    sha256: Sha256 = Field(description="Of its text in UTF-8.")
    begins: str = Field(description="Its first characters, by which it is found where it moved.")


class ReceiptCitation(_Form):
    """A citation as the Answer has it."""

    n: int
    doc: str | None
    title: str
    start: Count | None
    end: Count | None
    quote: str | None
    locator: str | None
    verdict: Verdict


class ReceiptSentence(_Form):
    """A sentence as the Answer has it."""

    text: str
    citations: tuple[int, ...]
    verdict: Verdict


class ReceiptTime(_Form):
    """What differs between two receipts of one answer; nothing compares it."""

    created: str


class Receipt(_Form):
    """What an answer rests on. Names that the Answer has too mean what they mean there."""

    receipt: Literal[1] = Field(description="The version of this form.")
    seedrag: str = Field(description="The version that answered.")
    time: ReceiptTime
    question: str = Field(description="As it was asked.")
    history: tuple[ReceiptTurn, ...]
    filter: dict[str, JsonValue] | None
    top_k: Annotated[int, Field(ge=1, le=100_000)]
    grounding: Policy
    searched: str | None = Field(
        description="The question that a model made of it and its history; null where it made none."
    )
    index: ReceiptIndex
    encoder: ReceiptEncoder
    settings: ReceiptSettings
    passages: tuple[ReceiptPassage, ...] = Field(description="Those shown to the backend, best first.")
    prompt: str = Field(description="Version of the templates.")
    messages_sha256: Sha256 = Field(
        description='Of the rendered prompt, as JSON `[{"role","content"},…]` without blanks, in UTF-8.'
    )
    backends: str = Field(description="The backends that might answer, as `RAG_BACKEND` names them.")
    backend: str = Field(description="The one that did.")
    model: str
    options: dict[str, JsonValue] = Field(description="How the model was asked to reply.")
    reader: str | None = Field(
        None,
        description="Digest of the weights of the reader that was set, and of the cross-encoder where "
        "one was; null where neither was.",
    )
    judge: str = Field(description="What told whether quotes support sentences, with its version.")
    answer: str
    abstained: bool
    sentences: tuple[ReceiptSentence, ...]
    citations: tuple[ReceiptCitation, ...]
    confidence: float
    threshold: float = Field(description="The confidence below which it would have been withheld.")
    calibration: str | None
