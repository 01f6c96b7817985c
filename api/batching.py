"""Questions that arrive together are embedded together."""

import threading
from collections.abc import Sequence

import numpy as np

from rag.protocols import Encoder, EncoderSpec, Tokenizer
from rag.types import Vectors


class _Ticket:
    """Texts that wait for their vectors, and what became of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.vectors: Vectors | None = None
        self.error: Exception | None = None


class BatchingEncoder:
    """An encoder that embeds in one call what other threads asked for while it was at work.

    Whoever comes while nobody is embedding does it for all who wait; the others find theirs done.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._turn = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._guard = threading.Lock()

    @property
    def spec(self) -> EncoderSpec:
        """What the encoder is."""
        return self._encoder.spec

    @property
    def tokenizer(self) -> Tokenizer:
        """The encoder's own tokenizer."""
        return self._encoder.tokenizer

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        ticket = _Ticket(texts)
        with self._guard:
            self._waiting.append(ticket)
        with self._turn:
            if ticket.vectors is None and ticket.error is None:
                with self._guard:
                    batch, self._waiting = self._waiting, []
                self._embed(batch)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.vectors is not None
        return ticket.vectors

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows as the encoder does; a build and questions do not wait for each other."""
        return self._encoder.encode_passages(texts)

    def _embed(self, batch: Sequence[_Ticket]) -> None:
        try:
            rows = self._encoder.encode_queries([text for each in batch for text in each.texts])
        except Exception as error:  # each of them has to hear of it
            for each in batch:
                each.error = error
            return
        ends = np.cumsum([len(each.texts) for each in batch])
        for each, end in zip(batch, ends.tolist(), strict=True):
            each.vectors = rows[end - len(each.texts) : end]
