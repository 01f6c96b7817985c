"""Vectors that were asked for before are not computed again."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from rag.embed.around import EncoderAround
from rag.protocols import Encoder
from rag.types import Vectors


class RememberingEncoder(EncoderAround):
    """An encoder that remembers the vectors of the last `capacity` texts it embedded as queries.

    A text's vector depends on that text alone, so the remembered one is the same. The sentences of
    passages that often answer are embedded once instead of for every question. Passages are embedded
    once anyway, when an index is built, and are not remembered.
    """

    def __init__(self, encoder: Encoder, capacity: int) -> None:
        super().__init__(encoder)
        self._capacity = capacity
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        with self._lock:
            rows = {text: self._known[text] for text in texts if text in self._known}
            for text in rows:
                self._known.move_to_end(text)
        missing = [text for text in dict.fromkeys(texts) if text not in rows]
        if missing:
            fresh = dict(zip(missing, self._encoder.encode_queries(missing), strict=True))
            rows |= fresh
            with self._lock:
                self._known |= {text: row.copy() for text, row in fresh.items()}
                while len(self._known) > self._capacity:
                    self._known.popitem(last=False)
        if not rows:
            return np.empty((0, self.spec.dimension), np.float32)
        return np.stack([rows[text] for text in texts])
