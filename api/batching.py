"""What is asked for at the same time is done at one stroke: embedding, and searching of vectors."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from rag.embed import EncoderAround
from rag.protocols import Encoder, VectorStore
from rag.types import Rows, Scores, Vectors

Ask = TypeVar("Ask")
Reply = TypeVar("Reply")


class Batcher(Generic[Ask, Reply]):
    """Collects what threads ask for while an earlier batch is worked on.

    Whoever comes while nobody works does the work for all who wait; the others find theirs done.
    """

    def __init__(self, work: Callable[[Sequence[Ask]], Sequence[Reply]]) -> None:
        self._work = work
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[_Ticket[Ask, Reply]] = []

    def __call__(self, ask: Ask) -> Reply:
        """Return the reply; raises what the work of its batch raised."""
        ticket: _Ticket[Ask, Reply] = _Ticket(ask)
        with self._guard:
            self._waiting.append(ticket)
        with self._turn:
            if not ticket.done:
                with self._guard:
                    batch, self._waiting = self._waiting, []
                self._serve(batch)
        if ticket.error is not None:
            raise ticket.error
        return ticket.reply[0]

    def _serve(self, batch: "Sequence[_Ticket[Ask, Reply]]") -> None:
        try:
            replies = self._work([ticket.ask for ticket in batch])
            for ticket, reply in zip(batch, replies, strict=True):
                ticket.reply = (reply,)
        except Exception as error:  # each of them has to hear of it
            for ticket in batch:
                ticket.error = error


class _Ticket(Generic[Ask, Reply]):
    """What was asked for, and what became of it."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.reply: tuple[Reply, ...] = ()
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        return bool(self.reply) or self.error is not None


class BatchingEncoder(EncoderAround):
    """An encoder that embeds questions together; a build does not wait for them, nor they for it."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._embed = Batcher(self._together)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        return self._embed(texts)

    def _together(self, asked: Sequence[Sequence[str]]) -> list[Vectors]:
        rows = self._encoder.encode_queries([text for texts in asked for text in texts])
        return np.split(rows, np.cumsum([len(texts) for texts in asked])[:-1])


class BatchingStore:
    """A store that searches for several queries in one pass over its vectors.

    One pass reads all of them from memory, which is what a search of many takes its time for.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._search = Batcher(self._together)

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Scores]:
        """Return rows and scores, each (len(queries), k), best first; among `rows` if given."""
        if rows is not None:
            return self._store.search(queries, k, rows)
        return self._search((queries, k))

    def scores(self, query: Vectors, rows: Rows) -> Scores:
        """Return the cosine of one query, shape (d,), with each of `rows`, shape (len(rows),)."""
        return self._store.scores(query, rows)

    def _together(self, asked: Sequence[tuple[Vectors, int]]) -> list[tuple[Rows, Scores]]:
        most = max(k for _, k in asked)
        rows, scores = self._store.search(np.vstack([queries for queries, _ in asked]), most)
        ends = np.cumsum([len(queries) for queries, _ in asked])[:-1]
        parts = zip(asked, np.split(rows, ends), np.split(scores, ends), strict=True)
        return [(near[:, :k], value[:, :k]) for (_, k), near, value in parts]
