"""Fits the confidence and its threshold to one's own seeds, on gold with both kinds of questions.

The shipped calibration tells which signals matter. Here its probability is put right for these
seeds by Platt's method (Platt 1999, "Probabilistic Outputs for Support Vector Machines"), together
with the share of an answer's sentences that were verified, which says much of what a model wrote and
nothing of quotes. The threshold is the one at which most items come out right: answered rightly, or
rightly not answered. What is reported was measured on folds that the fit did not see; a document's
items share a fold.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eval import stats
from eval.ask import Progress
from eval.errors import EvalError
from eval.gold import Gold, digest_of
from eval.metrics import abstention
from eval.metrics.grounding import LexicalJudge
from eval.run import run
from eval.score import Scored
from eval.system import System
from rag.confidence import SHIPPED

FOLDS = 5
_EDGE = 1e-4
"""Confidence is held off 0 and 1 by so much, where its logit would be infinite."""
_HOLDS_FOR = ("index", "encoder_fingerprint", "backend", "prompt", "code")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The calibration file's content, and what its confidence gave on unseen folds."""

    calibration: dict[str, Any]
    measured: Mapping[str, Any]
    points: Sequence[tuple[float, float]]
    """(coverage, risk) by confidence on unseen folds."""


def calibrate(gold: Gold, system: System, progress: Progress) -> Fitted:
    """Ask all of the gold and fit; raises `EvalError` where it lacks one of the two kinds."""
    outcome = run(gold, system, LexicalJudge(), progress=progress)
    rows = [each for each in outcome.scored if each.would_be_wrong is not None]
    rows.sort(key=lambda each: each.gold.item.id)
    answerable = np.array([each.gold.item.answerable for each in rows], bool)
    right = np.array([not each.would_be_wrong for each in rows], bool)
    if not answerable.any() or answerable.all() or not right.any():
        raise EvalError(
            f"{gold.path} needs answerable questions, some of them answered right, and unanswerable "
            "ones; without both there is nothing to tell apart."
        )
    logits = _logit(np.array([each.record["confidence"] for each in rows]))
    verified = np.array([each.record["signals"]["verified"] for each in rows])
    x = np.stack([logits, verified], axis=1)
    unseen, thresholds = _unseen(x, right, answerable, _folds(rows))
    (scale, trust), shift = _platt(x, right)
    threshold = _threshold(_sigmoid(x @ [scale, trust] + shift), right, answerable)
    measured = _measured(unseen, thresholds, right, answerable)
    calibration = {
        "id": f"{gold.name}-{len(rows)}-{gold.digest[:8]}",
        "fitted_on": {"data": gold.name, "gold": gold.digest, "questions": len(rows)},
        "holds_for": {name: system.fingerprint[name] for name in _HOLDS_FOR},
        "models": [
            {
                "weights": _scaled(model["weights"], scale, trust),
                "bias": round(scale * model["bias"] + shift, 6),
                "threshold": round(threshold, 4),
                "measured_on_unseen_folds": measured,
            }
            for model in _models(system)
        ],
    }
    points = abstention.risk_coverage(unseen.tolist(), (~right).tolist())
    return Fitted(calibration, measured, points)


def table(found: Fitted) -> str:
    """Show what was measured on unseen folds."""
    threshold = found.calibration["models"][0]["threshold"]
    lines = [
        f"threshold {threshold}, fitted on {found.calibration['fitted_on']['questions']} questions"
    ]
    lines += [f"  {name:<24} {_shown(value)}" for name, value in found.measured.items()]
    return "\n".join([lines[0], "on folds that the fit did not see:", *lines[1:]])


def curve(found: Fitted) -> str:
    """Draw risk against coverage as SVG, with the point that the threshold gives."""
    width, height, edge = 480, 320, 48

    def at(coverage: float, risk: float) -> str:
        x = edge + coverage * (width - 2 * edge)
        return f"{x:.1f},{height - edge - risk * (height - 2 * edge):.1f}"

    line = " ".join(at(*point) for point in found.points)
    x, y = at(found.measured["coverage"], found.measured["selective_risk"] or 0.0).split(",")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" role="img">'
        "<title>Risk of the given answers by the share of questions answered</title>"
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{at(0, 1)} L{at(0, 0)} L{at(1, 0)}" fill="none" stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="#2b6cb0" stroke-width="2"/>'
        f'<circle cx="{x}" cy="{y}" r="5" fill="#c05621"/>'
        f'<text x="{width / 2}" y="{height - 14}" text-anchor="middle">coverage</text>'
        f'<text x="14" y="{height / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {height / 2})">risk</text>'
        f'<text x="{edge - 6}" y="{height - edge + 4}" text-anchor="end">0</text>'
        f'<text x="{edge - 6}" y="{edge + 4}" text-anchor="end">1</text>'
        f'<text x="{width - edge}" y="{height - edge + 16}" text-anchor="middle">1</text></svg>\n'
    )


