"""The fit by hand on made confidences, and as a whole on a part of the shipped gold."""

import json
from pathlib import Path

import numpy as np
import pytest

from eval import calibrate as room
from eval.calibrate import calibrate, curve, table
from eval.errors import EvalError
from eval.gold import Gold, read_gold
from eval.system import open_system
from rag.answer import Answerer
from rag.confidence import Calibration
from rag.config import Settings
from tests.conftest import ROOT

SHIPPED = ROOT / "eval" / "gold" / "seeds.jsonl"


def silent(done: int, total: int) -> None:
    """Report nothing."""


@pytest.mark.parametrize(
    ("confidence", "right", "answerable", "threshold"),
    [
        ([0.9, 0.8, 0.3, 0.2], [1, 1, 0, 0], [1, 1, 0, 0], 0.55),  # between the two kinds
        ([0.9, 0.8, 0.7], [0, 0, 0], [0, 0, 0], 0.95),  # nothing to be answered: never
        ([0.9, 0.8, 0.7], [1, 1, 1], [1, 1, 1], 0.35),  # nothing to be withheld: always
        ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], [1, 1, 0, 0], 0.7),  # a tie is not parted: 1 of either
        ([0.9, 0.6, 0.3], [1, 0, 0], [1, 1, 0], 0.75),  # a wrong answer is no better than none
    ],
)
def test_the_threshold_is_where_most_items_come_out_right(
    confidence: list[float], right: list[int], answerable: list[int], threshold: float
) -> None:
    found = room._threshold(np.array(confidence), np.array(right, bool), np.array(answerable, bool))
    assert found == pytest.approx(threshold)


def test_platt_puts_an_overconfident_probability_right() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.05, 0.95, 4000)
    right = rng.random(4000) < truth
    overconfident = 3 * room._logit(truth) + 1
    (scale, trust), shift = room._platt(_with(overconfident, 1.0), right)
    assert scale == pytest.approx(1 / 3, abs=0.03)
    assert trust == 0
    fitted = room._sigmoid(scale * overconfident + shift)
    assert np.abs(fitted - truth).mean() < 0.02


def test_a_fit_never_turns_the_order_around() -> None:
    logits = np.linspace(-2, 2, 40)
    for verified in (1.0, logits > 0):
        assert room._platt(_with(logits, verified), logits < 0) == ((1.0, 0.0), 0.0)
        assert room._platt(_with(logits, verified), np.ones(40, bool)) == ((1.0, 0.0), 0.0)


def test_what_is_verified_counts_where_it_tells_right_from_wrong() -> None:
    rng = np.random.default_rng(2)
    logits, verified = rng.normal(size=2000), rng.random(2000)
    right = rng.random(2000) < room._sigmoid(logits + 4 * verified - 2)
    (scale, trust), shift = room._platt(_with(logits, verified), right)
    assert (scale, trust, shift) == pytest.approx((1, 4, -2), abs=0.4)
    assert room._scaled({"known": 2.0}, 0.5, trust) == {"known": 1.0, "verified": round(trust, 6)}


def _with(logits: room.Floats, verified: object) -> room.Floats:
    return np.stack([logits, np.broadcast_to(verified, logits.shape)], axis=1).astype(float)


def test_calibrating_on_a_third_of_the_shipped_gold(
    eval_cache: Path, seed_index: Path, tmp_path: Path
) -> None:
    whole = read_gold(SHIPPED)
    gold = Gold(whole.name, whole.path, whole.items[::3])
    system = open_system(gold, Settings.load(), index=seed_index)
    found = calibrate(gold, system, silent)
    measured = found.measured
    assert measured["questions"] == len(gold.items)
    assert measured["accuracy_low"] < measured["accuracy"] < measured["accuracy_high"]
    assert 0.5 < measured["auroc"] < 1
    assert "folds that the fit did not see" in table(found)
    assert found.points[-1][0] == 1.0
    assert curve(found).startswith("<svg")
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps(found.calibration), encoding="utf-8")
    loaded = Calibration.load(file)
    assert loaded.id == found.calibration["id"]
    assert loaded.holds_for["backend"] == "extractive"
    settings = Settings.load(calibration=file)
    answerer = Answerer.over(system.answerer.retriever, settings)
    answer = answerer.ask("How many people walked free on 16 September?")
    assert answer.calibration == loaded.id
    assert not answer.warnings
    elsewhere = {**found.calibration, "holds_for": {**loaded.holds_for, "prompt": "another"}}
    file.write_text(json.dumps(elsewhere), encoding="utf-8")
    warned = Answerer.over(system.answerer.retriever, settings).ask("How many walked free?")
    assert [notice.code for notice in warned.warnings] == ["calibration_elsewhere"]


@pytest.mark.parametrize("answerable", [True, False])
def test_gold_of_one_kind_is_refused(eval_cache: Path, seed_index: Path, answerable: bool) -> None:
    gold = read_gold(SHIPPED)
    one_kind = [item for item in gold.items if item.answerable is answerable][:6]
    system = open_system(gold, Settings.load(), index=seed_index)
    with pytest.raises(EvalError, match="unanswerable ones"):
        calibrate(Gold(gold.name, gold.path, one_kind), system, silent)
