"""Question → ranked passages: dense and lexical search over one snapshot, fused.

from rag import Retriever
for passage in Retriever.open("index").search("Who was freed?"):
    print(passage.score, passage.doc, passage.text)
"""

import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag import text
from rag.errors import EncoderMismatchError, QuestionError
from rag.protocols import Encoder, EncoderSpec, Reranker, VectorStore
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.store.layout import MANIFEST
from rag.types import (
    Document,
    Filter,
    IndexRef,
    Message,
    Notice,
    Passage,
    Retrieval,
    Rows,
    Scores,
    Vectors,
)

if TYPE_CHECKING:
    from rag.config import Settings

MAX_QUESTION = 20_000
"""Characters; a longer question is surely something else."""

HISTORY = 0.3
"""Weight of what was asked before beside the question itself; tuned on MTRAG's conversations."""
_RERANKED = 50
"""Passages that a reranker gets to see."""


@dataclass(frozen=True, slots=True)
class _Open:
    """One generation with its vectors searchable: what a search holds on to from start to end."""

    snapshot: Snapshot
    store: VectorStore
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Query:
    """A question with its unit vector, shape (d,), and what was asked before it."""

    question: str
    vector: Vectors
    before: str = ""

    def terms(self, language: str) -> dict[str, float]:
        weights = text.query_terms(self.question, language)
        for term, weight in text.query_terms(self.before, language).items():
            weights[term] = weights.get(term, 0.0) + HISTORY * weight
        return weights


