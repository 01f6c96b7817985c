"""The values that travel through seedrag: frozen, slotted, and without behaviour of their own.

Offsets are code points of `Document.text`, half open, everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
"""Unit rows, shape (n, d)."""

Rows: TypeAlias = NDArray[np.int64]
"""Row numbers of chunks, shape (k,)."""

Scores: TypeAlias = NDArray[np.float32]
"""Scores of rows, shape (k,); higher is better."""

Span: TypeAlias = tuple[int, int]
"""`(start, end)` in code points, half open."""

Meta: TypeAlias = Mapping[str, Any]
Filter: TypeAlias = Mapping[str, Any]
"""`{"doc": "prefix/*"}` and `{"meta.<key>": value | [values]}`; all of them must hold."""

Place: TypeAlias = tuple[int, str]
"""From which code point of a document on we are where: `(120, "page 2")`."""
Markup: TypeAlias = Literal["plain", "markdown"]
Verdict: TypeAlias = Literal["verified", "unsupported", "not_found", "no_claim"]
Policy: TypeAlias = Literal["annotate", "strict", "repair"]
"""What becomes of a sentence that nothing supports: marked, left out, or mended once and then left
out."""


ABSTAIN = "NOT_IN_DOCUMENTS"
"""What a model is asked to reply where the passages do not answer."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be asked about, under an id that is unique in its index."""

    id: str
    text: str
    title: str = ""
    meta: Meta = field(default_factory=dict)
    markup: Markup = "plain"
    places: Sequence[Place] = ()
    """Where pages, slides or sheets begin, in rising order."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document: `document.text[chunk.start:chunk.end] == chunk.text`, always."""

    doc: str
    start: int
    end: int
    text: str
    heading: str = ""
    """The headings above it, outermost first, joined by ` > `."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved span with its score; overlapping hits of one document become one passage."""

    doc: str
    start: int
    end: int
    text: str
    score: float
    signals: Mapping[str, float] = field(default_factory=dict)
    title: str = ""
    heading: str = ""
    """The headings above its best chunk, outermost first, joined by ` > `."""
    places: Sequence[Place] = ()
    """Pages, slides or sheets that it reaches over; the first begins at or before its start."""

    @property
    def locator(self) -> str | None:
        """The page, slide or sheet where it begins, the one where it ends, and the headings."""
        return self.locator_at(self.start, self.end)

    def locator_at(self, start: int, end: int | None = None) -> str | None:
        """Return the same for code points of the document that lie in the passage."""
        begins = [label for at, label in self.places if at <= start][-1:]
        ends = [label for at, label in self.places if end is not None and start < at < end][-1:]
        here = " – ".join(dict.fromkeys([*begins, *ends]))
        return " > ".join(filter(None, [here, self.heading])) or None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was dropped, truncated, fallen back to or out of reach; `code` is stable."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class IndexRef:
    """Which index an answer rests on."""

    generation: str
    digest: str


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the retriever found for one question, and what it had to go on."""

    question: str
    passages: Sequence[Passage]
    index: IndexRef
    terms: Mapping[str, float] = field(default_factory=dict)
    """The question's content stems and how rare each is in the index (BM25's idf)."""
    unknown: Sequence[str] = ()
    """Those of them that the index does not hold at all."""
    language: str = "und"
    """The language they are stemmed in; other text compares with them in the same."""
    notices: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How a model shall reply. The same options and messages ask for the same reply."""

    max_tokens: int = 1024
    """Longest reply; one that was longer has `ended` by "length"."""
    temperature: float = 0.0
    seed: int | None = 0
    stop: Sequence[str] = ()
    """Texts before which the reply ends."""
    json: bool = False
    """Whether the reply shall be a JSON object."""
    prompt_tokens: int | None = None
    """About how many tokens the messages take, for servers that make room for so many."""


DEFAULT_OPTIONS = ChatOptions()


@dataclass(frozen=True, slots=True)
class Request:
    """All that a backend may look at: the rendered messages, and what they were rendered from."""

    question: str
    retrieval: Retrieval
    messages: Sequence[Message] = ()
    options: ChatOptions = DEFAULT_OPTIONS


@dataclass(frozen=True, slots=True)
class Short:
    """The exact words that answer, where a span answers: `document.text[start:end] == text`."""

    text: str
    doc: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of a passage: the span that answers best, in code points of its text."""

    start: int
    end: int
    worth: float
    """How far the span is above "not here": the logarithm of their odds, about."""
    relevance: float
    """The logarithm of the odds that the passage answers the question."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a backend wrote. `[n]` in `text` means `request.retrieval.passages[n-1]`."""

    text: str
    abstained: bool = False
    model: str = ""
    short: Short | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, int] | None = None
    ended: str = "stop"
    """Why it ended: "stop" where it was finished, "length" where it was cut, or the server's word."""
    notices: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quote: `document.text[c.start:c.end] == c.quote`, unless `not_found`."""

    n: int
    doc: str | None
    title: str
    start: int | None
    end: int | None
    quote: str | None
    locator: str | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, the numbers of its citations, and what checking them gave."""

    text: str
    citations: Sequence[int]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer; `rag.wire.answer_json` gives its JSON form."""

    question: str
    answer: str
    abstained: bool
    confidence: float
    short: Short | None
    sentences: Sequence[Sentence]
    citations: Sequence[Citation]
    passages: Sequence[Passage]
    backend: str
    model: str
    prompt: str
    index: IndexRef
    usage: Mapping[str, int] | None
    warnings: Sequence[Notice]
    calibration: str | None
    timings_ms: Mapping[str, float]
