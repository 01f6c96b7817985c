"""Question sets of other forms → gold that reads, and whose every quote stands."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eval.anchor import resolve
from eval.convert import Converted, convert, write
from eval.errors import EvalError
from eval.gold import read_gold
from rag.corpus import Found, normalise, read_source
from rag.errors import SeedsNotFoundError
from tests.conftest import ROOT

quick = settings(deadline=None, max_examples=200)

NORMANDY = (
    "The Normans came from Denmark. Rollo swore fealty to France; France gave land to the Normans."
)


def squad(folder: Path, *articles: dict[str, Any]) -> Path:
    file = folder / "squad.json"
    file.write_text(json.dumps({"version": "v2.0", "data": articles}), encoding="utf-8")
    return file


def article(title: str, *paragraphs: tuple[str, Sequence[dict[str, Any]]]) -> dict[str, Any]:
    return {"title": title, "paragraphs": [{"context": c, "qas": list(q)} for c, q in paragraphs]}


def asked(id: Any, *answers: tuple[str, int], **more: Any) -> dict[str, Any]:
    marked = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": id, "question": f"What of {id}?", "answers": marked, **more}


def one(folder: Path, context: str, *questions: dict[str, Any]) -> Converted:
    return convert("squad", squad(folder, article("Normans", (context, questions))))


def lines(file: Path, *values: Any) -> None:
    file.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")


def texts_of(source: Path) -> dict[str, str]:
    found = list(read_source(source, 64))
    assert all(isinstance(each, Found) for each in found)
    return {each.document.id: each.document.text for each in found if isinstance(each, Found)}


def stands(found: Converted, out: Path, seeds: Path | None = None) -> dict[str, Any]:
    """Write, read again, and check that every quote stands where its row says; return the items."""
    write(found, out)
    items = read_gold(out).items
    texts = texts_of(seeds or out / "corpus.jsonl")
    for item in items:
        for row in item.evidence:
            now = resolve(row, texts, [])
            assert (now.status, now.settled) == ("unchanged", True)
            if row.quote is not None:
                assert row.start is not None
                assert texts[row.doc][row.start : row.end] == row.quote
                around = texts[row.doc][: row.start], texts[row.doc][row.end :]
                assert (row.prefix, row.suffix) == (around[0][-32:], around[1][:32])
    assert len(items) == len(found.items)
    return {item.id: item for item in items}


def failures(found: Converted) -> dict[str, str]:
    assert len({each.id for each in found.failures}) == len(found.failures)
    return {each.id: each.reason for each in found.failures}


def test_squad_keeps_every_paragraph_and_the_places_of_the_answers(tmp_path: Path) -> None:
    file = squad(
        tmp_path,
        article("Normans", (NORMANDY, [asked("a", ("Denmark", 22))]), ("No question here.", [])),
        article("Rollo", (NORMANDY, [asked("b", is_impossible=True, plausible_answers=[])])),
    )
    found = convert("squad", file)
    assert not found.failures
    assert [(d.id, d.title) for d in found.documents] == [
        ("Normans#0", "Normans"),
        ("Normans#1", "Normans"),
        ("Rollo#0", "Rollo"),
    ]
    items = stands(found, tmp_path / "out")
    assert [row.model_dump() for row in items["a"].evidence] == [
        {
            "group": "g1",
            "doc": "Normans#0",
            "quote": "Denmark",
            "start": 22,
            "end": 29,
            "prefix": "The Normans came from ",
            "suffix": ". Rollo swore fealty to France; ",
            "grade": 1,
        }
    ]
    assert (items["b"].answerable, items["b"].answers, items["b"].near) == (False, [], "Rollo#0")


def test_several_annotators_give_one_answer_and_alternative_places(tmp_path: Path) -> None:
    said = [("The Normans", 0), ("Normans", 85), ("the Normans", 81), ("Normans", 4), ("Normans", 4)]
    found = one(tmp_path, NORMANDY, asked("a", *said))
    item = stands(found, tmp_path / "out")["a"]
    assert [each.accepted for each in item.answers] == [["Normans", "The Normans"]]
    assert [(row.group, row.start) for row in item.evidence] == [
        ("g1", 0), ("g1", 85), ("g1", 81), ("g1", 4)
    ]  # fmt: skip


def test_of_equally_frequent_wordings_the_first_is_the_main_one(tmp_path: Path) -> None:
    found = one(tmp_path, NORMANDY, asked("a", ("from Denmark", 17), ("Denmark", 22)))
    assert found.items[0]["answers"] == [{"text": "from Denmark", "aliases": ["Denmark"]}]


def test_a_wrong_offset_is_put_right_where_only_one_place_is_meant(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        NORMANDY + " In 1911, 11 came.",
        asked("once", ("Denmark", 3)),
        asked("twice", ("France", 3)),
        asked("never", ("Norway", 22)),
        asked("before the text", ("Rollo", -1)),
        asked("in a number, too", ("11", 0)),
        asked("in a word", ("ealty", 0)),
        asked("empty", (" ", 3)),
    )
    items = stands(found, tmp_path / "out")
    assert {id: item.evidence[0].start for id, item in items.items()} == {
        "once": 22,
        "before the text": 31,
        "in a number, too": NORMANDY.index("land") + 4 + len(" to the Normans. In 1911, "),
    }
    assert set(failures(found)) == {"twice", "never", "in a word", "empty"}
    assert "“France” stands neither at 3 nor just once elsewhere" in failures(found)["twice"]
    assert found.notes == ["Offsets of answers that were wrong and are put right: 3."]


def test_what_an_annotator_marked_wrong_is_listed_and_the_rest_kept(tmp_path: Path) -> None:
    found = one(tmp_path, NORMANDY, asked("a", ("Denmark", 22), ("Norway", 22)))
    assert stands(found, tmp_path / "out")["a"].answers[0].accepted == ["Denmark"]
    assert "Norway" in failures(found)["a"]
    assert failures(found)["a"].endswith("its other answers are kept")


def test_blanks_at_the_ends_of_an_answer_are_not_part_of_it(tmp_path: Path) -> None:
    found = one(tmp_path, NORMANDY, asked("a", (" Denmark", 21)))
    row = stands(found, tmp_path / "out")["a"].evidence[0]
    assert (row.quote, row.start, found.notes) == ("Denmark", 22, [])


def test_offsets_are_those_of_the_text_as_it_is_indexed(tmp_path: Path) -> None:
    context = "Beyonce\u0301\r\nsang in Malmo\u0308 for Rene\u0301e."
    found = one(
        tmp_path,
        context,
        asked("behind", ("Rene\u0301e", context.index("Rene"))),
        asked("composed", ("Malmö", context.index("Malmo"))),
        asked("over a line", ("\u0301\r\nsang", context.index("\u0301"))),
        asked("half a letter", ("Malmo", context.index("Malmo"))),
    )
    items = stands(found, tmp_path / "out")
    assert {id: item.evidence[0].start for id, item in items.items()} == {"behind": 26, "composed": 16}
    assert items["behind"].answers[0].text == "Renée"
    assert not found.notes
    assert set(failures(found)) == {"over a line", "half a letter"}


ODD = st.text(
    st.one_of(
        st.sampled_from(
            "ae\u0301\u0308\u0323o\r\n ñ\u1100\u1161\u11a8가\u0915\u093c\u2126ﬁ😀\u200d\u00a01."
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)


@quick
@given(before=ODD, said=ODD, after=ODD)
@example(before="a", said="\u0301", after="\u0301b")
def test_a_marked_span_is_where_it_was_or_is_listed(
    tmp_path_factory: pytest.TempPathFactory, before: str, said: str, after: str
) -> None:
    context = before + said + after
    folder = tmp_path_factory.mktemp("odd")
    anchor = asked("sure", ("sure", len(context) + 1))
    found = one(folder, f"{context} sure", asked("odd", (said, len(before))), anchor)
    items = stands(found, folder / "out")
    parts = [normalise(part) for part in (before, said, f"{after} sure")]
    if said.strip() and "".join(parts) == normalise(f"{context} sure"):
        row = items["odd"].evidence[0]
        assert row.quote == parts[1].strip()
        assert row.start == len(parts[0]) + len(parts[1]) - len(parts[1].lstrip())
    else:
        assert "odd" in failures(found) or found.notes  # listed, or put right


def test_what_contradicts_itself_is_listed(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        NORMANDY,
        asked("impossible", ("Denmark", 22), is_impossible=True),
        asked("bare"),
        asked("good", ("Denmark", 22)),
    )
    assert set(stands(found, tmp_path / "out")) == {"good"}
    assert set(failures(found)) == {"impossible", "bare"}


def test_two_questions_with_one_id_are_both_named_and_the_first_is_kept(tmp_path: Path) -> None:
    first, second = asked(7, ("Denmark", 22)), asked("7", ("Rollo", 31))
    file = squad(tmp_path, article("A", (NORMANDY, [first])), article("B", (NORMANDY, [second])))
    found = convert("squad", file)
    assert stands(found, tmp_path / "out")["7"].answers[0].text == "Denmark"
    assert "A#0 question 0 and B#0 question 0" in failures(found)["7"]


def test_articles_of_one_title_count_their_paragraphs_on(tmp_path: Path) -> None:
    file = squad(
        tmp_path, article("A", ("One.", [])), article("A", ("Two.", [])), article("", ("3", []))
    )
    documents = convert("squad", file).documents
    assert [(each.id, each.text) for each in documents] == [
        ("A#0", "One."), ("A#1", "Two."), ("untitled#0", "3")
    ]  # fmt: skip


def test_what_cannot_be_indexed_or_written_is_listed(tmp_path: Path) -> None:
    half = {"id": "half", "question": "What is \ud83d?", "is_impossible": True}
    file = squad(
        tmp_path,
        article("A", (" \n", [asked("of nothing", is_impossible=True)]), ("Half \ud83d.", [])),
        article("B", (NORMANDY, [half, asked("good", ("Denmark", 22))])),
    )
    found = convert("squad", file)
    assert set(stands(found, tmp_path / "out")) == {"good"}
    assert [each.id for each in found.documents] == ["B#0"]
    assert set(failures(found)) == {"A#0", "of nothing", "A#1", "half"}
    assert "A#0 was left out" in failures(found)["of nothing"]
    assert "surrogate" in failures(found)["half"]


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    lines(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "Tea", "text": "Cafe\u0301s serve tea.", "metadata": {"url": "u"}},
        {"_id": 2, "title": "Only a title", "text": ""},
        {"_id": "d3", "text": "Salt is mined."},
    )
    queries = [{"_id": f"q{n}", "text": f"What of {n}?"} for n in range(1, 6)]
    lines(folder / "queries.jsonl", *queries)
    head = "query-id\tcorpus-id\tscore\n"
    rows = "q1\td1\t2\nq1\t2\t1\nq1\td3\t0\nq2\td3\t1.0\n"
    (folder / "qrels" / "test.tsv").write_text(head + rows, encoding="utf-8")
    (folder / "qrels" / "dev.tsv").write_text(head + "q3\td3\t1\n", encoding="utf-8")
    return folder


def test_beir_judges_documents_with_their_scores(beir: Path, tmp_path: Path) -> None:
    found = convert("beir", beir)
    assert not found.failures
    items = stands(found, tmp_path / "out")
    assert {
        id: [(row.group, row.doc, row.grade, row.quote) for row in item.evidence]
        for id, item in items.items()
    } == {"q1": [("g1", "d1", 2, None), ("g1", "2", 1, None)], "q2": [("g1", "d3", 1, None)]}
    assert all(item.answerable and not item.answers for item in items.values())
    first, second, _ = found.documents
    assert (first.text, first.title, first.meta) == ("Cafés serve tea.", "Tea", {"url": "u"})
    assert second.text == "Only a title"


def test_queries_of_other_splits_are_counted_not_listed(beir: Path) -> None:
    found = convert("beir", beir)
    assert found.notes == [
        "The judgements are those of qrels/test.tsv.",
        "Queries that have none there and are no gold: 3.",
    ]
    assert not found.failures


def test_the_split_is_test_or_what_is_named_or_the_only_one(beir: Path) -> None:
    def ids(source: Path) -> list[str]:
        return [item["id"] for item in convert("beir", source).items]

    qrels = beir / "qrels"
    assert ids(beir) == ["q1", "q2"]
    assert ids(qrels / "dev.tsv") == ["q3"]
    (qrels / "test.tsv").rename(qrels / "train.tsv")
    assert ids(beir) == ["q3"]
    (qrels / "dev.tsv").rename(qrels / "odd.tsv")
    (qrels / "train.tsv").rename(qrels / "strange.tsv")
    with pytest.raises(EvalError, match=r"odd\.tsv"):
        convert("beir", beir)
    (qrels / "odd.tsv").unlink()
    assert ids(beir) == ["q1", "q2"]


def test_judgements_in_the_form_of_trec_are_read(beir: Path) -> None:
    (beir / "qrels" / "test.tsv").unlink()
    (beir / "qrels" / "test.qrels").write_bytes(b"q4 0 d1 3\r\nq4 0 d3 0\r\n\r\nq5\t0\td3\t-1\r\n")
    found = convert("beir", beir)
    assert [item["id"] for item in found.items] == ["q4"]
    assert found.items[0]["evidence"] == [{"group": "g1", "doc": "d1", "grade": 3}]
    assert failures(found) == {"q5": "test.qrels judges no document relevant to it"}


def test_judgements_of_what_is_not_there_are_listed(beir: Path) -> None:
    with (beir / "qrels" / "test.tsv").open("a", encoding="utf-8") as file:
        file.write("q2\tgone\t1\nq4\tgone\t1\nq9\td1\t1\nq1\talso gone\t0\n")
    found = convert("beir", beir)
    assert [item["id"] for item in found.items] == ["q1", "q2"]
    said = failures(found)
    assert set(said) == {"q2", "q4", "q9"}
    assert "gone; the others are kept" in said["q2"]
    assert "queries.jsonl does not hold it" in said["q9"]


def test_documents_and_queries_with_one_id_are_both_named(beir: Path) -> None:
    for name, value in (
        ("corpus", {"_id": "d1", "text": "Other."}),
        ("queries", {"_id": "q1", "text": "?"}),
    ):
        with (beir / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(value))
    found = convert("beir", beir)
    assert "corpus.jsonl line 1 and corpus.jsonl line 4" in failures(found)["d1"]
    assert "queries.jsonl line 1 and queries.jsonl line 6" in failures(found)["q1"]
    assert found.documents[0].text == "Cafés serve tea."
    assert found.items[0]["question"] == "What of 1?"


NEWS: list[dict[str, Any]] = [
    {
        "title": "On tea",
        "author": None,
        "source": "The Leaf",
        "published_at": "2023-11-01",
        "category": "food",
        "url": "https://leaf.example/tea",
        "body": "Tea is “steamed”\r\nat once. Cafe\u0301s roast it. Tea sells.",
    },
    {"title": "On salt", "url": "", "body": "Salt sells. Salt is mined."},
    {"title": "Twice", "url": "https://a.example", "body": "One."},
    {"title": "Twice", "url": "https://b.example", "body": "Two."},
]


def multihop(folder: Path, *questions: dict[str, Any]) -> Path:
    (folder / "MultiHopRAG.json").write_text(json.dumps(questions), encoding="utf-8")
    (folder / "corpus.json").write_text(json.dumps(NEWS), encoding="utf-8")
    return folder


def hop(answer: str, *facts: tuple[str, str, str], kind: str = "inference_query") -> dict[str, Any]:
    evidence = [
        {"url": url, "title": title, "fact": fact, "author": None} for url, title, fact in facts
    ]
    query = f"What {answer}?"
    return {"query": query, "answer": answer, "question_type": kind, "evidence_list": evidence}


TEA = NEWS[0]["url"]


def test_multihop_needs_every_fact_in_the_words_of_its_article(tmp_path: Path) -> None:
    folder = multihop(
        tmp_path,
        hop("Yes", (TEA, "On tea", "Cafés roast it."), ("", "On salt", "Salt is mined.")),
        hop("no", (TEA, "", 'tea is "steamed" at once.'), (TEA, "", 'Tea is "steamed" at once.')),
    )
    found = convert("multihop", folder)
    assert not found.failures
    items = stands(found, tmp_path / "out")
    first, second = items["multihop-0"], items["multihop-1"]
    assert [(row.group, row.doc, row.quote) for row in first.evidence] == [
        ("g1", TEA, "Cafés roast it."),
        ("g2", "On salt", "Salt is mined."),
    ]
    assert (first.answers[0].text, first.tags) == ("Yes", ["inference_query"])
    assert [(row.group, row.quote) for row in second.evidence] == [
        ("g1", "Tea is “steamed”\nat once."),
    ]
    assert found.documents[0].meta == {
        "url": TEA,
        "source": "The Leaf",
        "published_at": "2023-11-01",
        "category": "food",
    }


def test_multihop_questions_without_an_answer_there_are_unanswerable(tmp_path: Path) -> None:
    folder = multihop(
        tmp_path,
        hop("Insufficient information.", kind="null_query"),
        hop("insufficient information", kind="temporal_query"),
        hop("Tea", (TEA, "", "Tea sells.")),
    )
    items = stands(convert("multihop", folder / "MultiHopRAG.json"), tmp_path / "out")
    assert [item.answerable for item in items.values()] == [False, False, True]
    assert items["multihop-0"].tags == ["null_query"]


def test_multihop_facts_that_do_not_stand_are_listed(tmp_path: Path) -> None:
    folder = multihop(
        tmp_path,
        hop("Tea", (TEA, "", "Tea sells."), (TEA, "", "Coffee sells.")),
        hop("Tea", ("https://gone.example", "Gone", "Tea sells.")),
        hop("Tea", ("https://gone.example", "Twice", "Two.")),
        hop(" ", (TEA, "", "Tea sells.")),
        hop("Tea", ("https://moved.example", "On tea", "Tea sells.")),
        hop("Tea", (TEA, "", "  ")),
    )
    found = convert("multihop", folder)
    assert set(stands(found, tmp_path / "out")) == {"multihop-4"}
    said = failures(found)
    assert "does not hold the fact “Coffee sells.”" in said["multihop-0"]
    assert "https://gone.example" in said["multihop-1"]
    assert set(said) == {f"multihop-{n}" for n in (0, 1, 2, 3, 5)}


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "tea.md").write_text("Tea is steamed. Tea sells. Cafe\u0301s roast.", encoding="utf-8")
    (folder / "salt.md").write_text("Salt is “mined” at\nnight. Tea sells.", encoding="utf-8")
    return folder


def table(folder: Path, *rows: str, encoding: str = "utf-8") -> Path:
    file = folder / "table.csv"
    file.write_bytes("\r\n".join(rows).encode(encoding))
    return file


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_without_seeds_gives_answers_alone(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    rows = [
        ["Question", "answer ", "Aliases", "tags", "id"],
        ['"Who, then; said\t""tea""?"', "Zoë", "Zoe|Zoë| Zo ", '"a|b, c"', "z"],
        ['"On two\r\nlines?"', "", "", "", ""],
    ]
    file = table(tmp_path, *(delimiter.join(row) for row in rows), encoding=encoding)
    found = convert("csv", file)
    assert (found.failures, found.documents, found.notes) == ([], [], [])
    write(found, tmp_path / "out")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["gold.jsonl"]
    first, second = read_gold(tmp_path / "out").items
    assert (first.id, first.question) == ("z", 'Who, then; said\t"tea"?')
    assert first.answers[0].accepted == ["Zoë", "Zoe", "Zo"]
    assert (first.tags, first.evidence) == (["a", "b", "c"], [])
    assert (second.answerable, second.question) == (False, "On two\r\nlines?")
    assert second.id.startswith("on-two-lines-")


def test_a_table_is_anchored_in_the_seeds(tmp_path: Path, seeds: Path) -> None:
    file = table(
        tmp_path,
        "id,question,answer,doc,quote,answerable",
        "both,How?,steamed,tea.md,Tea is steamed.,",
        "in one document only,Sells?,yes,tea.md,Tea sells.,true",
        "quote alone,Who roasts?,cafe\u0301s,,Cafe\u0301s roast,",
        "document alone,How else?,roasted,tea.md,,",
        "to be found,What of tea?,,tea.md,,yes",
        "neither,Else?,salt,,,",
        "near,Why?,,tea.md,,",
        "said so,Why so?,nobody knows,tea.md,,FALSE",
    )
    found = convert("csv", file, seeds)
    assert (found.failures, found.documents, found.notes) == ([], [], [])
    items = stands(found, tmp_path / "out", seeds)
    assert {
        id: [(row.doc, row.start, row.quote) for row in item.evidence] for id, item in items.items()
    } == {
        "both": [("tea.md", 0, "Tea is steamed.")],
        "in one document only": [("tea.md", 16, "Tea sells.")],
        "quote alone": [("tea.md", 27, "Cafés roast")],
        "document alone": [("tea.md", None, None)],
        "to be found": [("tea.md", None, None)],
        "neither": [],
        "near": [],
        "said so": [],
    }
    assert {id for id, item in items.items() if not item.answerable} == {"near", "said so"}
    assert items["near"].near == items["said so"].near == "tea.md"
    assert not (tmp_path / "out" / "corpus.jsonl").exists()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",yes,,,,", "it has no question"),
        ("How?", "it ends before the answer"),
        ("How?,yes,,,,,more", "it has 7 cells under 6 columns"),
        ("How?,yes,,,,perhaps", "answerable is 'perhaps'"),
        ("How?,yes,gone.md,,,", "no document 'gone.md'"),
        ("How?,,gone.md,,,", "no document 'gone.md'"),
        ("How?,yes,tea.md,Tea is boiled.,,", "“Tea is boiled.” does not stand in tea.md"),
        ("How?,yes,tea.md,Salt is,,", "“Salt is” does not stand in tea.md"),
        ("How?,yes,,Tea is boiled.,,", "“Tea is boiled.” does not stand in the seeds"),
        ("How?,yes,,Tea sells.,,", "“Tea sells.” stands 2 times in the seeds"),
        ("How?,yes,tea.md,Tea,,", "“Tea” stands 2 times in tea.md"),
        ("How?,yes,salt.md,salt is 'mined',,", "“salt is 'mined'” does not stand in salt.md"),
        ('How?,yes,salt.md,"""Mined"" at night",,', "salt.md reads ““mined” at night”"),
    ],
)
def test_a_row_that_is_no_gold_is_listed_by_its_line(
    tmp_path: Path, seeds: Path, row: str, reason: str
) -> None:
    header = "question,answer,doc,quote,aliases,answerable"
    file = table(tmp_path, header, '"Two\r\nlines?",yes,,,,', "", row, "Last?,yes,,,,")
    found = convert("csv", file, seeds)
    assert [item["question"] for item in found.items] == ["Two\r\nlines?", "Last?"]
    assert list(failures(found)) == ["line 5"]
    assert reason in failures(found)["line 5"]


