"""Reading gold: what is kept, what is refused, and what digests depend on."""

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from eval.errors import GoldError
from eval.gold import GoldItem, gold_schema, read_gold, read_lines, write_lines
from tests.conftest import ROOT, shared

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


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ('{"id": ' + "1" * 5000 + "}", "line 2 holds a number of too many digits."),
        ("[]", "line 2 is no JSON object."),
        ('"text"', "line 2 is no JSON object."),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "line 2 is nested too deeply."),
        (line(id="b", question="\ud800"), "line 2: question"),
        (line(id="b", evidence=[{"group": "g", "doc": "d", "start": 1.5}]), "line 2: evidence.0.start"),
        (line(id="b", evidence=[{"group": "g", "doc": "d", "start": -1}]), "line 2: evidence.0.start"),
        (line(id="b", evidence=[{"group": "g", "doc": "d", "quote": ""}]), "line 2: evidence.0.quote"),
        (line(id="b", tags="number"), "line 2: tags"),
        (line(id=7), "line 2: id"),
    ],
)
def test_what_json_allows_and_gold_does_not_is_named(tmp_path: Path, broken: str, said: str) -> None:
    with pytest.raises(GoldError, match=re.escape(said)) as caught:
        read_gold(gold(tmp_path, f"{line()}\n{broken}\n"))
    assert "GoldItem" not in str(caught.value)


def test_gold_of_the_current_folder_bears_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold(tmp_path, line())
    monkeypatch.chdir(tmp_path)
    assert read_gold(Path()).name == read_gold(Path("gold.jsonl")).name == tmp_path.name


def test_lines_end_with_a_newline_alone(tmp_path: Path) -> None:
    """JSON leaves these marks in strings as they are; other readers break lines at them."""
    item = json.dumps({**ITEM, "question": "a\u2028b\u0085c\u000bd"}, ensure_ascii=False)
    found = read_gold(gold(tmp_path, f"{item}\n{line(id='b')}\n"))
    assert found.items[0].question == "a\u2028b\u0085c\u000bd"
    assert len(found.items) == 2


def test_near_is_read_under_both_of_its_names() -> None:
    for name in ("near", "near_doc"):
        item = GoldItem.model_validate(
            {"id": "a", "question": "Why?", "answerable": False, name: "d.md"}
        )
        assert (item.near, item.cluster) == ("d.md", "d.md")


def test_groups_keep_their_order_and_hold_their_alternatives() -> None:
    rows = [{"group": group, "doc": doc} for group, doc in (("b", "1"), ("a", "2"), ("b", "3"))]
    item = GoldItem.model_validate({**ITEM, "evidence": rows})
    assert [[row.doc for row in group] for group in item.groups] == [["1", "3"], ["2"]]


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"unknown": [1]}, True),
        ({"answers": []}, True),  # it measures retrieval alone
        ({"evidence": []}, True),
        ({"answers": [], "evidence": []}, False),
        ({"answerable": False}, False),
        ({"answerable": False, "answers": []}, True),
        ({"question": " "}, False),
        ({"answers": [{"text": ""}]}, False),
        ({"answers": [{"aliases": []}]}, False),
        ({"evidence": [{"group": "g1", "doc": "d", "start": -1}]}, False),
        ({"evidence": [{"group": "g1", "doc": "d", "grade": 0}]}, False),
        ({"history": [{"role": "cat", "content": "x"}]}, False),
        ({"filter": "d"}, False),
        ({"tags": [1]}, False),
    ],
)
def test_schema_and_reader_agree(tmp_path: Path, change: dict[str, Any], good: bool) -> None:
    value = {**ITEM, **change}
    assert Draft202012Validator(gold_schema()).is_valid(value) == good
    path = gold(tmp_path, json.dumps(value))
    if good:
        assert len(read_gold(path).items) == 1
    else:
        with pytest.raises(GoldError, match="line 1"):
            read_gold(path)


def test_the_schema_says_what_it_is_of_and_takes_the_shipped_gold() -> None:
    schema = gold_schema()
    assert schema["title"] == "A gold item of seedrag"
    check = Draft202012Validator(schema)
    for _, text in read_lines(ROOT / "eval" / "gold" / "seeds.jsonl"):
        check.validate(json.loads(text))


wordings = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
items = st.builds(
    lambda question, wording, quote, tags: {
        **ITEM,
        "question": f"{question}?",
        "answers": [{"text": wording, "aliases": [wording]}],
        "evidence": [{"group": "g", "doc": "d", "quote": quote}],
        "tags": tags,
    },
    wordings, wordings, wordings, st.lists(wordings),
)  # fmt: skip


@settings(max_examples=50)
@given(st.lists(items, max_size=4), st.randoms())
def test_whatever_is_written_is_read_again_and_order_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[dict[str, Any]], chance: Random
) -> None:
    file = tmp_path_factory.mktemp("gold") / "gold.jsonl"
    lines = [{**item, "id": f"i{n}"} for n, item in enumerate(drawn)]
    write_lines(file, lines)
    found = read_gold(file)
    assert found.items == [GoldItem.model_validate(each) for each in lines]
    chance.shuffle(lines)
    write_lines(file, [{**each, "tags": []} for each in lines])
    assert read_gold(file).digest == found.digest
