"""Dense and lexical search over one snapshot, fused."""

import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag import text
from rag.errors import EncoderMismatchError, QuestionError
from rag.protocols import Encoder, EncoderSpec, Reranker, VectorStore, WordSearch
from rag.retrieve.beside import beside
from rag.retrieve.fusion import convex_fusion
from rag.retrieve.merge import merged
from rag.retrieve.query import HISTORY, joined, terms_of, turns_before, usable
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.store.layout import MANIFEST
from rag.stores import open_stores
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


@dataclass(frozen=True, slots=True)
class _Open:
    """One generation with its vectors searchable: what a search holds on to from start to end."""

    snapshot: Snapshot
    store: VectorStore
    words: WordSearch
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class _ByWords:
    """What is known of a question, and found, before its vector is."""

    question: str
    top_k: int
    language: str
    """Of the texts that are looked for."""
    own: str
    """The question's own, or unknown."""
    notices: Sequence[Notice]
    """That the encoder cannot read it."""
    depth: int
    allowed: Rows | None
    terms: Mapping[str, float]
    most: float | None
    """What no chunk's score by words of that language exceeds; None where words decide."""
    rows: Rows
    known: Mapping[str, float]
    """How rare each stem is."""
    unknown: Sequence[str]


class Retriever:
    """Searches one index. Safe to share between threads; each search sees one generation.

    `around` wraps the vectors' store of each generation, as a service does to search in batches.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        encoder: Encoder,
        settings: "Settings",
        reranker: Reranker | None = None,
        directory: IndexDirectory | None = None,
        around: Callable[[VectorStore], VectorStore] = lambda store: store,
    ) -> None:
        self.encoder = encoder
        self._around = around
        self._settings = settings
        self._reranker = reranker
        self._directory = directory
        self._stores = open_stores(settings)
        self._open = self._opened(snapshot)

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        settings: "Settings | None" = None,
        reranker: Reranker | None = None,
    ) -> "Retriever":
        """Open the published generation of an index folder (by default the settings' own).

        Where no reranker is given, it is the settings' own. Raises `IndexMissingError`,
        `IndexCorruptError`, `IndexFormatError`, `EncoderMismatchError` where the index was built with
        another encoder than the settings name, `ReaderError`, and `ConfigError`.
        """
        from rag.config import Settings
        from rag.embed import open_encoder
        from rag.reader import open_reranker

        settings = settings or Settings.load()
        directory = IndexDirectory(Path(index) if index is not None else settings.index)
        snapshot = open_snapshot(directory)
        reranker = reranker or open_reranker(settings)
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
        from rag.reader import open_reranker

        settings = (settings or Settings.load()).model_copy(update={"store": "faiss"})
        encoder = open_encoder(settings)
        folder = tempfile.TemporaryDirectory(prefix="seedrag-")
        directory = IndexDirectory(Path(folder.name), lasts=False)
        build_documents(directory, [], found_in_memory(documents), encoder, settings)
        reranker = reranker or open_reranker(settings)
        retriever = cls(open_snapshot(directory), encoder, settings, reranker, directory)
        weakref.finalize(retriever, folder.cleanup)
        return retriever

    @property
    def index(self) -> IndexRef:
        """The generation that is searched now."""
        manifest = self._open.snapshot.manifest
        return IndexRef(self._open.snapshot.generation, manifest.digest)

    @property
    def snapshot(self) -> Snapshot:
        """The generation that is searched now, open for reading."""
        return self._open.snapshot

    @property
    def store(self) -> VectorStore:
        """What searches the vectors of the generation that is searched now."""
        return self._open.store

    def refresh(self) -> bool:
        """Turn to the published generation if there is a newer one; tell whether there was.

        Searches that run meanwhile end on the generation that they began with.
        """
        if self._directory is None or _is_published(self._open.snapshot, self._directory):
            return False
        self._open = self._opened(open_snapshot(self._directory))
        return True

    def search(
        self,
        question: str,
        top_k: int | None = None,
        filter: Filter | None = None,
        rerank: bool = True,
    ) -> list[Passage]:
        """Return the passages that fit best, best first, at most `top_k` of them.

        Without `rerank` they stand as words and vectors found them, which is faster by far. Raises
        `QuestionError` for an empty question, `FilterError` for an unusable filter.
        """
        return list(self.retrieve(question, top_k, filter, rerank=rerank).passages)

    def search_many(
        self,
        questions: Sequence[str],
        top_k: int | None = None,
        filter: Filter | None = None,
        rerank: bool = True,
    ) -> list[list[Passage]]:
        """Return for each question what `search` returns, embedding them together."""
        opened = self._open
        asked = [usable(question) for question in questions]
        vectors = self.encoder.encode_queries(asked)
        words = (self._by_words(opened, question, "", top_k, filter) for question in asked)
        return [
            list(self._retrieve(opened, found, vector, rerank).passages)
            for found, vector in zip(words, vectors, strict=True)
        ]

    def retrieve(
        self,
        question: str,
        top_k: int | None = None,
        filter: Filter | None = None,
        history: Sequence[Message] = (),
        rerank: bool = True,
    ) -> Retrieval:
        """Return the passages with what they were found by; raises as `search` does.

        Words are searched while the question is embedded, where a core is free for it.
        """
        asked = usable(question)
        opened = self._open
        before = turns_before(history)
        search = partial(self._by_words, opened, asked, " ".join(before), top_k, filter)
        with beside(search, self._settings.threads) as words:
            vector = joined(self.encoder.encode_queries([asked, *before]))
            found = words()
        return self._retrieve(opened, found, vector, rerank)

    def document(self, doc: str) -> str:
        """Return a document's text as it was indexed; raises `KeyError` for an unknown id."""
        return self._open.snapshot.text(doc)

    def _by_words(
        self, opened: _Open, question: str, before: str, top_k: int | None, filter: Filter | None
    ) -> _ByWords:
        top_k = self._settings.top_k if top_k is None else top_k
        if top_k < 1:
            raise QuestionError(f"top_k must be at least 1, not {top_k}.")
        own, among = text.language(question), opened.languages
        if own not in among and not text.is_sure(own, question, among):
            own = text.UNKNOWN
        language = own if own in among else text.language(question, among)
        if language == text.UNKNOWN:
            language = among[0] if among else language
        notices = self._blind(own, language)
        depth = min(max(self._settings.candidates, 3 * top_k), max(1, len(opened.snapshot)))
        allowed = opened.snapshot.rows(filter) if filter else None
        lexical, terms = opened.snapshot.lexical, terms_of(question, before, language, own)
        most = None if notices else lexical.most(terms)
        stems = [*dict.fromkeys(text.content_stems(question, language, own))]
        df = dict(zip(stems, lexical.df(stems).tolist(), strict=True))
        if len(among) > 1:
            earlier = text.foreign_terms(before, language, own)
            foreign = text.foreign_terms(question, language, own)
            terms = {**dict.fromkeys(earlier, HISTORY), **dict.fromkeys(foreign, 1.0), **terms}
            for stem, count in zip(foreign.values(), lexical.df(foreign).tolist(), strict=True):
                df[stem] = max(df[stem], count)
        return _ByWords(
            question=question,
            top_k=top_k,
            language=language,
            own=own,
            notices=notices,
            depth=depth,
            allowed=allowed,
            terms=terms,
            most=most,
            rows=opened.words.top(terms, depth, allowed),
            known=dict(zip(df, lexical.idf(np.array([*df.values()], np.int64)).tolist(), strict=True)),
            unknown=[stem for stem, count in df.items() if count == 0],
        )

    def _retrieve(self, opened: _Open, words: _ByWords, vector: Vectors, rerank: bool) -> Retrieval:
        rows, signals = self._ranked(opened, words, vector)
        reranker, blind = _reading(self._reranker if rerank else None, words.own, words.language)
        wanted = max(words.top_k, reranker.depth) if reranker else words.top_k
        passages = merged(opened.snapshot, rows, signals, wanted)
        opened.snapshot.searched()
        if reranker is not None:
            passages = list(reranker.rerank(words.question, passages))[: words.top_k]
        notices = [*words.notices]
        if self._is_cut(words.question):
            said = "The question is longer than the encoder reads; its end counts by its words alone."
            notices.append(Notice("question_truncated", said))
        return Retrieval(
            words.question,
            passages,
            IndexRef(opened.snapshot.generation, opened.snapshot.manifest.digest),
            words.known,
            words.unknown,
            words.language,
            [*notices, *blind],
        )

    def _opened(self, snapshot: Snapshot) -> _Open:
        manifest = snapshot.manifest
        if manifest.encoder["fingerprint"] != self.encoder.spec.fingerprint:
            built = EncoderSpec(**manifest.encoder)
            raise EncoderMismatchError(
                f"The index was built with {_named(built)} and cannot be searched with "
                f"{_named(self.encoder.spec)}; set RAG_ENCODER={built.name} or run `rag build`."
            )
        languages = sorted(manifest.languages, key=lambda code: -manifest.languages[code])
        store, words = self._stores.open(snapshot)
        return _Open(snapshot, self._around(store), words, languages)

    def _is_cut(self, question: str) -> bool:
        limit = self.encoder.spec.max_tokens - 2
        return len(question) > limit and len(self.encoder.tokenizer.spans([question])[0]) > limit

    def _blind(self, own: str, usual: str) -> Sequence[Notice]:
        """Return a notice where the encoder cannot read the language."""
        readable = self.encoder.spec.languages
        language = usual if own == text.UNKNOWN else own
        if readable is None or language in (*readable, text.UNKNOWN):
            return ()
        said = f"{self.encoder.spec.name} does not read {language!r}; words decide the ranking."
        return (Notice("encoder_blind", said),)

    def _ranked(
        self, opened: _Open, words: _ByWords, vector: Vectors
    ) -> tuple[Rows, Mapping[str, Scores]]:
        """Return the candidates' rows, best first, and their signals in the same order."""
        near, _ = opened.store.search(vector[None], words.depth, words.allowed)
        rows = np.union1d(near[near >= 0], words.rows)
        dense = opened.store.scores(vector, rows)
        bm25 = opened.snapshot.lexical.scores(words.terms, rows)
        alpha = self._settings.alpha_blind if words.notices else self._settings.alpha
        fused, weight = convex_fusion(dense, bm25, alpha, words.most)
        order = np.lexsort((rows, -fused))
        signals = {
            "score": fused[order],
            "dense": dense[order],
            "lexical": bm25[order],
            "alpha": np.full(len(rows), weight, np.float32),
        }
        return rows[order], signals


def _reading(
    reranker: Reranker | None, own: str, usual: str
) -> tuple[Reranker | None, Sequence[Notice]]:
    """Return what orders the passages anew, unless it cannot read the question's language."""
    language = usual if own == text.UNKNOWN else own
    if reranker is None or reranker.languages is None:
        return reranker, ()
    if language in (*reranker.languages, text.UNKNOWN):
        return reranker, ()
    said = f"The reader does not read {language!r}; the passages stand as they were found."
    return None, (Notice("reader_blind", said),)


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