def test_a_table_tells_what_it_did_not_take(tmp_path: Path) -> None:
    rows = [
        "question;answer;doc;remark",
        "Où est le thé?;à la forêt, bien sûr;tea.md;no",
        "Où?;;thé.md;",
    ]
    found = convert("csv", table(tmp_path, *rows, encoding="cp1252"))
    assert found.items[0]["answers"][0]["text"] == "à la forêt, bien sûr"
    assert "near" not in found.items[1]
    guessed, others, unanchored = found.notes
    assert "guess" in guessed
    assert others == "Columns that are not read: remark."
    assert unanchored == "Rows whose doc and quote were left out, as no --seeds were named: 2."


def test_one_question_asked_in_two_rows_is_listed(tmp_path: Path) -> None:
    found = convert("csv", table(tmp_path, "question,answer", "Who?,a", "who?,b"))
    assert [item["answers"][0]["text"] for item in found.items] == ["a"]
    [(_, said)] = failures(found).items()
    assert "line 2 and line 3" in said


def test_answerable_without_answer_and_evidence_is_listed(tmp_path: Path) -> None:
    found = convert("csv", table(tmp_path, "id,question,answer,answerable", "x,Who?,,yes", "y,Who?,a,"))
    assert [item["id"] for item in found.items] == ["y"]
    assert "needs an answer" in failures(found)["x"]


