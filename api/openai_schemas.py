"""The part of OpenAI's chat completions that we speak; what else a client sends is let pass."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.schemas import AS_NUMBER, Question, Text


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="allow")


class TextPart(_Lenient):
    """A part of a message; no other kind can be read here."""

    type: Literal["text"]
    text: Question


class UserMessage(_Lenient):
    """What the user said; the last of these is the question."""

    role: Literal["user"]
    content: Question | Annotated[list[TextPart], Field(min_length=1)]

    @property
    def said(self) -> str:
        """The message as one text."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class OtherMessage(_Lenient):
    """What anyone else said; of it only the assistant's text counts, as history."""

    role: Literal["system", "developer", "assistant", "tool", "function"]
    content: Text | list[dict[str, Any]] | None = None


ChatMessage = Annotated[UserMessage | OtherMessage, Field(discriminator="role")]


class StreamOptions(_Lenient):
    """How to stream."""

    include_usage: StrictBool = False


class ChatBody(_Lenient):
    """A conversation whose last user message is to be answered."""

    model: str = Field(max_length=400, description="One of `GET /v1/models`.", examples=["seedrag"])
    messages: list[ChatMessage] = Field(
        min_length=1,
        json_schema_extra={"contains": {"$ref": "#/components/schemas/UserMessage"}},
        examples=[[{"role": "user", "content": "How many people walked free on 16 September?"}]],
    )
    stream: StrictBool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=1), AS_NUMBER] | None = None


class UrlCitation(BaseModel):
    """Where the marker stands in the text, and where the quoted words can be looked at."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(BaseModel):
    """One citation of the text."""

    type: Literal["url_citation"]
    url_citation: UrlCitation


class Reply(BaseModel):
    """The answer, its citations as `[n]` in the text and as annotations."""

    role: Literal["assistant"]
    content: str
    refusal: None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The one answer."""

    index: int
    message: Reply
    finish_reason: Literal["stop", "length"]
    logprobs: None


class ChatResult(BaseModel):
    """A chat completion, with our whole Answer beside it."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: dict[str, int] | None
    seedrag: dict[str, Any] = Field(description="The Answer, as `POST /v1/ask` gives it.")


class Model(BaseModel):
    """What can be named as `model`."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"]
    data: list[Model]
