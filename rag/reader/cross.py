"""A cross-encoder of one's own: it reads question and passage together and says how well they fit."""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rag.errors import EncoderError, ReaderError
from rag.types import Passage, Scores

DEPTH = 20
"""Passages that are read at least."""
MOST = 100
"""Passages that are read at most."""
BATCH = 16
GRAPHS = ("model.onnx", "onnx/model.onnx")
"""Where a model's folder may hold a graph, which is run without torch."""

_LONGEST = 512
_NOTHING: Scores = np.empty(0, np.float32)
_PARTS = (".json", ".safetensors", ".bin", ".onnx")


class PairScorer(Protocol):
    """Says how well texts fit a question."""

    def __call__(self, question: str, texts: Sequence[str]) -> Scores:
        """Return what the model says of each text, before any activation; shape (len(texts),)."""


class CrossReranker:
    """Orders passages by a cross-encoder. Safe to share between threads."""

    depth = DEPTH
    languages = None

    def __init__(self, scorer: PairScorer) -> None:
        self._scorer = scorer

    @classmethod
    def open(cls, model: str, threads: int = 0) -> "CrossReranker":
        """Return the reranker of a model given by its folder, or by a name that was downloaded before.

        A graph in its folder is run by ONNX Runtime, anything else by sentence-transformers. Raises
        `ReaderError` where it cannot be opened, or says more than one number of a pair.
        """
        from rag.embed.models import model_folder

        try:
            folder = model_folder(model)
            graph = _graph_in(folder)
            kinds = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"]
            if not any(kind.endswith("ForSequenceClassification") for kind in kinds):
                raise ValueError(f"its config.json names {', '.join(kinds)}, which compares no texts")
            scorer = _Graph(graph, folder, threads) if graph else _Network(folder)
            if len(scorer("Is it? " * _LONGEST, ["It is. " * _LONGEST])) != 1:
                raise ValueError("it says more than one number of question and passage")
        except EncoderError as error:
            raise ReaderError(str(error)) from None
        except Exception as error:  # each runtime has a dozen kinds of its own
            raise ReaderError(f"The cross-encoder {model} cannot be used: {_told(error)}.") from None
        return cls(scorer)

    def rerank(self, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
        """Return the passages, best first; the score is the sigmoid of what the model says.

        The signals gain `cross`, what it says, and `fused`, the score before. What comes after the
        first `MOST` is not read, stays in its order and scores 0. Raises `ReaderError` where the
        model fails, or says what is no number.
        """
        read, rest = passages[:MOST], passages[MOST:]
        try:
            said = self._scorer(question, [_shown(each) for each in read]) if read else _NOTHING
        except Exception as error:
            raise ReaderError(f"The cross-encoder failed: {_told(error)}.") from None
        if not np.isfinite(said).all():
            raise ReaderError("The cross-encoder says what is no number; use another.")
        scored = [
            replace(each, score=score, signals={**each.signals, "fused": each.score, "cross": cross})
            for each, score, cross in zip(read, _sigmoid(said), said.tolist(), strict=True)
        ]
        unread = [
            replace(each, score=0.0, signals={**each.signals, "fused": each.score}) for each in rest
        ]
        return [*sorted(scored, key=lambda each: -each.signals["cross"]), *unread]


def digest(model: str) -> str:
    """Return the first digits of one SHA-256 of a model's files; raises `ReaderError`."""
    from rag.embed.models import model_folder

    whole = hashlib.sha256()
    try:
        folder = model_folder(model)
        for path in sorted(path for path in folder.rglob("*") if path.suffix in _PARTS):
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    except EncoderError as error:
        raise ReaderError(str(error)) from None
    except OSError as error:
        raise ReaderError(f"The cross-encoder {model} cannot be read: {error.strerror}.") from None
    return whole.hexdigest()[:12]


class _Network:
    def __init__(self, folder: Path) -> None:
        from sentence_transformers import CrossEncoder
        from torch import nn

        from rag.quiet import quiet

        with quiet():
            self._network = CrossEncoder(str(folder), device="cpu", local_files_only=True)
        self._as_said = nn.Identity()

    def __call__(self, question: str, texts: Sequence[str]) -> Scores:
        pairs = [(question, text) for text in texts]
        said = self._network.predict(
            pairs, activation_fn=self._as_said, show_progress_bar=False, batch_size=BATCH
        )
        return np.asarray(said, np.float32).reshape(-1)


class _Graph:
    def __init__(self, graph: Path, folder: Path, threads: int) -> None:
        from tokenizers import Tokenizer

        from rag.session import open_session

        self._session = open_session(graph)
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_longest(folder))
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "cross")

    def __call__(self, question: str, texts: Sequence[str]) -> Scores:
        encoded = self._tokenizer.encode_batch([(question, text) for text in texts])
        return np.concatenate(list(self._pool.map(self._one, encoded)))

    def _one(self, encoded: Any) -> Scores:
        values = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        given = {name: np.array([values[name]], np.int64) for name in self._inputs}
        said: Scores = np.asarray(self._session.run(None, given)[0], np.float32)
        return said.reshape(-1)


def _graph_in(folder: Path) -> Path | None:
    return next((folder / name for name in GRAPHS if (folder / name).is_file()), None)


def _longest(folder: Path) -> int:
    """Return how many tokens of question and passage are read; some networks keep two places back."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return min(_LONGEST, int(config.get("max_position_embeddings", _LONGEST)) - 2)


def _told(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _shown(passage: Passage) -> str:
    heading = passage.heading or passage.title
    return f"{heading}\n{passage.text}" if heading else passage.text


def _sigmoid(values: Scores) -> list[float]:
    odds: list[float] = (1 / (1 + np.exp(-np.clip(values, -50, 50)))).tolist()
    return odds
