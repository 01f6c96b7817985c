"""Gold against edited seeds: what is named, what is proposed, and that the patch applies."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from eval.anchor import sentence_digests
from eval.check import CheckReport, check, check_json, patch, show
from eval.cli.main import app
from eval.errors import EvalError, Exit, GoldError
from eval.gold import Gold, read_gold
from eval.system import read_texts
from rag.config import Settings
from tests.conftest import ROOT, shared

TEA = "Green tea is steamed within two hours. Black tea oxidises. It is sold in Minsk."
SHOP = "The shop sells tea for 5 roubles. It says: green tea is steamed within two hours."
TEXTS = {"tea.md": TEA, "shop.md": SHOP}


def row(doc: str, quote: str, group: str = "g1") -> dict[str, Any]:
    text = TEXTS[doc]
    start = text.index(quote)
    end = start + len(quote)
    around = {"prefix": text[max(0, start - 32) : start], "suffix": text[end : end + 32]}
    return {"group": group, "doc": doc, "quote": quote, "start": start, "end": end, **around}


LINES: list[dict[str, Any]] = [
    {
        "id": "hours",
        "question": "How soon is green tea steamed?",
        "answerable": True,
        "answers": [{"text": "two hours", "aliases": ["2 hours"]}],
        "evidence": [row("tea.md", "Green tea is steamed within two hours.")],
        "tags": ["number"],
        "extra": {"kept": [1, 2]},
    },
    {
        "id": "price",
        "question": "What does tea cost?",
        "answerable": True,
        "answers": [{"text": "5 roubles"}],
        "evidence": [row("shop.md", "The shop sells tea for 5 roubles.")],
    },
    {"id": "owner", "question": "Who owns the tea shop in Warsaw?", "answerable": False},
]


def gold_in(
    folder: Path, lines: Sequence[Mapping[str, Any]], end: str = "\n", newline: str = "\n"
) -> Gold:
    path = folder / "gold.jsonl"
    text = newline.join(json.dumps(line, ensure_ascii=False) for line in lines) + end
    path.write_bytes(text.encode())
    return read_gold(path)


def edited(**texts: str) -> dict[str, str]:
    return {**TEXTS, **{f"{name}.md": text for name, text in texts.items()}}


def ids(found: CheckReport) -> list[str]:
    return [item.id for item in found.items]


def test_unchanged_seeds_leave_nothing_to_look_at(tmp_path: Path) -> None:
    gold = gold_in(tmp_path, LINES)
    found = check(gold, TEXTS)
    assert found.ok
    assert found.counts["unchanged"] == 2
    assert patch(gold, found) == ""
    assert "nothing to look at" in show(found)


def test_a_changed_number_is_named_and_the_answer_follows(tmp_path: Path) -> None:
    gold = gold_in(tmp_path, LINES)
    found = check(gold, edited(tea=TEA.replace("two hours", "three hours")))
    assert ids(found) == ["hours"]
    assert (found.stale, found.ok) == (1, False)
    proposal = found.proposals["hours"]
    assert proposal["answers"] == [{"text": "three hours", "aliases": []}]
    assert proposal["evidence"][0]["quote"] == "Green tea is steamed within three hours."
    assert proposal["extra"] == {"kept": [1, 2]}
    said = show(found)
    assert "How soon is green tea steamed?" in said
    assert "three hours" in said


def test_other_words_keep_the_answer(tmp_path: Path) -> None:
    gold = gold_in(tmp_path, LINES)
    now = TEA.replace("steamed within two hours", "steamed in less than two hours")
    found = check(gold, edited(tea=now))
    (item,) = found.items
    assert item.rows[0].now.status == "edited"
    assert found.proposals["hours"]["answers"] == LINES[0]["answers"]


def test_documents_that_contradict_each_other_are_left_to_a_person(tmp_path: Path) -> None:
    both = [
        row("tea.md", "Green tea is steamed within two hours."),
        row("shop.md", SHOP.split(": ")[1]),
    ]
    gold = gold_in(tmp_path, [{**LINES[0], "evidence": both}])
    found = check(gold, edited(tea=TEA.replace("two hours", "three hours")))
    assert "contradict" in show(found)
    assert "hours" not in found.proposals or found.proposals["hours"]["answers"] == LINES[0]["answers"]


def test_one_document_of_two_that_changed_is_to_be_looked_at_too(tmp_path: Path) -> None:
    both = [
        row("tea.md", "Green tea is steamed within two hours."),
        row("shop.md", SHOP.split(": ")[1]),
    ]
    gold = gold_in(tmp_path, [{**LINES[0], "evidence": both}])
    found = check(gold, edited(shop=SHOP.replace("two hours", "three hours")))
    assert (found.stale, found.items[0].held) == (1, True)
    assert "other evidence of it holds" in show(found)


def test_evidence_that_moved_is_settled_and_its_offsets_are_proposed(tmp_path: Path) -> None:
    gold = gold_in(tmp_path, LINES)
    found = check(gold, edited(tea=f"A preface. {TEA}"))
    assert found.counts["moved"] == 1
    assert found.stale == 0
    assert ids(found) == []
    start = found.proposals["hours"]["evidence"][0]["start"]
    assert start == len("A preface. ")


def test_a_new_sentence_that_may_answer_the_unanswerable_is_warned_of(tmp_path: Path) -> None:
    gold = gold_in(tmp_path, LINES)
    before = {doc: sentence_digests(text) for doc, text in TEXTS.items()}
    assert check(gold, TEXTS, before).warnings == []
    now = edited(shop=f"{SHOP} The tea shop in Warsaw is owned by Anna Kos.")
    (warned,) = check(gold, now, before).warnings
    assert warned.id == "owner"
    assert now[warned.doc][warned.start : warned.end] == warned.sentence
    assert "Anna Kos" in show(check(gold, now, before))
    elsewhere = edited(shop=f"{SHOP} It closes at nine in the evening.")
    assert check(gold, elsewhere, before).warnings == []
    assert check(gold, now).warnings == []  # without a baseline nothing is known to be new


def test_the_check_as_json_holds_all(tmp_path: Path) -> None:
    gold = gold_in(tmp_path, LINES)
    value = json.loads(json.dumps(check_json(check(gold, edited(tea="Nothing.")))))
    assert value["ok"] is False
    assert [item["id"] for item in value["items"]] == ["hours"]
    assert value["items"][0]["held"] is False


def git(folder: Path, name: str) -> None:
    subprocess.run(["git", "apply", name], cwd=folder, check=True)


def classic(folder: Path, name: str) -> None:
    if shutil.which("patch") is None:
        pytest.skip("`patch` is not installed")
    subprocess.run(["patch", "-p1", "-s", "-i", name], cwd=folder, check=True)


@pytest.mark.parametrize("apply", [git, classic])
@pytest.mark.parametrize(
    ("start", "end", "newline"),
    [
        ("", "\n", "\n"),
        ("", "", "\n"),
        ("\ufeff", "\n", "\n"),
        ("", "\n\n", "\n"),
        ("", "\r\n", "\r\n"),
    ],
)
def test_the_patch_applies_and_then_nothing_is_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    apply: Callable[[Path, str], None],
    start: str,
    end: str,
    newline: str,
) -> None:
    gold = gold_in(tmp_path, LINES, end, newline)
    gold.path.write_bytes(start.encode() + gold.path.read_bytes())
    monkeypatch.chdir(tmp_path)
    texts = edited(tea=TEA.replace("two hours", "three hours"), shop=f"New. {SHOP}")
    (tmp_path / "gold.patch").write_bytes(patch(gold, check(gold, texts)).encode())
    before = gold.path.read_bytes().split(b"\n")
    apply(tmp_path, "gold.patch")
    after = gold.path.read_bytes().split(b"\n")
    assert len(before) == len(after)
    assert before[2] == after[2]  # the line that nothing happened to keeps its bytes
    mended = read_gold(gold.path)
    assert check(mended, texts).ok
    assert mended.items[0].answers[0].text == "three hours"
    assert patch(mended, check(mended, texts)) == ""


def test_every_number_of_the_shipped_seeds_is_watched() -> None:
    gold = read_gold(ROOT / "eval" / "gold" / "seeds.jsonl")
    texts = read_texts(gold, Settings.load(), ROOT / "seeds")
    assert check(gold, texts).ok
    for doc, number, other in (
        ("prisoner-releases.md", "1,300", "1,450"),
        ("sanctions.md", "2021", "2019"),
        ("repression-since-2020.md", "six", "nine"),
    ):
        assert number in texts[doc]
        rests = {
            item.id
            for item in gold.items
            for row in item.evidence
            if row.doc == doc and row.quote and number in row.quote
        }
        found = check(gold, {**texts, doc: texts[doc].replace(number, other)})
        assert set(ids(found)) == rests, (doc, number)


@pytest.mark.shared
def test_thousands_of_quotes_are_checked_in_seconds() -> None:
    gold = read_gold(shared("data", "squad2_dev"))
    texts = read_texts(gold, Settings.load())
    found = check(gold, texts)
    assert found.ok
    touched = {doc: text.replace("19", "18") for doc, text in texts.items()}
    began = time.perf_counter()
    assert check(gold, touched).stale > 50
    assert time.perf_counter() - began < 120  # a hang, not a figure


HOURS = "Green tea is steamed within two hours."
ALSO = "green tea is steamed within two hours."


def test_one_of_two_places_that_is_gone_is_named_and_dropped_by_the_patch(tmp_path: Path) -> None:
    both = [row("tea.md", HOURS), row("shop.md", ALSO)]
    gold = gold_in(tmp_path, [{**LINES[0], "evidence": both}])
    found = check(gold, edited(tea="Black tea oxidises."))
    (item,) = found.items
    assert (item.held, found.stale) == (True, 1)
    assert "other evidence of it holds" in show(found)
    assert found.proposals["hours"]["evidence"] == [both[1]]


def test_where_one_document_says_otherwise_nothing_of_it_is_accepted(tmp_path: Path) -> None:
    both = [row("tea.md", HOURS), row("shop.md", ALSO)]
    gold = gold_in(tmp_path, [{**LINES[0], "evidence": both}])
    found = check(gold, edited(tea=TEA.replace("two hours", "three hours")))
    assert found.stale == 1
    (item,) = found.items
    assert item.notes[0].startswith("the documents now contradict each other: ")
    assert "tea.md says “Green tea is steamed within three hours.”" in item.notes[0]
    assert "shop.md says “green tea is steamed within two hours.”" in item.notes[0]
    assert found.proposals == {}


def test_the_same_number_in_other_words_is_one_new_answer(tmp_path: Path) -> None:
    both = [row("tea.md", HOURS), row("shop.md", ALSO)]
    gold = gold_in(tmp_path, [{**LINES[0], "evidence": both}])
    now = edited(tea=TEA.replace("two hours", "three hours"), shop=SHOP.replace("two hours", "3 hours"))
    assert check(gold, now).proposals["hours"]["answers"] == [
        {"text": "three hours", "aliases": ["3 hours"]}
    ]


def test_only_the_wording_that_is_out_of_date_is_replaced(tmp_path: Path) -> None:
    answers = [{"text": "within two hours", "aliases": ["2 hours", "sold in Minsk"]}]
    both = [row("tea.md", HOURS), row("tea.md", "It is sold in Minsk.")]
    line = {**LINES[0], "answers": answers, "evidence": both}
    found = check(gold_in(tmp_path, [line]), edited(tea=TEA.replace("two hours", "three hours")))
    assert found.proposals["hours"]["answers"] == [
        {"text": "within three hours", "aliases": ["sold in Minsk"]}
    ]


def test_words_that_cannot_be_told_are_left_to_a_person(tmp_path: Path) -> None:
    gold = gold_in(tmp_path, LINES)
    found = check(gold, edited(tea=TEA.replace("within two hours", "soon")))
    (item,) = found.items
    assert "say what it is now" in " ".join(item.notes)
    assert "hours" not in found.proposals


def test_a_number_that_the_question_names_is_pointed_out(tmp_path: Path) -> None:
    line = {**LINES[1], "question": "What can be had for 5 roubles?", "answers": [{"text": "tea"}]}
    found = check(gold_in(tmp_path, [line]), edited(shop=SHOP.replace("5 roubles", "6 roubles")))
    assert found.items[0].notes == ["the question itself says 5"]


def test_an_answer_that_lost_its_number_but_not_its_other_words_is_pointed_out(tmp_path: Path) -> None:
    answers = [{"text": "two hours", "aliases": ["steamed"]}]
    gold = gold_in(tmp_path, [{**LINES[0], "answers": answers}])
    found = check(gold, edited(tea=TEA.replace("two hours", "three hours")))
    assert "“two hours” no longer stands there, though another wording does" in found.items[0].notes[0]


def test_a_sentence_that_is_gone_is_not_taken_for_its_twin(tmp_path: Path) -> None:
    texts = {"a.md": "In 2008, the harvest was good. In 2015, the harvest was good. Tea is hot."}
    lines = []
    for year in ("2008", "2015"):
        quote = f"In {year}, the harvest was good."
        start = texts["a.md"].index(quote)
        place = {"start": start, "end": start + len(quote)}
        evidence = [{"group": "g", "doc": "a.md", "quote": quote, **place}]
        lines.append({**LINES[1], "id": year, "answers": [{"text": year}], "evidence": evidence})
    gold = gold_in(tmp_path, lines)
    found = check(gold, {"a.md": "In 2015, the harvest was good. Tea is hot."})
    (item,) = found.items
    assert (item.id, item.rows[0].now.quote) == ("2008", None)
    found = check(gold, {"a.md": texts["a.md"].replace("In 2008, the", "In 2009, the")})
    assert found.proposals["2008"]["answers"] == [{"text": "2009"}]


def test_a_row_that_names_no_place_is_left_as_it_is_while_it_holds(tmp_path: Path) -> None:
    start = TEA.index(HOURS)
    for place in ({}, {"start": start}):
        bare = {"group": "g1", "doc": "tea.md", "quote": HOURS, **place}
        gold = gold_in(tmp_path, [{**LINES[0], "evidence": [bare]}])
        assert check(gold, TEXTS).proposals == {}
        moved = check(gold, edited(tea=f"New. {TEA}"))
        assert moved.ok
        assert list(moved.proposals) == (["hours"] if place else [])


def test_documents_judged_as_a_whole_are_stale_when_they_are_gone(tmp_path: Path) -> None:
    whole = [{"group": "g1", "doc": "tea.md", "grade": 2}]
    gold = gold_in(tmp_path, [{**LINES[0], "evidence": whole}])
    assert check(gold, TEXTS).ok
    found = check(gold, {"shop.md": SHOP})
    assert (found.stale, found.proposals) == (1, {})
    assert "the document is gone" in show(found)


def test_the_patch_applies_in_a_folder_of_a_repository_and_to_names_with_blanks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    folder = tmp_path / "some notes" / "größe"
    folder.mkdir(parents=True)
    gold = gold_in(folder, LINES)
    texts = edited(tea=TEA.replace("two hours", "three hours"))
    monkeypatch.chdir(tmp_path / "some notes")
    Path("gold.patch").write_bytes(patch(gold, check(gold, texts)).encode())
    subprocess.run(["git", "apply", "gold.patch"], check=True)
    assert check(read_gold(folder), texts).ok


def shipped() -> tuple[Gold, dict[str, str]]:
    gold = read_gold(ROOT / "eval" / "gold" / "seeds.jsonl")
    return gold, read_texts(gold, Settings.load(), ROOT / "seeds")


@pytest.mark.parametrize(
    ("number", "other"),
    [
        ("110", "120"),
        ("1,300", "1,450"),
        ("thirty-seven", "forty-one"),
        ("four waves", "five waves"),
        ("three months", "six months"),
        ("16 September", "23 October"),
        ("2008", "2007"),
        ("2021", "2019"),
        ("six", "nine"),
    ],
)
def test_a_number_that_changed_all_over_the_seeds_is_mended_by_the_patch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    gold, texts = shipped()
    Path("gold.jsonl").write_bytes(gold.path.read_bytes())
    gold = read_gold(Path("gold.jsonl"))
    now = {doc: text.replace(number, other) for doc, text in texts.items()}
    found = check(gold, now)
    rests = {item.id for item in gold.items for row in item.evidence if number in (row.quote or "")}
    assert set(ids(found)) == rests
    assert found.stale == len(rests)
    Path("gold.patch").write_text(patch(gold, found), encoding="utf-8")
    subprocess.run(["git", "apply", "gold.patch"], check=True)
    assert check(read_gold(Path("gold.jsonl")), now).ok


def test_a_shipped_sentence_that_is_deleted_is_never_taken_for_another() -> None:
    gold, texts = shipped()
    quotes = sorted({(row.doc, row.quote or "") for item in gold.items for row in item.evidence})
    for doc, quote in quotes[::3]:
        found = check(gold, {**texts, doc: texts[doc].replace(quote, "", 1)})
        now = [row.now for item in found.items for row in item.rows if row.gold.quote == quote]
        assert now
        assert all(each.quote is None for each in now), quote


def cli(folder: Path, *words: object) -> Result:
    seeds = folder / "seeds"
    result = CliRunner().invoke(
        app, ["check", "--gold", str(folder), "--seeds", str(seeds), *map(str, words)]
    )
    if result.exception and not isinstance(result.exception, SystemExit | EvalError):
        raise result.exception
    return result


def test_the_command_exits_3_and_its_patch_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gold_in(tmp_path, LINES)
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for doc, text in TEXTS.items():
        (seeds / doc).write_text(text, encoding="utf-8")
    assert cli(tmp_path).exit_code == Exit.PASS
    (seeds / "tea.md").write_text(TEA.replace("two", "three"), encoding="utf-8")
    human = cli(tmp_path)
    assert human.exit_code == Exit.STALE
    assert "hours: How soon is green tea steamed?" in human.stdout
    assert "+++ b/gold.jsonl" in human.stdout
    value = json.loads(cli(tmp_path, "--json").stdout)
    assert (value["ok"], value["stale"], list(value["proposals"])) == (False, 1, ["hours"])
    assert value["items"][0]["rows"][0]["now"]["status"] == "stale"
    assert cli(tmp_path, "--patch", "gold.patch").exit_code == Exit.STALE
    assert Path("gold.patch").read_text(encoding="utf-8") == value["patch"]
    subprocess.run(["git", "apply", "gold.patch"], check=True)
    assert cli(tmp_path).exit_code == Exit.PASS


def test_the_command_names_a_broken_line(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text(json.dumps(LINES[2]) + "\n{broken\n", encoding="utf-8")
    (tmp_path / "seeds").mkdir()
    result = cli(tmp_path)
    assert isinstance(result.exception, GoldError)
    assert "line 2 is no JSON" in str(result.exception)