GOOD: dict[str, Any] = {"data": [article("A", (NORMANDY, [asked("a", ("Denmark", 22))]))]}
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\n"


@pytest.mark.parametrize(
    ("kind", "files", "source", "said"),
    [
        ("xml", {}, "x", "squad, beir, multihop, csv"),
        ("squad", {}, "gone.json", "There is no"),
        ("squad", {"x/y": ""}, "x", "is a folder"),
        ("squad", {"x": "{no"}, "x", "is not JSON"),
        ("squad", {"x": b"\xff{}"}, "x", "not UTF-8"),
        ("squad", {"x": "[" * 200_000}, "x", "nests too deeply"),
        ("squad", {"x": '{"rows": []}'}, "x", "data: Field required"),
        ("squad", {"x": '{"data": [{"title": "A"}]}'}, "x", "data.0.paragraphs: Field required"),
        ("squad", {"x": "version https://git-lfs.github.com/spec/v1\noid"}, "x", "git lfs pull"),
        ("beir", {}, "gone", "There is no"),
        ("beir", {"x": ""}, "x", "neither a folder nor judgements"),
        ("beir", {"x/queries.jsonl": ""}, "x", "no corpus.jsonl"),
        ("beir", {"x/corpus.jsonl": ""}, "x", "no queries.jsonl"),
        ("beir", {"x/corpus.jsonl": "", "x/queries.jsonl": ""}, "x", "no judgements"),
        ("beir", {"q.tsv": "a\tb\tc\n"}, "q.tsv", "holds no judgement"),
        ("beir", {"q.tsv": QRELS + "q1\td1\n"}, "q.tsv", "line 3 is no judgement"),
        ("beir", {"q.tsv": QRELS + "q1\td1\t.5\n"}, "q.tsv", "line 3 is no judgement"),
        ("beir", {"q.tsv": QRELS + "q1\td1\tinf\n"}, "q.tsv", "line 3 is no judgement"),
        ("beir", {"q.tsv": QRELS, "corpus.jsonl": "{}\n"}, "q.tsv", "corpus.jsonl line 1"),
        ("beir", {"q.tsv": QRELS, "corpus.jsonl": "{\n"}, "q.tsv", "corpus.jsonl line 1 is not JSON"),
        ("multihop", {"x/MultiHopRAG.json": "[]"}, "x", "There is no"),
        ("multihop", {"x": "{}"}, "x", "valid list"),
        ("multihop", {"x": "[]", "corpus.json": "[{}]"}, "x", "0.title: Field required"),
        ("csv", {}, "x", "There is no"),
        ("csv", {"x": ""}, "x", "no column `question`"),
        ("csv", {"x": "question,reply\na,b"}, "x", "no column `answer`"),
        ("csv", {"x": 'question,answer\n"a" b,c\n'}, "x", "line 2 is no row"),
        ("csv", {"x": 'question,answer\na,b\n"a,b\nc,d\n'}, "x", "line 3 is no row"),
        ("csv", {"x": b"question,answer\n\x00\x01\x02\x03\x04"}, "x", "binary"),
        ("csv", {"x": json.dumps({"data": ["a" * 200_000]})}, "x", "line 1 is no row"),
    ],
)
def test_a_source_of_another_form_is_one_sentence(
    tmp_path: Path, kind: str, files: dict[str, str | bytes], source: str, said: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(EvalError) as caught:
        convert(kind, tmp_path / source)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_seeds_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SeedsNotFoundError):
        convert("csv", table(tmp_path, "question,answer", "Who?,me"), tmp_path / "nowhere")


