"""The shipped gold against the shipped seeds."""

from collections import Counter

from eval.anchor.align import stands
from eval.gold import GoldItem, read_gold
from eval.metrics.words import contains, tokens
from rag.config import Settings
from rag.corpus import Found, read_source
from rag.text import content_stems, fold, sentences
from tests.conftest import ROOT

GOLD = read_gold(ROOT / "eval" / "gold" / "seeds.jsonl")
TEXTS = {
    found.document.id: found.document.text
    for found in read_source(ROOT / "seeds", Settings().max_file_mb)
    if isinstance(found, Found)
}
SENTENCES = [
    (doc, tokens(text[slice(*span)])) for doc, text in TEXTS.items() for span in sentences(text)
]
ANSWERABLE = [item for item in GOLD.items if item.answerable]
TAGS = Counter(tag for item in GOLD.items for tag in item.tags)


def of_tag(tag: str) -> list[GoldItem]:
    return [item for item in GOLD.items if tag in item.tags]


def test_there_are_enough_of_every_kind() -> None:
    assert len(ANSWERABLE) >= 100
    assert len(GOLD.items) - len(ANSWERABLE) >= 30
    for tag in (
        "fact number date name reason list yes-no two-documents paraphrase near-miss false-premise "
        "typo far near almost-stated"
    ).split():
        assert TAGS[tag] >= 4, tag


def test_every_quote_stands_at_its_place_with_what_surrounds_it() -> None:
    for item in GOLD.items:
        for row in item.evidence:
            text = TEXTS[row.doc]
            assert row.quote
            assert row.start is not None
            assert row.end is not None
            assert text[row.start : row.end] == row.quote, item.id
            assert text[: row.start].endswith(row.prefix), item.id
            assert text[row.end :].startswith(row.suffix), item.id


def test_the_evidence_of_an_item_says_its_answers() -> None:
    """A yes or no is said in words of its own; all else stands in the quotes."""
    for item in ANSWERABLE:
        quotes = tokens(" ".join(row.quote or "" for row in item.evidence))
        for answer in item.answers:
            assert any(contains(quotes, tokens(wording)) for wording in answer.accepted), item.id


def test_every_row_states_an_answer_and_every_answer_has_its_row() -> None:
    """So check can tell of each row what became of the answer that it proves."""
    for item in ANSWERABLE:
        for row in item.evidence:
            wordings = [wording for answer in item.answers for wording in answer.accepted]
            assert any(stands(wording, row.quote or "") for wording in wordings), (item.id, row.quote)
        for answer in item.answers:
            assert any(
                stands(wording, row.quote or "") for row in item.evidence for wording in answer.accepted
            ), (item.id, answer.text)


def test_wordings_are_said_once() -> None:
    for item in ANSWERABLE:
        for answer in item.answers:
            assert len(answer.accepted) == len(set(answer.accepted)), item.id


def test_hardly_any_item_takes_a_sentence_of_a_document_that_does_not_answer_it() -> None:
    """Words as common as "like" or "old" would be found in wrong answers, too."""
    taken = {
        item.id
        for item in ANSWERABLE
        for doc, said in SENTENCES
        if doc not in {row.doc for row in item.evidence}
        and all(
            any(contains(said, tokens(wording)) for wording in answer.accepted)
            for answer in item.answers
        )
    }
    assert len(taken) <= 0.05 * len(ANSWERABLE), sorted(taken)


def test_no_question_is_asked_twice_and_none_gives_its_answer_away() -> None:
    asked = Counter(fold(item.question).text for item in GOLD.items)
    assert asked.most_common(1)[0][1] == 1
    given = [
        item.id
        for item in ANSWERABLE
        if all(stands(answer.text, item.question) for answer in item.answers)
    ]
    assert len(given) <= 0.03 * len(ANSWERABLE), given


def test_two_documents_means_two_documents() -> None:
    for item in of_tag("two-documents"):
        docs = [{row.doc for row in group} for group in item.groups]
        assert len(docs) >= 2
        assert not set.intersection(*docs), item.id


def test_paraphrases_share_no_content_word_with_their_evidence() -> None:
    assert TAGS["paraphrase"] >= 20
    for item in of_tag("paraphrase"):
        said = set(content_stems(item.question, "en"))
        quoted = content_stems(" ".join(row.quote or "" for row in item.evidence), "en")
        assert not said.intersection(quoted), item.id


def test_what_is_not_answered_says_what_it_seems_to_be_about() -> None:
    for item in GOLD.items:
        if not item.answerable:
            assert (item.near in TEXTS) != ("far" in item.tags), item.id
