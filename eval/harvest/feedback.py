"""What users said of answers, as the service keeps it: one JSON object a line, only ever appended to.

    {"receipt": "9f2c…", "time": "2026-03-01T12:00:00Z", "thumb": "up", "correction": null,
     "comment": null, "question": "…", "history": [{"role", "content"}], "filter": null,
     "answer": {"answer", "abstained", "short", "sentences", "citations", "passages", …}}

`receipt`, `question` and `answer` are required, the rest may be null or missing. `thumb` is `up`,
`down` or null; `correction` is what would have been right, `comment` whatever else the user wrote.
`answer` is the Answer as it was given; of it we read what is named here. Other keys are left alone.
"""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from eval.errors import GoldError
from eval.gold import Turn, read_lines


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Place(_Value):
    """A span of a document and its words, where a short answer was found."""

    doc: str = Field(min_length=1)
    start: NonNegativeInt
    end: NonNegativeInt
    text: str = Field(min_length=1)


class Citation(_Value):
    """A quote that an answer gave; without a place if the marker named no passage."""

    n: int
    doc: str | None = None
    start: NonNegativeInt | None = None
    end: NonNegativeInt | None = None
    quote: str | None = None
    verdict: str

    @property
    def place(self) -> Place | None:
        """Where it stands, if the words there were found to bear the answer out."""
        if not (self.verdict == "verified" and self.doc and self.quote):
            return None
        if self.start is None or self.end is None:
            return None
        return Place(doc=self.doc, start=self.start, end=self.end, text=self.quote)


class Sentence(_Value):
    """One sentence of an answer and the numbers of its citations."""

    text: str
    citations: list[int] = Field([])
    verdict: str


class GivenAnswer(_Value):
    """Of the Answer what drafts are made of."""

    answer: str
    abstained: bool
    short: Place | None = None
    sentences: list[Sentence] = Field([])
    citations: list[Citation] = Field([])
    passages: list[Place] = Field([])


class Feedback(_Value):
    """One line: a question, the answer it got, and what a user said of that."""

    receipt: str = Field(min_length=1)
    time: str = ""
    thumb: Literal["up", "down"] | None = None
    correction: str | None = None
    comment: str | None = None
    question: str = Field(pattern=r"\S")
    history: list[Turn] | None = None
    filter: dict[str, Any] | None = None
    answer: GivenAnswer


def read_feedback(file: Path) -> list[Feedback]:
    """Read a file of feedback; raises `GoldError` that names the first line that cannot be used."""
    return [_feedback(f"{file} line {number}", line) for number, line in read_lines(file)]


def _feedback(name: str, line: str) -> Feedback:
    try:
        value = json.loads(line)
        json.dumps(value, ensure_ascii=False).encode()
        return Feedback.model_validate(value)
    except json.JSONDecodeError as error:
        raise GoldError(f"{name} is no JSON: {error.msg}.") from None
    except UnicodeEncodeError:
        raise GoldError(f"{name} holds half of a surrogate pair, which is no character.") from None
    except RecursionError:
        raise GoldError(f"{name} is nested too deeply.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GoldError(f"{name}: {f'{where}: ' if where else ''}{first['msg']}.") from None