def test_seeds_beside_documents_of_its_own_are_left_alone(tmp_path: Path, seeds: Path) -> None:
    file = tmp_path / "squad.json"
    file.write_text(json.dumps(GOOD), encoding="utf-8")
    [note] = convert("squad", file, seeds).notes
    assert "--seeds was left alone" in note


def test_a_corpus_larger_than_what_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = squad(tmp_path, article("A", ("word " * 250_000, [])))
    assert not convert("squad", file).notes
    monkeypatch.setenv("RAG_MAX_FILE_MB", "1")
    [note] = convert("squad", file).notes
    assert "RAG_MAX_FILE_MB" in note


@pytest.mark.parametrize("name", ["gold.jsonl", "corpus.jsonl"])
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    found = convert("squad", squad(tmp_path, *GOOD["data"]))
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine", encoding="utf-8")
    with pytest.raises(EvalError, match=name):
        write(found, out)
    assert [(each.name, each.read_text()) for each in out.iterdir()] == [(name, "mine")]


def test_a_table_may_be_written_beside_its_corpus(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    lines(corpus, {"id": "d", "text": "Tea is steamed."})
    found = convert("csv", table(tmp_path, "question,answer,quote", "How?,steamed,is steamed"), corpus)
    before = corpus.read_bytes()
    assert stands(found, tmp_path, corpus)
    assert corpus.read_bytes() == before


def test_nothing_is_written_where_nothing_is_left(tmp_path: Path) -> None:
    lost = one(tmp_path, NORMANDY, asked("a", ("Norway", 3)))
    with pytest.raises(EvalError, match="“Norway” stands neither"):
        write(lost, tmp_path / "out")
    with pytest.raises(EvalError, match="no question"):
        write(one(tmp_path, NORMANDY), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eval", "convert", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_command_writes_and_lists(tmp_path: Path) -> None:
    questions = [asked("good", ("Denmark", 3)), asked("bad", ("Norway", 3))]
    done = call(
        "squad", squad(tmp_path, article("A", (NORMANDY, questions))), "--out", tmp_path / "out"
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = done.stdout.splitlines()
    assert first.startswith("left out: bad: “Norway” stands neither")
    assert second == "Offsets of answers that were wrong and are put right: 1."
    assert third == f"1 items and 1 documents in {tmp_path / 'out'}."
    assert [item.id for item in read_gold(tmp_path / "out").items] == ["good"]


def test_the_command_fails_in_one_sentence_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{no", encoding="utf-8")
    done = call("squad", tmp_path / "x", "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("eval: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
