"""Any sentence-transformers model as it is, in float32: slower, but nothing is compiled."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rag.embed import models
from rag.embed.onnx import HubSpans
from rag.errors import EncoderError
from rag.protocols import EncoderSpec
from rag.quiet import quiet
from rag.types import Vectors


class SentenceTransformerEncoder:
    """Runs a model through sentence-transformers, one text at a time so that none sways another."""

    def __init__(self, network: Any, spec: EncoderSpec, prefixes: models.Prefixes) -> None:
        self.spec = spec
        self.tokenizer = HubSpans(network.tokenizer.backend_tokenizer.to_str())
        self._network = network
        self._prefixes = prefixes

    @classmethod
    def open(cls, model: str, languages: tuple[str, ...] | None = None) -> "SentenceTransformerEncoder":
        """Return the encoder of a folder or a hub name; raises `EncoderError`."""
        folder = models.model_folder(model)
        from sentence_transformers import SentenceTransformer

        try:
            with quiet():
                network = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            dimension = int(network.get_embedding_dimension())
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise EncoderError(f"{model} cannot be loaded: {said}") from None
        prefixes = models.prefixes(folder)
        identity = {
            "source": models.source_digest(model, folder),
            "prefixes": [prefixes.query, prefixes.passage],
            "precision": "float32",
            "runtime": "sentence-transformers",
        }
        if languages is None and model == models.BUNDLED:
            languages = models.BUNDLED_LANGUAGES
        spec = EncoderSpec(
            name=f"st:{model}",
            fingerprint=models.fingerprint(identity),
            dimension=dimension,
            max_tokens=int(network.max_seq_length or 512),
            precision="float32",
            languages=languages,
        )
        return cls(network, spec, prefixes)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        return self._encode([self._prefixes.query + text for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        return self._encode([self._prefixes.passage + text for text in texts])

    def _encode(self, texts: list[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.spec.dimension), np.float32)
        rows = self._network.encode(
            texts, batch_size=1, normalize_embeddings=True, show_progress_bar=False, prompt=""
        )
        return np.asarray(rows, np.float32)
