"""Signals → the probability that an answer is right and supported, as calibrated on gold.

`calibration.json` holds one logistic model or more, each over some signals; the first whose signals
are all known is used. It names what it was fitted on and the threshold below which to abstain.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import ConfigError

SHIPPED = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Model:
    """`p = 1 / (1 + exp(-(bias + sum(weight * signal))))`; abstain below `threshold`."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, signals: Mapping[str, float]) -> float:
        """Return a probability from signals that include all of the model's."""
        logit = self.bias + sum(w * signals[name] for name, w in self.weights.items())
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Models in order of preference, and where they come from."""

    id: str
    models: Sequence[Model]
    holds_for: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints of what it was fitted with; the shipped one names none."""

    @classmethod
    def load(cls, path: Path | None = None) -> "Calibration":
        """Read a calibration file, or the shipped one; raises `ConfigError` if it cannot be used."""
        path = path or SHIPPED
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            models = [_model(each) for each in value["models"]]
            return cls(str(value["id"]), models, dict(value.get("holds_for", {})))
        except OSError as error:
            raise ConfigError(
                f"The calibration {path} cannot be read ({error.strerror}); set RAG_CALIBRATION to a "
                "file of `python -m eval calibrate`."
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ConfigError(
                f"{path} is no calibration; set RAG_CALIBRATION to a file of `python -m eval "
                "calibrate`."
            ) from None

    def judge(self, signals: Mapping[str, float]) -> tuple[float, float]:
        """Return the confidence and its threshold; 0 where no model knows these signals."""
        for model in self.models:
            if model.weights.keys() <= signals.keys():
                return round(model.probability(signals), 4), model.threshold
        return 0.0, 1.0


def _model(value: Mapping[str, Any]) -> Model:
    weights = {str(name): float(weight) for name, weight in value["weights"].items()}
    return Model(float(value["bias"]), weights, float(value["threshold"]))
