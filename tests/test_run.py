"""Whole runs over a small corpus, with the real encoder."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval import system as system_room
from eval.ask import ask_all
from eval.cache import AnswerCache
from eval.gold import Gold, GoldItem, read_gold, write_lines
from eval.metrics.grounding import LexicalJudge
from eval.run import Outcome, run, selected
from eval.system import System, open_system
from rag.config import Settings

TEA = "Green tea is steamed soon after picking. Black tea is left to oxidise for four hours."
COFFEE = "Coffee beans are roasted at about 200 degrees. Roasting takes twelve minutes."
SALT = "Salt from the mine at Wieliczka was sold since 1280. The mine is 327 metres deep."


def line(
    id: str, question: str, answer: str | None, quote: str = "", doc: str = "", **more: Any
) -> Any:
    evidence = [{"group": "g1", "doc": doc, "quote": quote}] if quote else []
    answers = [{"text": answer}] if answer else []
    item = {"id": id, "question": question, "answerable": bool(answer), "answers": answers}
    return {**item, "evidence": evidence, **more}


LINES = [
    line("tea", "How is green tea treated?", "steamed", "Green tea is steamed soon", "tea.md"),
    line("roast", "How hot are coffee beans roasted?", "200", "roasted at about 200", "coffee.md"),
    line("deep", "How deep is the mine?", "327 metres", "The mine is 327 metres deep", "salt.md"),
    line("hours", "How long is black tea left to oxidise?", "four hours", "for four hours", "tea.md"),
    line("far", "Who painted the ceiling of the chapel?", None, tags=["far"]),
    line("near", "Who owns the mine at Wieliczka?", None, near="salt.md", tags=["near"]),
]


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    folder = tmp_path / "seeds"
    folder.mkdir()
    for name, text in (("tea", TEA), ("coffee", COFFEE), ("salt", SALT)):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def measure(tmp_path: Path, eval_cache: Path, seeds: Path) -> Callable[..., Outcome]:
    def measured(
        lines: Sequence[Any] = LINES,
        tags: Sequence[str] = (),
        limit: int | None = None,
        **settings: Any,
    ) -> Outcome:
        gold = gold_of(tmp_path, lines)
        fresh = settings.pop("fresh", False)
        opened = open_system(gold, Settings.load(**settings), seeds)
        return run(gold, opened, LexicalJudge(), tags, limit, fresh=fresh)

    return measured


def gold_of(folder: Path, lines: Sequence[Any]) -> Gold:
    write_lines(folder / "gold.jsonl", lines)
    return read_gold(folder / "gold.jsonl")


def dumped(outcome: Outcome) -> str:
    return json.dumps(outcome.report, ensure_ascii=False)


def stages(outcome: Outcome) -> dict[str, str]:
    return {item["id"]: item["stage"] for item in outcome.report["items"]}


def test_a_run_scores_every_item_and_says_how_many_each_metric_rests_on(
    measure: Callable[..., Outcome],
) -> None:
    report = measure().report
    assert [item["id"] for item in report["items"]] == [each["id"] for each in LINES]
    for name, metric in report["metrics"].items():
        assert metric["n"] + metric["na"] == len(LINES), name
        if metric["value"] is not None and metric["low"] is not None:
            assert metric["low"] <= metric["value"] <= metric["high"], name
    assert report["metrics"]["success@1"]["n"] == 4
    assert report["metrics"]["abstained_unanswerable"]["n"] == 2
    assert sum(report["stages"].values()) == len(LINES)
    assert report["metrics"]["correct"]["references"]["oracle evidence"] == 1.0
    assert report["metrics"]["correct"]["references"]["always abstain"] == pytest.approx(2 / 6, 1e-5)


def test_the_same_thing_twice_gives_the_same_bytes(measure: Callable[..., Outcome]) -> None:
    assert dumped(measure(fresh=True)) == dumped(measure(fresh=True)) == dumped(measure())


def test_the_order_of_the_gold_changes_the_order_of_the_items_alone(
    measure: Callable[..., Outcome],
) -> None:
    turned = LINES[:]
    random.Random(4).shuffle(turned)
    first, second = measure().report, measure(turned, fresh=True).report
    assert first["items"] != second["items"]
    for report in (first, second):
        report["items"].sort(key=lambda item: item["id"])
    assert first == second


def test_what_is_known_is_not_asked_again(measure: Callable[..., Outcome]) -> None:
    assert measure().timings["cached"] == 0
    assert measure().timings["cached"] == len(LINES)
    assert measure(LINES[:2]).timings["cached"] == 2
    assert measure(fresh=True).timings["cached"] == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"top_k": 3},
        {"threshold": 0.9},
        {"alpha": 0.3},
        {"candidates": 50},
        {"context_tokens": 150},
        {"chunk_tokens": 60, "overlap_tokens": 10},
    ],
)
def test_with_another_setting_everything_is_asked_again(
    measure: Callable[..., Outcome], settings: dict[str, Any]
) -> None:
    measure()
    assert measure(**settings).timings["cached"] == 0


def test_with_an_edited_seed_everything_is_asked_again(
    measure: Callable[..., Outcome], seeds: Path
) -> None:
    assert stages(measure())["deep"] == "right"
    (seeds / "salt.md").write_text(SALT.replace("327", "328"), encoding="utf-8")
    after = measure()
    assert after.timings["cached"] == 0
    assert stages(after)["deep"] == "stale gold"


def test_with_another_prompt_or_calibration_everything_is_asked_again(
    measure: Callable[..., Outcome], tmp_path: Path
) -> None:
    from rag.confidence import SHIPPED
    from tests.conftest import ROOT

    measure()
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    said = (ROOT / "prompts" / "abstain.j2").read_text(encoding="utf-8")
    (prompts / "abstain.j2").write_text(f"Alas! {said}", encoding="utf-8")
    assert measure(prompts=prompts).timings["cached"] == 0
    calibration = tmp_path / "calibration.json"
    value = json.loads(SHIPPED.read_text(encoding="utf-8"))
    value["models"][0]["bias"] += 0.5
    calibration.write_text(json.dumps(value), encoding="utf-8")
    assert measure(calibration=calibration).timings["cached"] == 0


def test_with_other_code_everything_is_asked_again(
    measure: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = measure()
    monkeypatch.setattr(system_room, "code_digest", lambda settings: "another")
    after = measure()
    assert after.timings["cached"] == 0
    assert before.report["system"]["code"] != after.report["system"]["code"]


def test_the_code_digest_moves_with_any_file_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "plug"
    package.mkdir()
    (package / "__init__.py").write_text("x = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = system_room._files("plug")
    (package / "template.j2").write_text("{{ x }}", encoding="utf-8")
    assert before != system_room._files("plug")
    assert "cite/check.py" in system_room._files("rag")


def test_a_question_is_known_only_with_its_history_and_filter(measure: Callable[..., Outcome]) -> None:
    measure()
    turn = {"role": "user", "content": "Tell me about the salt mine."}
    assert measure([{**LINES[2], "history": [turn]}]).timings["cached"] == 0
    assert measure([{**LINES[2], "filter": {"doc": "salt*"}}]).timings["cached"] == 0
    assert measure([LINES[2]]).timings["cached"] == 1


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    measure: Callable[..., Outcome], eval_cache: Path, tmp_path: Path, seeds: Path
) -> None:
    gold = gold_of(tmp_path, LINES)
    opened = open_system(gold, Settings.load(), seeds)

    def interrupted(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ask_all(gold.items, opened, interrupted))
    after = measure()
    assert (after.timings["cached"], after.timings["answered"]) == (3, 3)
    assert dumped(after) == dumped(measure(fresh=True))


def test_a_damaged_answer_is_asked_again(measure: Callable[..., Outcome], eval_cache: Path) -> None:
    clean = dumped(measure())
    (file,) = (eval_cache / "eval" / "answers").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"327 metres", b"999 metres", 1)[:-40])
    after = measure()
    assert after.timings["answered"] == 2
    assert dumped(after) == clean


def test_two_runs_may_write_to_one_cache(tmp_path: Path) -> None:
    one, other = AnswerCache(tmp_path, "system"), AnswerCache(tmp_path, "system")
    one.put("a", {"n": 1})
    other.put("b", {"n": 2})
    both = AnswerCache(tmp_path, "system")
    assert (both.get("a"), both.get("b"), both.get("c")) == ({"n": 1}, {"n": 2}, None)
    assert AnswerCache(tmp_path, "another").get("a") is None


def test_each_wrong_item_has_the_stage_where_it_failed(
    measure: Callable[..., Outcome], seeds: Path
) -> None:
    (seeds / "broken.md").write_bytes(b"\x00\x01\x02 binary")
    lines = [
        line("wrong", "How is green tea treated?", "smoked", "Green tea is steamed", "tea.md"),
        line("gone", "How deep is the sea?", "900 metres", "The sea is 900 metres deep", "salt.md"),
        line("broken", "What is in the file?", "gold", "gold in the file", "broken.md"),
        {**LINES[2], "id": "hidden", "filter": {"doc": "tea*"}},
    ]
    found = stages(measure(lines, threshold=0.0))
    assert found == {
        "wrong": "answered wrong",
        "gone": "stale gold",
        "broken": "not indexed",
        "hidden": "not retrieved",
    }
    assert set(stages(measure(LINES[:4], threshold=1.0)).values()) == {"wrongly abstained"}
    assert stages(measure(LINES[4:], threshold=0.0)) == {
        "far": "wrongly answered",
        "near": "wrongly answered",
    }
    assert set(stages(measure(LINES[4:], threshold=1.0)).values()) == {"right"}


def test_evidence_that_the_budget_cut_is_told_from_evidence_that_was_not_found(
    measure: Callable[..., Outcome], seeds: Path
) -> None:
    for n in range(6):
        filler = f"The depth of mine {n} is not known to people who ask how deep the mine is. "
        (seeds / f"mine{n}.md").write_text(filler * 6, encoding="utf-8")
    outcome = measure([LINES[2]], threshold=0.0, context_tokens=100, rerank=False)
    (item,) = outcome.report["items"]
    shown = [passage["doc"] for passage in item["passages"]]
    assert "salt.md" not in shown
    assert "passages_dropped" in item["warnings"]
    assert item["stage"] == "cut from the context"


def test_reference_texts_are_compared_and_never_searched_for(measure: Callable[..., Outcome]) -> None:
    long = "Green tea leaves are treated with steam soon after they were picked, " * 3
    outcome = measure([line("long", "How is green tea treated?", long, "Green tea is", "tea.md")])
    (item,) = outcome.report["items"]
    assert item["stage"] == "not judged"
    assert item["scores"]["correct"] is None
    assert item["scores"]["rouge_l"] > 0


def test_gold_that_judges_documents_alone_is_scored_for_retrieval(
    measure: Callable[..., Outcome],
) -> None:
    evidence = [{"group": "g1", "doc": "salt.md", "grade": 2}]
    item = {"id": "doc", "question": "How deep is the mine?", "answerable": True, "evidence": evidence}
    (found,) = measure([item]).report["items"]
    assert found["scores"]["success@1"] == 1
    assert found["scores"]["all_evidence@1"] == 1
    assert found["scores"]["evidence_recall@3"] is None
    assert found["scores"]["exact_match"] is None


def test_a_selection_does_not_depend_on_the_order_of_the_gold(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, LINES)
    chosen = {item.id for item in selected(gold, (), 3)}
    turned = gold_of(tmp_path, LINES[::-1])
    assert {item.id for item in selected(turned, (), 3)} == chosen
    assert len(chosen) == 3
    assert [item.id for item in selected(gold, ["near"], None)] == ["near"]
    assert [item.id for item in selected(gold, ["near", "far"], None)] == ["far", "near"]
    assert selected(gold, ["no such"], None) == []


def test_secrets_stay_out_of_fingerprints(
    measure: Callable[..., Outcome], tmp_path: Path, seeds: Path
) -> None:
    class WithKey(Settings):
        some_api_key: str = "hush"

    gold = gold_of(tmp_path, LINES)
    opened: System = open_system(gold, Settings.load(), seeds)
    with_key = System(opened.answerer, WithKey(), opened.snapshot, opened.prompt, opened.calibration)
    assert "hush" not in json.dumps(with_key.fingerprint)


def test_an_index_that_is_named_is_asked_as_it_is(
    tmp_path: Path, eval_cache: Path, seeds: Path
) -> None:
    gold = gold_of(tmp_path, LINES)
    built = open_system(gold, Settings.load(), seeds, tmp_path / "index")
    (seeds / "tea.md").unlink()
    as_it_is = open_system(gold, Settings.load(), None, tmp_path / "index")
    assert as_it_is.texts == built.texts
    assert not as_it_is.seeds_read
    assert "tea.md" not in open_system(gold, Settings.load(), seeds, tmp_path / "index").texts


def test_items_know_what_they_hang_on() -> None:
    near, free = GoldItem.model_validate(LINES[5]), GoldItem.model_validate(LINES[4])
    assert near.cluster == "salt.md"
    assert free.cluster == "item far"
