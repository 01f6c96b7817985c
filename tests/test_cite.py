import time
from collections.abc import Sequence

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cite import Checker, Cited, Citer
from rag.cite import cite as cite_with
from rag.cite.judge import LexicalJudge
from rag.types import Passage, Span

CHECKER = Checker(LexicalJudge())
quick = settings(deadline=None, max_examples=150)
DOCUMENT = (
    "Preface. The bridge was opened in 1932 by the premier. It is 503 metres long. "
    "Toll was abolished in 1988. The engineer was John Bradfield. "
)
WORDS = st.lists(
    st.sampled_from([*DOCUMENT.split(), "[1]", "[2]", "[9]", "[1, 2]", ".", "\n"]), max_size=25
)


def cite(draft: str, over: Sequence[Passage], language: str = "und") -> Cited:
    return cite_with(draft, over, CHECKER, language)


def support(claim: str, passage: str, language: str) -> tuple[Span, bool]:
    found = CHECKER.support(claim, passage, language)
    return found.span, found.supported


def passage(start: int, end: int, doc: str = "bridge.txt") -> Passage:
    return Passage(doc, start, end, DOCUMENT[start:end], 1.0, title="Bridge", heading="p. 1")


def passages() -> list[Passage]:
    toll = DOCUMENT.index("Toll")
    return [passage(DOCUMENT.index("The bridge"), toll), passage(toll, len(DOCUMENT))]


def said(text: str, doc: str = "d") -> Passage:
    return Passage(doc, 0, len(text), text, 1.0)


@quick
@given(WORDS.map(" ".join))
def test_quotes_are_verbatim_and_numbers_run_in_order_of_appearance(draft: str) -> None:
    found = cite(draft, passages(), "en")
    for citation in found.citations:
        if citation.verdict == "not_found":
            assert citation.doc is citation.start is citation.end is citation.quote is None
        else:
            assert DOCUMENT[citation.start : citation.end] == citation.quote != ""
    markers = [int(n) for n in regex.findall(r"\[(\d+)\]", found.answer)]
    assert list(dict.fromkeys(markers)) == list(range(1, len(found.citations) + 1))
    assert [citation.n for citation in found.citations] == sorted(set(markers))


@quick
@given(st.text(), st.lists(st.text(min_size=1).map(said), max_size=3))
def test_any_draft_over_any_passages_is_checked(draft: str, given_passages: list[Passage]) -> None:
    found = cite(draft, given_passages)
    assert all(sentence.verdict for sentence in found.sentences)


def test_markers_are_renumbered_by_appearance() -> None:
    found = cite("Toll was abolished in 1988 [2]. It is 503 metres long [1].", passages(), "en")
    assert found.answer == "Toll was abolished in 1988 [1]. It is 503 metres long [2]."
    assert [sentence.text for sentence in found.sentences] == [
        "Toll was abolished in 1988.",
        "It is 503 metres long.",
    ]
    assert [(c.n, c.quote, c.verdict) for c in found.citations] == [
        (1, "Toll was abolished in 1988.", "verified"),
        (2, "It is 503 metres long.", "verified"),
    ]
    assert (found.citations[0].title, found.citations[0].locator) == ("Bridge", "p. 1")


@pytest.mark.parametrize("marker", ["[1, 2]", "[1,2]", "[1][2]", "[1] [2]"])
@pytest.mark.parametrize(
    "form", ["Toll was abolished in 1988 {}. And so on.", "Toll was abolished in 1988. {} And so on."]
)
def test_a_list_of_markers_belongs_to_the_sentence_before_it(marker: str, form: str) -> None:
    found = cite(form.format(marker), passages(), "en")
    assert [list(sentence.citations) for sentence in found.sentences] == [[1, 2], []]
    assert [citation.verdict for citation in found.citations] == ["unsupported", "verified"]
    assert found.sentences[0].verdict == "verified"
    assert regex.findall(r"\[.*?\]", found.answer) == ["[1]", "[2]"]