def _scaled(weights: Mapping[str, float], scale: float, trust: float) -> dict[str, float]:
    """Return a model's weights by the fit; what is verified counts on top of what it did."""
    scaled = {name: scale * weight for name, weight in weights.items()}
    if trust:
        scaled["verified"] = scaled.get("verified", 0.0) + trust
    return {name: round(weight, 6) for name, weight in scaled.items()}


def _models(system: System) -> list[dict[str, Any]]:
    path = system.settings.calibration or SHIPPED
    models: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["models"]
    return models


def _folds(rows: Sequence[Scored]) -> NDArray[np.int64]:
    """Return each item's fold, by the digest of the document that it hangs on."""
    return np.array([int(digest_of(each.gold.item.cluster), 16) % FOLDS for each in rows])


def _unseen(
    x: Floats, right: Flags, answerable: Flags, folds: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return for each item the confidence and the threshold that the other folds give it."""
    confidence, thresholds = np.empty(len(x)), np.empty(len(x))
    for fold in range(FOLDS):
        held = folds == fold
        weights, shift = _platt(x[~held], right[~held])
        fitted = _sigmoid(x @ weights + shift)
        confidence[held] = fitted[held]
        thresholds[held] = _threshold(fitted[~held], right[~held], answerable[~held])
    return confidence, thresholds


def _platt(x: Floats, right: Flags) -> tuple[tuple[float, float], float]:
    """Return the weights of the logit and of what is verified, and the shift.

    A weight that would turn the order around is not taken: 1 for the logit's, 0 for the other.
    """
    if right.all() or not right.any():
        return (1.0, 0.0), 0.0
    for columns in ([0, 1], [0]) if np.ptp(x[:, 1]) else ([0],):
        model = LogisticRegression(C=1e3).fit(x[:, columns], right)
        scale, *trust = (float(weight) for weight in model.coef_[0])
        if scale > 0 and min(trust, default=0.0) >= 0:
            return (scale, trust[0] if trust else 0.0), float(model.intercept_[0])
    return (1.0, 0.0), 0.0


def _threshold(confidence: Floats, right: Flags, answerable: Flags) -> float:
    """Return the threshold at which most items come out right; of equals the highest.

    Below it one abstains, so of two that are as good the more silent one is taken.
    """
    order = np.argsort(-confidence, kind="stable")
    gain = np.where(right[order], 1, np.where(answerable[order], 0, -1))
    total = np.concatenate([[0], np.cumsum(gain)])
    last = np.concatenate([[True], np.diff(confidence[order]) != 0, [True]])
    best = int(np.flatnonzero((total == total[last].max()) & last)[0])
    edges = np.concatenate([[1.0], confidence[order], [0.0]])
    return float((edges[best] + edges[best + 1]) / 2)


def _measured(
    confidence: Floats, thresholds: Floats, right: Flags, answerable: Flags
) -> dict[str, Any]:
    answered = confidence >= thresholds
    fine = np.where(answered, right, ~answerable)
    interval = stats.wilson(int(fine.sum()), len(fine))
    risk = abstention.selective_risk(answered.tolist(), (~right).tolist())
    return {
        "questions": len(fine),
        "accuracy": round(float(fine.mean()), 4),
        "accuracy_low": round(interval.low, 4) if interval else None,
        "accuracy_high": round(interval.high, 4) if interval else None,
        "auroc": _rounded(abstention.auroc(confidence.tolist(), answerable.tolist())),
        "auroc_right": _rounded(abstention.auroc(confidence.tolist(), right.tolist())),
        "aurc": _rounded(abstention.aurc(confidence.tolist(), (~right).tolist())),
        "brier": round(float(((confidence - right) ** 2).mean()), 4),
        "coverage": round(float(answered.mean()), 4),
        "selective_risk": _rounded(risk),
        "abstained_unanswerable": round(float((~answered)[~answerable].mean()), 4),
        "false_abstention": round(float((~answered)[answerable].mean()), 4),
    }


def _logit(p: Floats) -> Floats:
    held = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(held / (1 - held)))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _shown(value: Any) -> str:
    return "n/a" if value is None else str(value)
