"""The seams of seedrag: what another encoder, store, reranker or backend has to offer."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rag.stop import Stop
from rag.types import (
    ChatOptions,
    Draft,
    Message,
    Notice,
    Passage,
    Reading,
    Request,
    Retrieval,
    Rows,
    Scores,
    Span,
    Vectors,
)


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """What an encoder is. Vectors compare only between encoders of one fingerprint."""

    name: str
    fingerprint: str
    """sha256 over weights, tokenizer, pooling, prefixes, dimension, normalisation, precision."""
    dimension: int
    max_tokens: int
    """Longest text that is read whole, in tokens, special ones included."""
    precision: str
    languages: tuple[str, ...] | None = None
    """ISO 639-1 codes it was trained for; None where it is not known to be blind to any."""


class Tokenizer(Protocol):
    """Splits text as the encoder does."""

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return for each text its tokens' spans in code points, special tokens left out."""


class Encoder(Protocol):
    """Turns text into unit vectors. A text's vector depends on that text alone."""

    @property
    def spec(self) -> EncoderSpec:
        """What this encoder is."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer whose tokens `spec.max_tokens` counts."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""


class VectorStore(Protocol):
    """Holds unit rows and finds the nearest."""

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Scores]:
        """Return rows and scores, each (len(queries), k), best first; among `rows` if given.

        A score is the cosine. Where fewer than `k` rows exist, the rest is row -1, score -inf.
        """

    def scores(self, query: Vectors, rows: Rows) -> Scores:
        """Return the cosine of one query, shape (d,), with each of `rows`, shape (len(rows),)."""


class WordSearch(Protocol):
    """Finds the chunks that weighted terms fit best."""

    def top(self, weights: Mapping[str, float], k: int, allowed: Rows | None = None) -> Rows:
        """Return at most `k` rows, best first; among `allowed`, which rise, if given."""


class WordIndex(WordSearch, Protocol):
    """All that is known of the chunks' terms. A term's place is its number in the index."""

    def scores(self, weights: Mapping[str, float], rows: Rows) -> Scores:
        """Return the score of each of `rows`, shape (len(rows),)."""

    def places(self, weights: Mapping[str, float]) -> dict[int, float]:
        """Return the weights by place, of the terms that there are."""

    def weights(self, first: int, last: int) -> Iterator[dict[int, float]]:
        """Yield what each of the rows from `first` to `last` weighs by the place of its terms.

        A row's score is the sum of the products with the weights that are searched for.
        """


class Indexed(Protocol):
    """A generation, as whatever searches it is given it."""

    folder: Path
    vectors: Vectors

    def vectors_of(self, rows: Rows) -> Vectors:
        """Return the vectors of some rows, which rise, shape (len(rows), d)."""

    @property
    def digest(self) -> str:
        """What names its content."""

    @property
    def search(self) -> Mapping[str, Any]:
        """How its vectors are searched where they lie."""

    @property
    def words(self) -> WordIndex:
        """Its chunks' terms."""


class Stores(Protocol):
    """Where generations are searched: in their own files, or on a server that is given them."""

    def open(self, indexed: Indexed) -> tuple[VectorStore, WordSearch]:
        """Return what searches a generation; raises `StoreError`."""

    def put(self, indexed: Indexed, index: Path) -> None:
        """Have a generation of an index be searchable, before it is published; raises `StoreError`."""

    def keep(self, digests: Collection[str], index: Path) -> None:
        """Forget all generations of an index but these; raises `StoreError`."""


class Reranker(Protocol):
    """Reads question and passages together and orders the passages anew."""

    @property
    def depth(self) -> int:
        """How many passages it wants to see, at least."""

    @property
    def languages(self) -> tuple[str, ...] | None:
        """ISO 639-1 codes of what it can read; None where it is not known to be blind to any."""

    def rerank(self, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
        """Return the passages, best first, with the score that the order rests on."""


class SpanReader(Protocol):
    """Finds the words of passages that answer a question."""

    @property
    def languages(self) -> tuple[str, ...] | None:
        """ISO 639-1 codes of what it can read; None where it is not known to be blind to any."""

    def read(self, question: str, passages: Sequence[Passage]) -> Sequence[Reading]:
        """Return what it says of each passage."""


class ChatStream(Protocol):
    """A reply in the making."""

    @property
    def model(self) -> str:
        """Which model replies, as the server names it."""

    @property
    def usage(self) -> Mapping[str, int] | None:
        """Tokens used, where the server told: `prompt_tokens`, `completion_tokens`."""

    @property
    def ended(self) -> str:
        """Why the reply ended, known once it has: "stop", "length", or the server's own word."""

    @property
    def notices(self) -> Sequence[Notice]:
        """What its user should know, such as that it was asked for twice."""

    def __iter__(self) -> Iterator[str]:
        """Yield the reply bit by bit; raises `BackendError`, also where it broke off."""

    def close(self) -> None:
        """Let go of it, from any thread: who waits for its next bit is woken by a `BackendError`."""


class ChatModel(Protocol):
    """Replies to messages. One adapter makes any of them a `Backend`. Safe to share by threads."""

    name: str
    """Its spec, such as `openai:gpt-x`."""

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and reply may take together; None where that is not known."""

    def count(self, text: str) -> int:
        """Return how many tokens a text takes, or an estimate that is hardly ever too low."""

    def stream(self, messages: Sequence[Message], options: ChatOptions = ...) -> ChatStream:
        """Begin a reply, which is asked for when its first bit is; raises `BackendError`."""


class Backend(Protocol):
    """Writes an answer from passages."""

    name: str

    @property
    def chat(self) -> ChatModel | None:
        """The model that reads its prompts; None where it reads none."""

    def generate(self, request: Request, say: Callable[[str], None], stop: Stop) -> Draft:
        """Return the whole draft.

        One that writes bit by bit hands each bit to `say` at once; together they are the draft's
        text. It ends with `StoppedError` soon after `stop` is set. Raises `BackendError`.
        """


class Judge(Protocol):
    """Tells how well texts support a claim. What it cannot see, figures and names, is not its part."""

    name: str
    """With a version, raised whenever it would judge otherwise."""
    threshold: float
    """The score from which on a text supports a claim."""

    def scores(self, claim: str, texts: Sequence[str], language: str) -> Sequence[float]:
        """Return for each text how well it supports the claim, 0..1; the language is ISO 639-1."""


class Follower(Protocol):
    """Follows an answer while it is made; called in the thread that makes it."""

    stop: Stop

    def found(self, retrieval: Retrieval) -> None:
        """Take note of the passages that the answer will rest on."""

    def said(self, text: str) -> None:
        """Take a bit of the answer. Together they are its text, unless it ends in abstaining."""