@pytest.mark.parametrize("n", ["0", "3", "99", "9" * 5000], ids=len)
def test_a_marker_of_no_passage_is_not_found_and_stays(n: str) -> None:
    found = cite(f"Toll was abolished in 1988 [{n}].", passages(), "en")
    assert found.answer == "Toll was abolished in 1988 [1]."
    assert [citation.verdict for citation in found.citations] == ["not_found"]
    assert found.sentences[0].verdict == "not_found"


def test_one_good_citation_verifies_beside_one_not_found() -> None:
    (sentence,) = cite("Toll was abolished in 1988 [7][2].", passages(), "en").sentences
    assert (sentence.verdict, list(sentence.citations)) == ("verified", [1, 2])


def test_two_markers_of_no_passage_stay_two() -> None:
    found = cite("One [8]. Two [9]. Three [8].", passages(), "en")
    assert found.answer == "One [1]. Two [2]. Three [1]."


def test_the_same_span_keeps_its_number() -> None:
    found = cite(
        "Toll was abolished in 1988 [2]. Abolished was the toll in 1988 [2].", passages(), "en"
    )
    assert found.answer.count("[1]") == 2
    assert len(found.citations) == 1


def test_a_sentence_without_a_marker_is_checked_against_every_passage() -> None:
    found = cite(
        "The engineer was John Bradfield. The engineer was born in Queensland.", passages(), "en"
    )
    assert [(s.verdict, list(s.citations)) for s in found.sentences] == [
        ("verified", [1]),
        ("unsupported", []),
    ]
    assert found.answer == "The engineer was John Bradfield. [1] The engineer was born in Queensland."
    assert found.citations[0].quote == "The engineer was John Bradfield."


@pytest.mark.parametrize("claim", ["Here is what I found:", "That is what it is.", "…"])
def test_what_claims_nothing_needs_no_citation(claim: str) -> None:
    found = cite(claim, passages(), "en")
    assert (found.sentences[0].verdict, found.answer, found.citations) == ("no_claim", claim, [])


@pytest.mark.parametrize(
    "preamble",
    ["Here is the answer: ", "Based on the provided passages, ", "According to the documents above: "],
)
def test_what_speaks_of_the_passages_is_no_part_of_the_claim(preamble: str) -> None:
    found = cite(f"{preamble}toll was abolished in 1988 [2].", passages(), "en")
    assert found.sentences[0].verdict == "verified"
    assert found.citations[0].quote == "Toll was abolished in 1988."
    assert found.answer.startswith(preamble)


@pytest.mark.parametrize(
    "text",
    ["It is not true that the dam failed in 2010.", "No one believes the dam failed in 2010.",
     "The report denies that the dam failed in 2010."],
)  # fmt: skip
def test_words_that_their_clause_denies_support_nothing(text: str) -> None:
    assert not support("The dam failed in 2010.", text, "en")[1]


def test_words_after_a_denial_of_something_else_support() -> None:
    text = "The weir did not fail at once, but the dam failed in 2010."
    assert support("The dam failed in 2010.", text, "en")[1]


@pytest.mark.parametrize("said", ["Yes.", "No. [1]", "Yes"])
def test_a_bare_yes_is_no_supported_claim(said: str) -> None:
    assert [s.verdict for s in cite(said, passages(), "en").sentences] == ["unsupported"]


@pytest.mark.parametrize(
    "said",
    [
        "The reactor exploded in 2021, killing nine:",
        "Here is how Berlin burned down in 1999: toll was abolished in 1988 [2].",
        "According to the documents Berlin burned down, toll was abolished in 1988 [2].",
    ],
)
def test_no_claim_hides_in_what_only_announces(said: str) -> None:
    found = cite(said, passages(), "en")
    assert [s.verdict for s in found.sentences] == ["unsupported"]


def test_no_draft_and_no_passages() -> None:
    assert cite("", passages()).sentences == []
    assert cite("The bridge is long.", []).sentences[0].verdict == "unsupported"
    assert cite("The bridge is long [1].", []).sentences[0].verdict == "not_found"


