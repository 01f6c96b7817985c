"""Training the reader: what is kept apart, what windows say, and that one seed gives one result."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from eval.errors import DataError
from eval.reader.changed import altered, misleading, without_answer
from eval.reader.examples import NONE, UNKNOWN, Examples
from eval.reader.measure import measured, table
from eval.reader.mine import Beside, mined
from eval.reader.order import Plan, epoch
from eval.reader.rows import CALIBRATED, HELD, Row, parted, read_rows, squad2_rows
from eval.reader.train import CHECKPOINT, STABLE, Recipe, train
from eval.reader.trials import Trial, ablation, curve, run
from rag.bundled import bundled_folder
from rag.reader.windows import LONGEST, QUESTION, TITLE
from rag.types import Reading
from tests.conftest import SHARED

PLACES = ("Arven", "Belmor", "Corvin", "Dunmere", "Estholm", "Farrow", "Galt", "Hexley")


def row(n: int, source: str = "squadshifts_newwiki") -> Row:
    place = f"{PLACES[n % 8]} {PLACES[n // 8 % 8]}"
    year = 1700 + n
    context = (
        f"The town of {place} lies on a river. A bridge was built there in {year} by masons. "
        f"Its market is held every week. People of {place} like to sing."
    )
    start = context.index(str(year))
    question = f"When was the bridge of {place} built?"
    return Row(f"r{n}", source, place, place, context, question, (str(year),), start)


ROWS = [row(n) for n in range(48)]
BESIDE = {each.id: [Beside(o.title, o.context) for o in ROWS[:3] if o is not each] for each in ROWS}
PLAN = Plan(ROWS, BESIDE, [("Who sings?", "People sing.", ["It rains."])] * 12)
RECIPE = Recipe(epochs=0.3, tokens=512, warmup=2)


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return Tokenizer.from_file(str(bundled_folder() / "tokenizer.json"))


def test_no_article_is_both_learned_and_measured() -> None:
    many = [row(n) for n in range(400)]
    learned, held = parted(many)
    assert not {each.article for each in learned} & {each.article for each in held}
    assert not {each.context for each in learned} & {each.context for each in held}
    assert 0 < len(held) < 3 * HELD * len(many)
    assert len(learned) + len(held) == len(many)
    assert parted(reversed(many))[1] == held[::-1]


def test_a_question_that_is_measured_is_not_learned_beside_another_text() -> None:
    learned, held = parted([row(n) for n in range(400)])
    twin = replace(learned[0], id="twin", question=held[0].question)
    again, _ = parted([*learned, *held, twin])
    assert twin.id not in [each.id for each in again]


def test_windows_point_at_the_answer_wherever_they_are_cut(words: Tokenizer) -> None:
    cut, rng = Examples(), np.random.default_rng(0)
    long = "It rained all day in the hills. " * 20
    text = long + ROWS[5].context + " " + long
    start = text.index("1705")
    begins = set()
    for _ in range(60):
        example = cut.answering("When?", "Title", text, (start, start + 4), 80, rng)
        assert example is not None
        assert words.decode(example.ids[example.start : example.end + 1].tolist()) == "1705"
        assert words.decode(example.ids[: example.text].tolist()) == "when? title"
        assert len(example.ids) - example.text - 1 <= 80
        begins.add(len(example.ids) - example.start)
    assert len(begins) > 2, "the answer always stands at the same place"


def test_a_span_too_long_for_its_window_is_left_out() -> None:
    text = "word " * 100
    assert Examples().answering("?", "", text, (0, 400), 80, np.random.default_rng(0)) is None


def test_an_epoch_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    def ids(number: int, seed: int) -> list[list[int]]:
        batches = epoch(PLAN, Examples(), number, seed, 512)
        return [example.ids.tolist() for batch in batches for example in batch]

    assert ids(0, 1) == ids(0, 1)
    assert ids(0, 1) != ids(0, 2)
    assert ids(0, 1) != ids(1, 1)


def test_batches_hold_no_more_tokens_than_allowed() -> None:
    batches = epoch(PLAN, Examples(), 0, 1, 512)
    assert all(len(batch) * max(len(e.ids) for e in batch) <= 512 for batch in batches)
    longest = max(len(e.ids) for batch in batches for e in batch)
    assert longest <= LONGEST + QUESTION + TITLE


def test_what_does_not_answer_points_at_nothing() -> None:
    batches = epoch(PLAN, Examples(), 0, 1, 512)
    examples = [example for batch in batches for example in batch]
    assert {e.relevant for e in examples if e.start > NONE} == {1}
    assert {e.relevant for e in examples if e.start == NONE} == {0, UNKNOWN}
    assert any(e.start == UNKNOWN and e.relevant == 1 for e in examples)


RHINE = Row(
    "q", "s", "a", "", "In 1856 the Rhine froze first. It was cold. The Elbe froze in 1861.",
    "Which river froze first in 1856?", ("the Rhine",), 8,
)  # fmt: skip


def test_a_changed_question_asks_for_what_the_text_does_not_tell() -> None:
    rng = np.random.default_rng(0)
    beside = ["In 1901 and 12 days later it thawed."]
    asked = {misleading(RHINE, beside, rng) for _ in range(60)}
    assert asked - {None} == {
        "Which river froze first in 1901?",  # a year that the text does not have
        "Which river froze first in 1861?",  # a year of another sentence
        "Which river froze last in 1856?",
        "Which river froze final in 1856?",
        "Which river froze second in 1856?",
    }
    denied = replace(RHINE, question="What was frozen in 1856?")
    assert "What was not frozen in 1856?" in {misleading(denied, beside, rng) for _ in range(60)}
    plain = replace(RHINE, question="Which river?", context="It is the Rhine.", start=6)
    assert {misleading(plain, ["Nothing here."], rng) for _ in range(60)} == {None}


def test_an_altered_text_says_something_else_of_what_is_asked() -> None:
    rng = np.random.default_rng(0)
    told = {altered(RHINE, rng) for _ in range(60)}
    assert RHINE.context not in told
    assert RHINE.context.replace("first", "last") in told
    assert all(each and "the Rhine froze" in each and "Elbe froze in 1861" in each for each in told)
    assert altered(replace(RHINE, question="What froze?"), rng) is None


def test_a_text_without_its_answer_keeps_the_rest() -> None:
    left = without_answer(ROWS[3])
    assert left is not None
    assert "1703" not in left
    assert "market" in left
    assert without_answer(replace(ROWS[3], context="Built in 1703.", start=9)) is None


def test_what_is_mined_lacks_the_answer(tmp_path: Path) -> None:
    twin = replace(
        ROWS[0], id="twin", context="Another text that says 1700 of the bridge there.", start=23
    )
    found = mined([*ROWS[:8], twin], tmp_path / "beside.jsonl")
    assert found["r0"]
    assert all("1700" not in each.text for each in found["r0"])
    assert all(each.text != ROWS[0].context for each in found["r0"])
    assert mined([], tmp_path / "beside.jsonl") == found


def test_the_same_seed_gives_the_same_weights_also_after_a_break(tmp_path: Path) -> None:
    whole = train(PLAN, RECIPE, tmp_path / "whole").state_dict()
    again = tmp_path / "broken"
    train(PLAN, RECIPE, again, most=3)
    assert (again / CHECKPOINT).exists()
    resumed = train(PLAN, RECIPE, again).state_dict()
    assert all(whole[name].equal(resumed[name]) for name in whole)
    assert (tmp_path / "whole" / STABLE).exists()
    start = train(PLAN, RECIPE, tmp_path / "other", most=1).state_dict()
    assert not all(whole[name].equal(start[name]) for name in whole)


def test_the_exported_graph_says_what_the_network_says(tmp_path: Path) -> None:
    import torch

    from eval.reader.export import EXACT, SMALL, export
    from eval.reader.network import Reader
    from rag.session import open_session

    torch.manual_seed(1)
    reader = Reader().eval()
    ids = torch.randint(1000, 20000, (2, 30))
    types = torch.zeros_like(ids)
    types[:, 9:] = 1
    with torch.no_grad():
        expected = reader(ids, types, torch.ones_like(ids))
    export(reader, tmp_path)
    feed = {"ids": ids.numpy(), "types": types.numpy()}
    for wanted, found in zip(expected, open_session(tmp_path / EXACT).run(None, feed), strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)
    for wanted, found in zip(expected, open_session(tmp_path / SMALL).run(None, feed), strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=0.3)
    assert (tmp_path / SMALL).stat().st_size < 25e6


def test_figures_are_those_of_the_official_script() -> None:
    rows = [replace(ROWS[0], answers=("the year 1700",)), replace(ROWS[1], answers=(), start=-1)]
    at = rows[0].context.index("1700")
    said = [Reading(at, at + 4, 2.0, 0.0), Reading(0, 3, -1.0, 0.0)]
    found = measured(rows, said)
    assert found.exact is not None
    assert found.f1 is not None
    assert found.f1_of_both is not None
    assert found.auroc is not None
    assert found.exact.value == 0.0
    assert found.f1.value == pytest.approx(2 / 3)
    assert found.f1_of_both.value == pytest.approx((2 / 3 + 1) / 2)
    assert found.auroc.value == 1.0
    assert "squad" in "\n".join(table({"squad": found}))


def test_a_row_whose_answer_is_elsewhere_is_refused(tmp_path: Path) -> None:
    squad2 = tmp_path / "squad2"
    squad2.mkdir()
    split = {"train_articles": [], "test_articles": []}
    (squad2 / "split.json").write_text(json.dumps(split))
    for name in ("corpus", "gold"):
        (squad2 / f"{name}.jsonl").write_text("")
    with pytest.raises(DataError, match="no training data"):
        read_rows(tmp_path, squad2)
    value = {"id": "1", "title": "t", "context": "abc", "question": "q", "answers": ["c"], "start": 1}
    (tmp_path / "some.jsonl").write_text(json.dumps(value) + "\n")
    with pytest.raises(DataError, match="not at its place"):
        read_rows(tmp_path, squad2)


@pytest.mark.shared
def test_what_is_measured_on_was_not_trained_on() -> None:
    if not (SHARED / "train").is_dir():
        pytest.skip("the development data is not here")
    squad2 = SHARED / "data" / "squad2_dev"
    learned, _ = parted(read_rows(SHARED / "train", squad2))
    test = squad2_rows(squad2, "test_articles")
    assert not {each.context for each in test} & {each.context for each in learned}
    assert not {each.question for each in test} & {each.question for each in learned}
    assert not {each.article for each in learned} & set(CALIBRATED)
    forbidden = ("xquad", "clapnq", "rgb", "covid")
    assert not [each.id for each in learned if any(name in each.id.lower() for name in forbidden)]


def test_trials_add_one_source_at_a_time_or_grow() -> None:
    shares = {"qed": 1.0, "qamr": 0.3, "squad2": 1.0, "selqa": 0.5}
    several = [
        replace(row(n, name), id=f"{name}{n}") for name in ("qed", "qamr", "squad2") for n in range(9)
    ]
    plan = Plan(several, {}, [("Who?", "They.", [])] * 6)
    trials = list(ablation(shares, ["qed", "qamr", "selqa"], 5, 3))
    found = {trial.name: trial.plan(plan, 1) for trial in trials}
    kinds = {name: [each.source for each in drawn.rows] for name, drawn in found.items()}
    alone = ["squad2"] * 5
    assert kinds == {
        "none of them": alone,
        "more of the others": ["squad2"] * 8,
        "with qed": [*alone, *["qed"] * 3],
        "with qamr": [*alone, *["qamr"] * 3],
        "with selqa": alone,
    }
    assert all(
        drawn.rows[:5] == found["none of them"].rows for name, drawn in found.items() if "with" in name
    )
    assert [drawn.shares.get("selqa") for drawn in found.values()] == [None, None, None, None, 0.5]
    assert [trial.questions for trial in curve(shares, [5, 10])] == [5, 10]


def test_a_trial_is_run_once(tmp_path: Path) -> None:
    trial = Trial("5 questions", {"squadshifts_newwiki": 1.0}, 5)
    line = run(trial, PLAN, [*ROWS[:4], replace(ROWS[5], answers=(), start=-1)], RECIPE, tmp_path)
    assert line.startswith("| 5 questions | 0.")
    (tmp_path / "5-questions" / CHECKPOINT).unlink()
    assert run(trial, PLAN, [], RECIPE, tmp_path) == line
