"""Reading gold: what is kept, what is refused, and what digests depend on."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from eval.errors import GoldError
from eval.gold import GoldItem, gold_schema, read_gold, write_lines
from tests.conftest import shared

ITEM: dict[str, Any] = {
    "id": "a",
    "question": "How hot?",
    "answerable": True,
    "answers": [{"text": "200", "aliases": ["two hundred"]}],
    "evidence": [{"group": "g1", "doc": "d.md", "quote": "at 200 degrees"}],
    "tags": ["number"],
}


def gold(folder: Path, text: str | bytes, name: str = "gold.jsonl") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def line(**more: Any) -> str:
    return json.dumps({**ITEM, **more})


def test_unknown_keys_blank_lines_bom_and_crlf_are_borne(tmp_path: Path) -> None:
    text = f"\ufeff{line(question_type='x')}\r\n\r\n   \n{line(id='b')}"
    found = read_gold(gold(tmp_path, text))
    assert [item.id for item in found.items] == ["a", "b"]
    assert found.items[0].answers[0].accepted == ["200", "two hundred"]


def test_a_folder_is_read_by_its_gold_and_named_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    folder.mkdir()
    gold(folder, line())
    assert read_gold(folder).name == read_gold(folder / "gold.jsonl").name == "tea"
    gold(folder, line(), "mine.jsonl")
    assert read_gold(folder / "mine.jsonl").name == "mine"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("{oh", "line 2 is no JSON"),
        ("[" * 100_000, "line 2 is"),
        ("[]", "line 2"),
        (line(), "lines 1 and 2 both have the id 'a'"),
        (line(id=""), "line 2: id"),
        (line(id="b", question="  "), "line 2: question"),
        (line(id="b", answerable="yes"), "line 2: answerable"),
        (line(id="b", answerable=False), "line 2: an unanswerable question has no answers"),
        (line(id="b", answers=[], evidence=[]), "line 2: an answerable question needs"),
        (line(id="b", answers=[{"text": ""}]), "line 2: answers.0.text"),
        (line(id="b", evidence=[{"group": "g1"}]), "line 2: evidence.0.doc"),
        (line(id="b", evidence=[{"group": "g", "doc": "d", "grade": 0}]), "line 2: evidence.0.grade"),
        (line(id="b", history=[{"role": "cat", "content": "x"}]), "line 2: history.0.role"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: str, said: str) -> None:
    with pytest.raises(GoldError) as caught:
        read_gold(gold(tmp_path, f"{line()}\n{broken}\n"))
    assert said in str(caught.value)
    assert "gold.jsonl" in str(caught.value)
    assert str(caught.value).endswith(".")


def test_what_is_no_text_or_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="not UTF-8 at byte 2"):
        read_gold(gold(tmp_path, b"{}\xff"))
    with pytest.raises(GoldError, match="cannot be read"):
        read_gold(tmp_path / "none.jsonl")


def test_digests_ignore_order_and_tags_and_nothing_else(tmp_path: Path) -> None:
    one, other = line(), line(id="b")
    before = read_gold(gold(tmp_path, f"{one}\n{other}")).digest
    assert read_gold(gold(tmp_path, f"{other}\n{one}")).digest == before
    assert read_gold(gold(tmp_path, f"{one}\n{line(id='b', tags=['x'])}")).digest == before
    for change in (
        {"question": "How cold?"},
        {"answers": [{"text": "201"}]},
        {"filter": {"doc": "a*"}},
        {"history": [{"role": "user", "content": "x"}]},
    ):
        assert read_gold(gold(tmp_path, f"{one}\n{line(id='b', **change)}")).digest != before


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    item = GoldItem.model_validate(ITEM)
    write_lines(tmp_path / "new" / "gold.jsonl", [item.model_dump(mode="json")])
    assert read_gold(tmp_path / "new").items == [item]


def test_the_schema_takes_good_lines_and_refuses_broken_ones() -> None:
    check = Draft202012Validator(gold_schema())
    assert check.is_valid(ITEM)
    assert not check.is_valid({**ITEM, "answerable": "yes"})
    assert not check.is_valid({key: value for key, value in ITEM.items() if key != "question"})


@pytest.mark.shared
@pytest.mark.parametrize("name", ["squad2_dev", "mtrag_un", "multihop_rag_facts", "policyqa_test"])
def test_the_development_sets_are_gold(name: str) -> None:
    assert len(read_gold(shared("data", name)).items) >= 500