@pytest.mark.parametrize(
    "claim", ["It is 504 metres long", "It is 503,5 metres long", "It is 50 metres long"]
)
def test_a_changed_number_is_unsupported(claim: str) -> None:
    found = cite(f"{claim} [1].", passages(), "en")
    assert found.sentences[0].verdict == "unsupported"
    assert found.citations[0].quote == "It is 503 metres long."


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("10", "It opened in 2010, and closed."),
        ("The art of war", "The art of warfare is old."),
        ("The price is 10.", "The price is 10.5 euros."),
        ("It cost 1.", "It cost 1,000 euros."),
        ("5 percent of people left.", "Some 2.5 percent of people left."),
        ("वह हिन्द", "वह हिन्दी बोलता है।"),
        ("1", "½ of it is gone."),
    ],
)
def test_part_of_a_word_or_number_is_not_verbatim(claim: str, passage: str) -> None:
    assert not support(claim, passage, "en")[1]


@pytest.mark.parametrize(
    ("claim", "passage", "quote"),
    [
        ("“JOHN  Bradfield”.", 'Engineer: "John\nBradfield"!', '"John\nBradfield"!'),
        ("10", "Of 2010, a 10 is left. More.", "Of 2010, a 10 is left."),
        ("首都は東京", "日本の首都は東京である。", "首都は東京"),
        ("It cost 1,000 euros.", "It cost 1,000 euros, all told.", "It cost 1,000 euros"),
        (
            "The toll was abolished",
            "Filler. Abolishing the toll took years.",
            "Abolishing the toll took years.",
        ),
    ],
)
def test_the_quote_is_the_span_that_supports(claim: str, passage: str, quote: str) -> None:
    span, supported = support(claim, passage, "en")
    assert (passage[slice(*span)], supported) == (quote, True)


def test_neighbouring_sentences_support_together() -> None:
    claim = "John Bradfield designed the bridge that the premier opened in 1932"
    text = "Rain fell. John Bradfield designed the bridge. The premier opened it in 1932. Toll fell."
    span, supported = support(claim, text, "en")
    assert supported
    assert text[slice(*span)] == "John Bradfield designed the bridge. The premier opened it in 1932."


def test_items_of_a_numbered_list_are_checked_without_their_numbers() -> None:
    found = cite(
        "1. The engineer was John Bradfield. [2]\n2. It is 503 metres long. [1]", passages(), "en"
    )
    assert [sentence.verdict for sentence in found.sentences] == ["verified", "verified"]
    assert found.answer.startswith("1. The engineer")


def test_another_order_of_the_same_words_is_found_in_the_language() -> None:
    found = cite(
        "Die Maut wurde 1988 abgeschafft [1].", [said("Abgeschafft wurde die Maut 1988.")], "de"
    )
    assert found.sentences[0].verdict == "verified"


FREED = "Belarus has released 110 political prisoners. The latest wave freed thirty-seven people."


@pytest.mark.parametrize(
    "claim",
    [
        "The latest wave freed thirty-eight people.",
        "Belarus has released 111 political prisoners.",
        "Belarus has not released 110 political prisoners.",
    ],
)
def test_another_number_or_a_denial_is_not_supported(claim: str) -> None:
    assert support(claim, FREED, "en")[1] is False
    assert support("The latest wave freed thirty-seven of them, all people.", FREED, "en")[1] is True


@pytest.mark.parametrize(
    "bit", ["[", ". a", "Paul, Anna, ", "not ", "12 34 ", "5 May 2001, ", "一十百", "a" + " " * 5000]
)
def test_a_reply_without_an_end_is_checked_in_little_time(bit: str) -> None:
    citer = Citer([said("Paul Brown met Anna in London on 5 May 2001. " * 20)] * 8, CHECKER, "en")
    draft = (bit * 50_000)[:50_000]
    began = time.monotonic()
    for at in range(0, len(draft), 4):
        citer.add(draft[at : at + 4])
    citer.close()
    assert time.monotonic() - began < 5
    assert "verified" not in {sentence.verdict for sentence in citer.cited.sentences}
