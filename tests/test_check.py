"""Gold against edited seeds: what is named, what is proposed, and that the patch applies."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.anchor import sentence_digests
from eval.check import CheckReport, check, check_json, patch, show
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
