"""An encoder around another: what it does not do in its own way, the inner one does."""

from collections.abc import Sequence

from rag.protocols import Encoder, EncoderSpec, Tokenizer
from rag.types import Vectors


class EncoderAround:
    """Hands everything on to the encoder within."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def spec(self) -> EncoderSpec:
        """What the encoder within is."""
        return self._encoder.spec

    @property
    def tokenizer(self) -> Tokenizer:
        """The inner encoder's tokenizer."""
        return self._encoder.tokenizer

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        return self._encoder.encode_passages(texts)
