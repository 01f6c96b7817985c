"""Feedback → drafts of gold whose quotes stand in today's documents, and what a person must do."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from eval.anchor import resolve
from eval.errors import GoldError
from eval.gold import GoldItem, write_lines
from eval.harvest import Harvested, harvest
from rag import Answerer
from rag.config import Settings
from rag.types import Message
from rag.wire import answer_json
from tests.conftest import ROOT

TEA = "Tea is steamed at once. It is dried for two hours. Then it is sold."
SALT = "Salt is mined at Wieliczka. The mine is 327 metres deep."
TEXTS = {"tea.md": TEA, "salt.md": SALT, "twin.md": "The mine is open. It has 327 metres of rails."}

Line = dict[str, Any]
Make = Callable[..., Harvested]


def cited(n: int, doc: str, quote: str, verdict: str = "verified", text: str = "") -> Line:
    start = (text or TEXTS[doc]).index(quote)
    place = {"doc": doc, "start": start, "end": start + len(quote), "quote": quote}
    return {"n": n, "title": "", "locator": None, "verdict": verdict, **place}


def said(text: str, *citations: int, verdict: str = "verified") -> Line:
    return {"text": text, "citations": list(citations), "verdict": verdict}


def answer(*sentences: Line, citations: tuple[Line, ...] = (), **more: Any) -> Line:
    text = " ".join(f"{each['text']} {each['citations']}" for each in sentences)
    value = {"answer": text, "abstained": False, "short": None, "sentences": list(sentences)}
    return {**value, "citations": list(citations), "passages": [], "confidence": 0.9, **more}


STEAMED = answer(
    said("Tea is steamed at once.", 1), citations=(cited(1, "tea.md", "Tea is steamed at once."),)
)
ABSTAINED = answer(answer="I cannot answer that.", abstained=True)


def feedback(thumb: str | None, given: Line, question: str = "How is tea made?", **more: Any) -> Line:
    value = {"receipt": "r1", "time": "2026-03-01T12:00:00Z", "thumb": thumb, "question": question}
    return {**value, "correction": None, "comment": None, "answer": given, "page": 3, **more}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(
        *lines: Line, texts: Mapping[str, str] = TEXTS, known: tuple[GoldItem, ...] = ()
    ) -> Harvested:
        write_lines(tmp_path / "feedback.jsonl", lines)
        found = harvest(tmp_path / "feedback.jsonl", texts, known)
        for draft in found.drafts:
            item = GoldItem.model_validate({k: v for k, v in draft.items() if k != "needs"})
            assert item.tags == ["harvested"]
            assert all(isinstance(need, str) and need for need in draft["needs"])
            for row in item.evidence:
                now = resolve(row, texts, [])
                assert (now.status, now.quote) == ("unchanged", row.quote)
        return found

    return made


def quotes(draft: Line) -> list[tuple[str, str, str]]:
    return [(row["group"], row["doc"], row["quote"]) for row in draft["evidence"]]


def reasons(found: Harvested) -> dict[str, str]:
    return {each.id: each.reason for each in found.skipped}


def test_a_liked_answer_becomes_what_it_said_and_the_quotes_it_rests_on(make: Make) -> None:
    [draft] = make(feedback("up", STEAMED)).drafts
    assert draft["id"].startswith("how-is-tea-made-")
    assert draft["question"] == "How is tea made?"
    assert draft["answerable"] is True
    assert draft["answers"] == [{"text": "Tea is steamed at once.", "aliases": []}]
    assert draft["feedback"] == ["r1"]
    assert draft["needs"][0].startswith("shorten the answer")
    assert draft["evidence"] == [
        {
            "group": "g1",
            "doc": "tea.md",
            "quote": "Tea is steamed at once.",
            "start": 0,
            "end": 23,
            "prefix": "",
            "suffix": " It is dried for two hours. Then",
        }
    ]
    assert any("no other passage" in need for need in draft["needs"])


def test_the_short_answer_is_taken_where_there_is_one(make: Make) -> None:
    short = {"text": "327 metres", "doc": "salt.md", "start": 40, "end": 50}
    given = answer(
        said("The mine is at Wieliczka.", 1),
        said("It is 327 metres deep.", 2),
        citations=(
            cited(1, "salt.md", "Salt is mined at Wieliczka."),
            cited(2, "salt.md", "The mine is 327 metres deep."),
        ),
        short=short,
    )
    [draft] = make(feedback("up", given)).drafts
    assert draft["answers"] == [{"text": "327 metres", "aliases": []}]
    assert quotes(draft) == [("g1", "salt.md", "The mine is 327 metres deep.")]
    assert draft["needs"][0] == "add the other wordings of the answer as aliases"
    [bare] = make(feedback("up", answer(short=short, answer="327 metres"))).drafts
    assert quotes(bare) == [("g1", "salt.md", "327 metres")]


def test_each_cited_sentence_is_a_group_of_its_own(make: Make) -> None:
    steamed, dried = "Tea is steamed at once.", "It is dried for two hours."
    given = answer(
        said("First, tea leaves are steamed at once.", 1, 2),
        said("Then they are dried.", 2),
        said("Again: dried.", 2),
        said("They taste good.", verdict="unsupported"),
        said("Here it is:", verdict="no_claim"),
        citations=(cited(1, "tea.md", steamed), cited(2, "tea.md", dried)),
    )
    [draft] = make(feedback("up", given)).drafts
    assert len(draft["answers"]) == 3
    assert quotes(draft) == [
        ("g1", "tea.md", steamed),
        ("g1", "tea.md", dried),
        ("g2", "tea.md", dried),
    ]
    assert draft["needs"][0].startswith("shorten the answer")
    assert any("“They taste good.” has no verified quote" in need for need in draft["needs"])
    assert any("every group is needed" in need for need in draft["needs"])
    assert not any("Here it is" in need for need in draft["needs"])


def test_a_liked_answer_without_verified_quotes_asks_for_them(make: Make) -> None:
    given = answer(
        said("Tea is boiled [1].", 1, 2, verdict="unsupported"),
        citations=(
            cited(1, "tea.md", "Tea is steamed at once.", "unsupported"),
            {"n": 2, "doc": None, "start": None, "end": None, "quote": None, "verdict": "not_found"},
        ),
        answer="Tea is  boiled [1][2].",
    )
    [draft] = make(feedback("up", given)).drafts
    assert draft["answers"] == [{"text": "Tea is boiled.", "aliases": []}]
    assert draft["evidence"] == []
    assert any("name the quote that proves “Tea is boiled.”" in need for need in draft["needs"])


def test_quotes_are_found_in_the_documents_of_today(make: Make) -> None:
    moved = {**TEXTS, "tea.md": f"A heading.\n\n{TEA}"}
    [draft] = make(feedback("up", STEAMED), texts=moved).drafts
    assert [(row["start"], row["prefix"]) for row in draft["evidence"]] == [(12, "A heading.\n\n")]


def test_a_passage_tells_which_of_several_places_was_quoted(make: Make) -> None:
    old = "It rains. Tea is cheap. It snows. Tea is cheap. The end."
    now = f"New. {old}"
    start = old.rindex("Tea is cheap.")
    citation = {**cited(1, "d", "Tea is cheap.", text=old), "start": start, "end": start + 13}
    passage = {"doc": "d", "start": 10, "end": len(old), "text": old[10:], "score": 1.0}
    given = answer(said("Tea is cheap.", 1), citations=(citation,), passages=[passage])
    [draft] = make(feedback("up", given), texts={"d": now}).drafts
    assert [row["start"] for row in draft["evidence"]] == [now.rindex("Tea is cheap.")]
    [without] = make(feedback("up", {**given, "passages": []}), texts={"d": now}).drafts
    assert without["evidence"] == []
    assert any("“Tea is cheap.” of d, which is ambiguous" in need for need in without["needs"])


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        ({**TEXTS, "tea.md": TEA.replace("Tea is", "Tea\nis")}, "edited"),
        ({"other.md": TEA}, "relocated"),
        ({"salt.md": SALT}, "stale"),
    ],
)
def test_quotes_that_do_not_stand_as_they_were_are_a_persons_work(
    make: Make, texts: Mapping[str, str], status: str
) -> None:
    [draft] = make(feedback("up", STEAMED), texts=texts).drafts
    assert draft["evidence"] == []
    assert any(f"of tea.md, which is {status}" in need for need in draft["needs"])
    assert any("name the quote that proves" in need for need in draft["needs"])


def test_a_liked_abstention_is_an_unanswerable_draft(make: Make) -> None:
    [draft] = make(feedback("up", ABSTAINED)).drafts
    assert (draft["answerable"], draft["answers"], draft["evidence"]) == (False, [], [])
    assert draft["needs"][0] == "check that no document answers it"


def test_a_correction_is_proved_by_the_sentence_that_holds_it(make: Make) -> None:
    wrong = answer(
        said("It is dried.", 1), citations=(cited(1, "tea.md", "It is dried for two hours."),)
    )
    question = "For how long is tea dried?"
    [draft] = make(feedback("down", wrong, question, correction=" Two  hours. ")).drafts
    assert draft["answers"] == [{"text": "Two hours.", "aliases": []}]
    assert quotes(draft) == [("g1", "tea.md", "It is dried for two hours.")]
    assert draft["needs"][0].startswith("add the other wordings")
    assert any("found by its words alone" in need for need in draft["needs"])
    long = "It is dried for two hours, and not steamed"
    [draft] = make(feedback("down", wrong, question, correction=long)).drafts
    assert draft["needs"][0].startswith("shorten the answer")


def test_a_correction_is_looked_for_first_where_the_answer_looked(make: Make) -> None:
    question = "How deep is the salt mine?"
    passage = {"doc": "twin.md", "start": 0, "end": 17, "text": "The mine is open."}
    line = feedback("down", ABSTAINED, question, correction="327 metres")
    [anywhere] = make(line).drafts
    assert quotes(anywhere) == [("g1", "salt.md", "The mine is 327 metres deep.")]
    seen = {**line, "answer": {**ABSTAINED, "passages": [passage]}}
    [there] = make(seen).drafts
    assert quotes(there) == [("g1", "twin.md", "It has 327 metres of rails.")]


@pytest.mark.parametrize("correction", ["four hours", "327", "7 metres", "It is"])
def test_a_correction_that_no_sentence_on_the_question_holds_asks_for_proof(
    make: Make, correction: str
) -> None:
    line = feedback("down", ABSTAINED, "When does the shop open?", correction=correction)
    texts = {"salt.md": SALT, "tea.md": TEA}
    [draft] = make(line, texts=texts).drafts
    assert draft["answers"][0]["text"] == correction
    assert draft["evidence"] == []
    assert any("name the quote that proves the correction" in need for need in draft["needs"])


def test_of_several_sentences_that_hold_a_correction_the_nearest_to_the_question_is_taken(
    make: Make,
) -> None:
    text = "The rails have 327 metres. The mine is 327 metres deep. The fence has 327 metres."
    given = answer(said("It is deep.", 1), citations=(cited(1, "d", "The rails", text=text),))
    line = feedback("down", given, "How deep is the mine?", correction="327 metres.")
    [draft] = make(line, texts={"d": text}).drafts
    assert quotes(draft) == [("g1", "d", "The mine is 327 metres deep.")]


def test_a_correction_over_two_sentences_quotes_both(make: Make) -> None:
    line = feedback("down", STEAMED, correction="steamed at once. It is dried")
    assert quotes(make(line).drafts[0]) == [
        ("g1", "tea.md", "Tea is steamed at once. It is dried for two hours.")
    ]


def test_a_correction_without_a_thumb_counts_and_one_with_thumb_up_is_doubted(make: Make) -> None:
    [plain] = make(feedback(None, STEAMED, correction="for two hours")).drafts
    assert plain["answers"][0]["text"] == "for two hours"
    [doubted] = make(feedback("up", STEAMED, correction="for two hours")).drafts
    assert doubted["answers"] == plain["answers"]
    assert [*plain["needs"], "decide: the thumb is up, and yet there is a correction"] == (
        doubted["needs"]
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (feedback("down", STEAMED), "nothing says what is right"),
        (feedback("down", STEAMED, correction="  "), "nothing says what is right"),
        (feedback("down", STEAMED, correction="?!"), "“?!”, does not say what is right"),
        (feedback("down", STEAMED, correction="This is wrong!"), "does not say what is right"),
        (feedback("up", STEAMED, correction="Not correct."), "does not say what is right"),
        (feedback(None, STEAMED, comment="Hm."), "neither a thumb nor a correction"),
        (feedback("up", answer(answer=" [1] ")), "the answer is empty"),
    ],
)
def test_what_says_nothing_of_use_is_skipped(make: Make, line: Line, reason: str) -> None:
    found = make(line)
    assert not found.drafts
    assert list(reasons(found)) == ["r1"]
    assert reason in reasons(found)["r1"]


def test_no_is_an_answer(make: Make) -> None:
    [draft] = make(feedback("down", STEAMED, "Is tea boiled?", correction="No")).drafts
    assert draft["answers"][0]["text"] == "No"


def gold(question: str, **more: Any) -> GoldItem:
    return GoldItem.model_validate(
        {"id": "old", "question": question, "answerable": False, "answers": [], **more}
    )


def test_questions_that_gold_has_are_skipped(make: Make) -> None:
    history = [{"role": "user", "content": "Hello"}]
    same = gold("how  is TEA made", history=history, filter={"doc": "t*"})
    line = feedback("up", STEAMED, history=history, filter={"doc": "t*"})
    found = make(line, {**line, "receipt": "r2"}, known=(same,))
    assert not found.drafts
    assert reasons(found) == dict.fromkeys(("r1", "r2"), "gold has this question already, as old")
    for other in (gold("How is tea made?"), gold("How?", history=history, filter={"doc": "t*"})):
        [draft] = make(line, known=(other,)).drafts
        assert (draft["history"], draft["filter"]) == (history, {"doc": "t*"})


def test_a_draft_that_was_accepted_in_other_words_is_not_made_again(make: Make) -> None:
    [draft] = make(feedback("up", STEAMED)).drafts
    accepted = GoldItem.model_validate({**draft, "question": "How does one make tea?"})
    assert not make(feedback("up", STEAMED), known=(accepted,)).drafts


def test_questions_with_other_history_or_filter_are_others(make: Make) -> None:
    line = feedback("up", STEAMED)
    found = make(
        line,
        {**line, "history": [{"role": "user", "content": "Black tea?"}]},
        {**line, "filter": {"doc": "t*"}},
        {**line, "history": [], "filter": {}},
    )
    assert len({draft["id"] for draft in found.drafts}) == len(found.drafts) == 3
    assert "history" not in found.drafts[0]


def test_the_last_that_says_what_is_right_wins_and_who_disagrees_is_named(make: Make) -> None:
    up = feedback("up", STEAMED, receipt="r1")
    bare = feedback("down", STEAMED, receipt="r2", question="how is tea made")
    better = feedback("down", STEAMED, receipt="r3", correction="dried for two hours")
    [draft] = make(up, bare, better).drafts
    assert draft["answers"][0]["text"] == "dried for two hours"
    assert draft["feedback"] == ["r1", "r2", "r3"]
    [need] = [need for need in draft["needs"] if need.startswith("decide who is right")]
    assert need.endswith(
        "r3 (thumb down) says “dried for two hours”, but r1 (thumb up) says “Tea is steamed at once.”"
    )
    [again] = make(better, bare, up).drafts
    assert again["answers"][0]["text"] == "Tea is steamed at once."
    [need] = [need for need in again["needs"] if need.startswith("decide who is right")]
    assert "r3 (thumb down) says “dried for two hours”; r2 (thumb down) calls it wrong" in need


def test_those_who_agree_are_merged_without_a_dispute(make: Make) -> None:
    lines = [
        feedback("down", STEAMED, receipt="r1"),
        feedback("down", STEAMED, receipt="r2", correction="Two hours"),
        feedback("down", STEAMED, receipt="r3", correction="two hours.", comment=" See above. "),
    ]
    [draft] = make(*lines).drafts
    assert draft["answers"][0]["text"] == "two hours."
    assert not any("decide" in need for need in draft["needs"])
    assert draft["needs"][-1] == "read the comment of r3: “See above.”"


def test_whether_it_can_be_answered_at_all_may_be_disputed(make: Make) -> None:
    lines = feedback("up", STEAMED, receipt="r1"), feedback("up", ABSTAINED, receipt="r2")
    [draft] = make(*lines).drafts
    assert draft["answerable"] is False
    [need] = [need for need in draft["needs"] if need.startswith("decide who is right")]
    assert "r2 (thumb up) says that it cannot be answered, but r1 (thumb up) says “Tea" in need


def test_the_same_feedback_gives_the_same_drafts_in_the_order_of_the_questions(make: Make) -> None:
    lines = [feedback("up", STEAMED, f"Question {n}?", receipt=f"r{n}") for n in (3, 1, 2)]
    first = make(*lines)
    assert [draft["question"] for draft in first.drafts] == [f"Question {n}?" for n in (3, 1, 2)]
    assert make(*lines) == first
    shuffled = make(*sorted(lines, key=lambda line: str(line["receipt"])))
    assert sorted(shuffled.drafts, key=str) == sorted(first.drafts, key=str)


FINE = feedback("up", STEAMED)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{no", "no JSON"),
        ("[" * 200_000, "nested too deeply"),
        ("[]", "valid dictionary"),
        (json.dumps({**FINE, "receipt": ""}), "receipt"),
        (json.dumps({**FINE, "question": " "}), "question"),
        (json.dumps({**FINE, "thumb": "sideways"}), "thumb"),
        (json.dumps({**FINE, "history": [{"role": "god", "content": ""}]}), "history.0.role"),
        (json.dumps({**FINE, "answer": {"answer": "x"}}), "answer.abstained"),
        (json.dumps({**FINE, "comment": "\ud83d"}), "surrogate"),
        (json.dumps({k: v for k, v in FINE.items() if k != "answer"}), "answer: Field required"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "feedback.jsonl"
    file.write_text(f"{json.dumps(FINE)}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(GoldError, match="line 3") as caught:
        harvest(file, TEXTS, [])
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match=r"gone\.jsonl"):
        harvest(tmp_path / "gone.jsonl", TEXTS, [])


def test_what_the_library_answers_can_be_harvested(make: Make, seed_index: Path) -> None:
    answerer = Answerer.open(seed_index, Settings())
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "seeds").glob("*.md")}
    question = "How many people walked free on 16 September?"
    history = [Message("user", "Tell me of the releases.")]
    given = json.loads(json.dumps(answer_json(answerer.ask(question, history=history))))
    assert given["abstained"] is False
    turns = [{"role": "user", "content": history[0].content}]
    [draft] = make(feedback("up", given, question, history=turns), texts=texts).drafts
    assert any("thirty-seven" in row["quote"] for row in draft["evidence"])


def test_the_command_writes_drafts_and_says_what_it_left_out(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "tea.md").write_text(TEA, encoding="utf-8")
    write_lines(tmp_path / "gold.jsonl", [gold("Why?").model_dump()])
    said = [FINE, feedback("down", STEAMED, "And then?", receipt="r2")]
    write_lines(tmp_path / "feedback.jsonl", said)
    words = ["harvest", "feedback.jsonl", "--gold", "gold.jsonl", "--seeds", "seeds"]
    command = [sys.executable, "-m", "eval", *words]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    left, made = done.stdout.splitlines()
    assert left.startswith("left out: r2: ")
    assert made.startswith("1 drafts in drafts.jsonl")
    [draft] = (tmp_path / "drafts.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(draft)["evidence"][0]["quote"] == "Tea is steamed at once."