class Retriever:
    """Searches one index. Safe to share between threads; each search sees one generation."""

    def __init__(
        self,
        snapshot: Snapshot,
        encoder: Encoder,
        settings: "Settings",
        reranker: Reranker | None = None,
        directory: IndexDirectory | None = None,
    ) -> None:
        self.encoder = encoder
        self._settings = settings
        self._reranker = reranker
        self._directory = directory
        self._open = _opened(snapshot, encoder)

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        settings: "Settings | None" = None,
        reranker: Reranker | None = None,
    ) -> "Retriever":
        """Open the published generation of an index folder (by default the settings' own).

        Raises `IndexMissingError`, `IndexCorruptError`, `IndexFormatError`, `EncoderMismatchError`
        where the index was built with another encoder than the settings name, and `ConfigError`.
        """
        from rag.config import Settings
        from rag.embed import open_encoder

        settings = settings or Settings.load()
        directory = IndexDirectory(Path(index) if index is not None else settings.index)
        snapshot = open_snapshot(directory)
        return cls(snapshot, open_encoder(settings), settings, reranker, directory)

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[Document | Mapping[str, Any] | str],
        settings: "Settings | None" = None,
        reranker: Reranker | None = None,
    ) -> "Retriever":
        """Build an index that lasts as long as this retriever, from values in memory.

        A mapping has `id`, `text` and perhaps `title` and `meta`; a plain string gets its position
        as id. Raises `CorpusError` for a document that cannot be used.
        """
        from rag.build import build_documents
        from rag.config import Settings
        from rag.corpus import found_in_memory
        from rag.embed import open_encoder

        settings = settings or Settings.load()
        encoder = open_encoder(settings)
        folder = tempfile.TemporaryDirectory(prefix="seedrag-")
        directory = IndexDirectory(Path(folder.name))
        build_documents(directory, [], found_in_memory(documents), encoder, settings)
        retriever = cls(open_snapshot(directory), encoder, settings, reranker, directory)
        weakref.finalize(retriever, folder.cleanup)
        return retriever

    @property
    def index(self) -> IndexRef:
        """The generation that is searched now."""
        manifest = self._open.snapshot.manifest
        return IndexRef(self._open.snapshot.generation, manifest.digest)

    def refresh(self) -> bool:
        """Turn to the published generation if there is a newer one; tell whether there was.

        Searches that run meanwhile end on the generation that they began with.
        """
        if self._directory is None or _is_published(self._open.snapshot, self._directory):
            return False
        self._open = _opened(open_snapshot(self._directory), self.encoder)
        return True

    def search(
        self, question: str, top_k: int | None = None, filter: Filter | None = None
    ) -> list[Passage]:
        """Return the passages that fit best, best first, at most `top_k` of them.

        Raises `QuestionError` for an empty question, `FilterError` for an unusable filter.
        """
        return list(self.retrieve(question, top_k, filter).passages)

    def search_many(
        self, questions: Sequence[str], top_k: int | None = None, filter: Filter | None = None
    ) -> list[list[Passage]]:
        """Return for each question what `search` returns, embedding them together."""
        opened = self._open
        asked = [_usable(question) for question in questions]
        vectors = self.encoder.encode_queries(asked)
        return [
            list(self._retrieve(opened, _Query(question, vector), top_k, filter).passages)
            for question, vector in zip(asked, vectors, strict=True)
        ]

    def retrieve(
        self,
        question: str,
        top_k: int | None = None,
        filter: Filter | None = None,
        history: Sequence[Message] = (),
    ) -> Retrieval:
        """Return the passages with what they were found by; raises as `search` does."""
        asked = _usable(question)
        opened = self._open
        vectors = self.encoder.encode_queries([asked, *_turns(history)])
        return self._retrieve(opened, _query(asked, history, vectors), top_k, filter)

    def document(self, doc: str) -> str:
        """Return a document's text as it was indexed; raises `KeyError` for an unknown id."""
        return self._open.snapshot.text(doc)

    def _retrieve(
        self, opened: _Open, query: "_Query", top_k: int | None, filter: Filter | None
    ) -> Retrieval:
        top_k = self._settings.top_k if top_k is None else top_k
        if top_k < 1:
            raise QuestionError(f"top_k must be at least 1, not {top_k}.")
        language = text.language(query.question, opened.languages)
        if language == text.UNKNOWN:
            language = opened.languages[0] if opened.languages else language
        alpha, notices = self._alpha(text.language(query.question), language)
        rows, signals = self._ranked(opened, query, language, alpha, top_k, filter)
        wanted = max(top_k, _RERANKED) if self._reranker else top_k
        passages = _merged(opened.snapshot, rows, signals, wanted)
        if self._reranker is not None:
            passages = list(self._reranker.rerank(query.question, passages))[:top_k]
        lexical = opened.snapshot.lexical
        if self._is_cut(query.question):
            said = "The question is longer than the encoder reads; its end counts by its words alone."
            notices = (*notices, Notice("question_truncated", said))
        terms = {stem: lexical.idf(stem) for stem in text.content_stems(query.question, language)}
        unknown = [stem for stem in terms if lexical.df(stem) == 0]
        manifest = opened.snapshot.manifest
        reference = IndexRef(opened.snapshot.generation, manifest.digest)
        return Retrieval(query.question, passages, reference, terms, unknown, language, notices)

    def _is_cut(self, question: str) -> bool:
        limit = self.encoder.spec.max_tokens - 2
        return len(question) > limit and len(self.encoder.tokenizer.spans([question])[0]) > limit

    def _alpha(self, own: str, usual: str) -> tuple[float, Sequence[Notice]]:
        """Return the dense signal's weight: little where the encoder cannot read the language."""
        readable = self.encoder.spec.languages
        language = usual if own == text.UNKNOWN else own
        if readable is None or language in (*readable, text.UNKNOWN):
            return self._settings.alpha, ()
        said = f"{self.encoder.spec.name} does not read {language!r}; words decide the ranking."
        return self._settings.alpha_blind, (Notice("encoder_blind", said),)

    def _ranked(
        self,
        opened: _Open,
        query: "_Query",
        language: str,
        alpha: float,
        top_k: int,
        filter: Filter | None,
    ) -> tuple[Rows, Mapping[str, Scores]]:
        """Return the candidates' rows, best first, and their signals in the same order."""
        depth = max(self._settings.candidates, 3 * top_k)
        allowed = opened.snapshot.rows(filter) if filter else None
        near, _ = opened.store.search(query.vector[None], depth, allowed)
        lexical = opened.snapshot.lexical.scores(query.terms(language))
        rows = np.union1d(near[near >= 0], _top(lexical, depth, allowed))
        dense, bm25 = opened.store.scores(query.vector, rows), lexical[rows]
        fused = convex_fusion(dense, bm25, alpha)
        order = np.lexsort((rows, -fused))
        signals = {
            "score": fused[order],
            "dense": dense[order],
            "lexical": bm25[order],
            "alpha": np.full(len(rows), alpha, np.float32),
        }
        return rows[order], signals


def convex_fusion(dense: Scores, lexical: Scores, alpha: float) -> Scores:
    """Return `alpha * dense + (1 - alpha) * lexical` over min-max scores of the same candidates.

    Each signal is scaled to 0..1 over all candidates, those that only the other search brought
    among them. Bruch et al. 2023, "An Analysis of Fusion Functions for Hybrid Retrieval", section 4.
    """
    return alpha * _min_max(dense) + (1 - alpha) * _min_max(lexical)


def _min_max(scores: Scores) -> Scores:
    if len(scores) == 0:
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def _top(scores: Scores, depth: int, allowed: Rows | None) -> Rows:
    """Return the rows of the highest scores above 0, ties by row."""
    rows = np.flatnonzero(scores) if allowed is None else allowed[scores[allowed] > 0]
    if len(rows) > depth:
        least = np.partition(scores[rows], len(rows) - depth)[len(rows) - depth]
        rows = rows[scores[rows] >= least]
        rows = rows[np.argsort(-scores[rows], kind="stable")[:depth]]
    return rows


