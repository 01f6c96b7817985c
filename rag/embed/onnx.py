"""The default encoder: a sentence-transformers model as one quantised graph in ONNX Runtime.

Each text is its own run, unpadded: dynamic int8 scales span a batch, so only then does a text's
vector depend on that text alone. It is also the fastest; parallel runs use the cores.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer as HubTokenizer

from rag.embed import models
from rag.errors import EncoderError
from rag.protocols import EncoderSpec
from rag.session import Session, open_session
from rag.types import Span, Vectors


class HubSpans:
    """Token spans by a `tokenizers` tokenizer, given as its JSON, without truncation."""

    def __init__(self, tokenizer_json: str) -> None:
        self._tokenizer = HubTokenizer.from_str(tokenizer_json)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return for each text its tokens' spans in code points."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [each.offsets for each in encoded]


class OnnxEncoder:
    """Runs a compiled model. Safe to share between threads."""

    def __init__(
        self,
        session: Session,
        tokenizer_file: Path,
        spec: EncoderSpec,
        prefixes: models.Prefixes,
        threads: int,
    ) -> None:
        self.spec = spec
        self._tokenizer = HubTokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(spec.max_tokens)
        self._session = session
        self._prefixes = prefixes
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "encode")

    @classmethod
    def open(
        cls, model: str, cache: Path, threads: int = 0, languages: tuple[str, ...] | None = None
    ) -> "OnnxEncoder":
        """Return the encoder of a model, compiling it on first use into the cache folder.

        Raises `EncoderError` where the model is missing, does not export, or the cache is unwritable.
        """
        folder = models.model_folder(model)
        key = models.fingerprint(
            {"source": models.source_digest(model, folder), "recipe": models.RECIPE}
        )
        home = cache / "encoders" / key[:32]
        if not (home / "encoder.json").exists():
            from rag.embed.compile import compile_model

            compile_model(model, folder, home)
        try:
            known = json.loads((home / "encoder.json").read_text(encoding="utf-8"))
            for name, digest in known["files"].items():
                if models.file_sha256(home / name) != digest:
                    raise ValueError(f"{name} has changed")
            session = open_session(home / "model.onnx")
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise EncoderError(
                f"The compiled encoder in {home} is damaged ({error}); delete that folder and it "
                "will be compiled anew."
            ) from None
        if languages is None and model == models.BUNDLED:
            languages = models.BUNDLED_LANGUAGES
        prefixes = models.prefixes(folder)
        spec = EncoderSpec(
            name=f"onnx:{model}",
            fingerprint=models.fingerprint(
                {"compiled": known["identity"], "prefixes": [prefixes.query, prefixes.passage]}
            ),
            dimension=known["dimension"],
            max_tokens=known["max_tokens"],
            precision=known["precision"],
            languages=languages,
        )
        return cls(session, home / "tokenizer.json", spec, prefixes, threads)

    @cached_property
    def tokenizer(self) -> HubSpans:
        """The tokenizer that `spec.max_tokens` counts by."""
        return HubSpans(self._tokenizer.to_str())

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        return self._encode([self._prefixes.query + text for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit rows, float32, shape (len(texts), dimension)."""
        return self._encode([self._prefixes.passage + text for text in texts])

    def _encode(self, texts: list[str]) -> Vectors:
        tokens = [each.ids for each in self._tokenizer.encode_batch(texts)]
        run = map if len(tokens) < 2 else self._pool.map
        rows = list(run(self._one, tokens))
        return np.stack(rows) if rows else np.empty((0, self.spec.dimension), np.float32)

    def _one(self, ids: list[int]) -> Vectors:
        feed = {"input_ids": np.array([ids], np.int64)}
        row: Vectors = self._session.run(None, feed)[0][0]
        return row
