"""An encoder that makes passage vectors fast: real ones, disturbed, so that big indexes cost little.

Speed of search depends on how many rows there are and hardly on what they say; recall of an
approximate index does depend on it, so the rows keep the shape of a real embedding space.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from rag.embed import EncoderAround
from rag.protocols import Encoder
from rag.types import Vectors

NEAR = (0.6, 0.9)
"""Least and greatest cosine of a made vector to the real one that it came from."""


class PoolEncoder(EncoderAround):
    """Questions are embedded for real; a passage's vector is a pool vector's neighbour.

    Which one and how near depends on the text alone.
    """

    def __init__(self, encoder: Encoder, pool: Vectors) -> None:
        super().__init__(encoder)
        self._pool = pool

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return made unit rows, float32, shape (len(texts), dimension)."""
        rows = np.empty((len(texts), self._pool.shape[1]), np.float32)
        for at, text in enumerate(texts):
            rows[at] = self._made(text)
        return rows

    def _made(self, text: str) -> Vectors:
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        random = np.random.default_rng(int.from_bytes(digest, "little"))
        real = self._pool[random.integers(len(self._pool))]
        noise = random.standard_normal(len(real), np.float32)
        noise -= (noise @ real) * real
        cosine = random.uniform(*NEAR)
        apart = np.sqrt(1 - cosine**2) / np.linalg.norm(noise)
        row: Vectors = (cosine * real + apart * noise).astype(np.float32)
        return row / np.linalg.norm(row)