@dataclass(slots=True, eq=False)
class _Span:
    """A hit, widened by what overlaps it; `at` is the place of its best chunk in the ranking."""

    chunk: Any
    at: int
    start: int
    end: int
    text: int
    text_end: int
    hits: int = 1

    @classmethod
    def of(cls, chunk: Any, at: int) -> "_Span":
        start, end = int(chunk["start"]), int(chunk["end"])
        return cls(chunk, at, start, end, int(chunk["text"]), int(chunk["text_end"]))

    def touches(self, other: "_Span") -> bool:
        return self.start < other.end and other.start < self.end

    def absorb(self, other: "_Span") -> None:
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)
        self.text, self.text_end = min(self.text, other.text), max(self.text_end, other.text_end)
        self.hits += other.hits


def _merged(snapshot: Snapshot, rows: Rows, signals: Mapping[str, Scores], top_k: int) -> list[Passage]:
    """Return passages, best first; hits of one document that overlap become the best one's."""
    of_document: dict[int, list[_Span]] = {}
    count = 0
    for at, row in enumerate(rows.tolist()):
        span = _Span.of(snapshot.chunks[row], at)
        near = of_document.setdefault(int(span.chunk["doc"]), [])
        touched = [other for other in near if other.touches(span)]
        if not touched and count == top_k:
            break
        if touched and at >= top_k:
            continue  # late hits would widen it, in a short document to the whole text
        count += 1 - len(touched)
        first, *others = [*touched, span]
        for other in others:
            first.absorb(other)
        near[:] = [other for other in near if other not in touched] + [first]
    spans = sorted((span for near in of_document.values() for span in near), key=lambda s: s.at)
    return [_passage(snapshot, span, signals) for span in spans]


def _passage(snapshot: Snapshot, span: _Span, signals: Mapping[str, Scores]) -> Passage:
    document = snapshot.document(int(span.chunk["doc"]))
    values = {name: float(each[span.at]) for name, each in signals.items() if name != "score"}
    return Passage(
        doc=document.id,
        start=span.start,
        end=span.end,
        text=snapshot.slice(span.text, span.text_end),
        score=float(signals["score"][span.at]),
        signals={**values, "rank": span.at + 1, "hits": span.hits},
        title=document.title,
        locator=document.headings[int(span.chunk["heading"])] or None,
    )


def _opened(snapshot: Snapshot, encoder: Encoder) -> _Open:
    manifest = snapshot.manifest
    if manifest.encoder["fingerprint"] != encoder.spec.fingerprint:
        built = EncoderSpec(**manifest.encoder)
        raise EncoderMismatchError(
            f"The index was built with {_named(built)} and cannot be searched with "
            f"{_named(encoder.spec)}; set RAG_ENCODER={built.name} or run `rag build`."
        )
    from rag.stores.faiss import FaissStore

    languages = sorted(manifest.languages, key=lambda code: -manifest.languages[code])
    return _Open(snapshot, FaissStore(snapshot.vectors), languages)


def _is_published(snapshot: Snapshot, directory: IndexDirectory) -> bool:
    """Tell whether this is the current generation: after a rollback a build may use a name again."""
    if directory.current() != snapshot.generation:
        return False
    try:
        manifest = (directory.folder(snapshot.generation) / MANIFEST).read_bytes()
    except FileNotFoundError:
        return False
    return snapshot.manifest.time["seal"].encode() in manifest


def _named(spec: EncoderSpec) -> str:
    return f"{spec.name} ({spec.precision}, {spec.fingerprint[:12]})"


def _usable(question: str) -> str:
    if not question.strip():
        raise QuestionError("The question is empty.")
    if len(question) > MAX_QUESTION:
        raise QuestionError(f"The question has more than {MAX_QUESTION} characters.")
    if any("\ud800" <= char <= "\udfff" for char in question):
        raise QuestionError("The question holds half of a surrogate pair, which is no character.")
    return text.squeeze(question)


def _turns(history: Sequence[Message]) -> list[str]:
    """Return what was asked before as one text, the latest first, as an encoder may cut the end."""
    asked = [text.squeeze(turn.content) for turn in reversed(history) if turn.role == "user"]
    said = " ".join(asked).encode("utf-8", "replace").decode()
    return [said] if said else []


def _query(question: str, history: Sequence[Message], vectors: Vectors) -> _Query:
    if len(vectors) == 1:
        return _Query(question, vectors[0])
    vector = vectors[0] + HISTORY * vectors[1]
    return _Query(question, vector / np.linalg.norm(vector), _turns(history)[0])
