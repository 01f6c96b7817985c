"""A cross-encoder trained on natural language inference as the judge of support."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import ConfigError


class NLIJudge:
    """Takes the probability of entailment that a user's model gives, text first and claim second."""

    threshold = 0.5

    def __init__(self, model: str) -> None:
        """Look for the model, not loaded yet; raises `ConfigError` for a folder that holds none."""
        self.name = f"nli:{model}"
        self._path = model
        folder = Path(model).expanduser()
        is_path = folder.is_absolute() or model.startswith(".") or folder.exists()
        if is_path and not (folder / "config.json").is_file():
            raise ConfigError(f"There is no model in {folder}; set RAG_JUDGE to nli:<folder>.")
        self._lock = threading.Lock()

    def scores(self, claim: str, texts: Sequence[str], language: str) -> Sequence[float]:
        """Return for each text the probability that it entails the claim; raises `ConfigError`."""
        if not texts:
            return []
        with self._lock:
            model, entailment = self._loaded
            logits = model.predict([(each, claim) for each in texts], show_progress_bar=False)
        shifted = np.exp(logits - np.max(logits, axis=1, keepdims=True))
        return [float(each) for each in shifted[:, entailment] / shifted.sum(axis=1)]

    @cached_property
    def _loaded(self) -> tuple[Any, int]:
        """The model and the number of its label for entailment; nothing is downloaded."""
        from sentence_transformers import CrossEncoder

        try:
            model = CrossEncoder(str(Path(self._path).expanduser()), local_files_only=True)
        except (OSError, ValueError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConfigError(
                f"{self.name} cannot be loaded; name a folder with a model: {said}"
            ) from None
        labels = {n: str(label).casefold() for n, label in model.config.id2label.items()}
        found = [n for n, label in labels.items() if label.startswith("entail")]
        if len(found) != 1:
            raise ConfigError(
                f"{self.name} has no label for entailment among {', '.join(labels.values())}; "
                "it must be a model trained on natural language inference."
            )
        return model, int(found[0])
