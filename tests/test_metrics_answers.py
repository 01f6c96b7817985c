"""Answers against the definitions of SQuAD 2.0, written out case by case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.answers import exact_match, f1, fact_recall, numeric_match, rouge_l
from eval.metrics.words import contains, names, numbers, squad_tokens, tokens


@pytest.mark.parametrize(
    ("prediction", "accepted", "exact", "overlap"),
    [
        ("Normandy", ["Normandy"], 1, 1),
        ("normandy", ["NORMANDY"], 1, 1),  # case
        ("the Normans", ["Normans"], 1, 1),  # articles
        ("a man, an apple", ["man apple"], 1, 1),
        ("theatre", ["atre"], 0, 0),  # articles are words of their own
        ("U.S.", ["US"], 1, 1),  # punctuation
        ("twenty-one", ["twentyone"], 1, 1),
        ("$1,300.", ["1300"], 1, 1),
        ("  two\twords ", ["two words"], 1, 1),  # white space
        ("the", ["a"], 1, 1),  # both empty once articles are gone
        ("", [], 1, 1),  # empty against empty: a right abstention
        ("France", [], 0, 0),  # an answer where there is none
        ("", ["France"], 0, 0),  # an abstention where there is one
        ("the", ["France"], 0, 0),
        ("10th century", ["10th and 11th centuries", "10th century"], 1, 1),  # aliases
        ("in the 10th", ["10th and 11th centuries", "10th century"], 0, 0.5),
        ("Denmark, Iceland", ["Denmark, Iceland and Norway"], 0, 2 * 2 / (2 + 4)),
        ("ha ha ha", ["ha ha"], 0, 2 * 2 / (3 + 2)),  # a multiset: the third counts for nothing
        ("ha", ["ha ha ha"], 0, 2 * 1 / (1 + 3)),
        ("b a c", ["c b"], 0, 1),  # order does not count for F1, and articles count for nothing
    ],
)
def test_squad_conformance(prediction: str, accepted: list[str], exact: float, overlap: float) -> None:
    assert exact_match(prediction, accepted) == exact
    assert f1(prediction, accepted) == pytest.approx(overlap)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_scores_are_shares_and_the_gold_scores_one(said: str, accepted: list[str]) -> None:
    assert exact_match(said, accepted) <= f1(said, accepted) <= 1
    for wording in accepted:
        assert exact_match(wording, accepted) == f1(wording, accepted) == 1


def test_scripts_without_blanks_are_compared_by_character() -> None:
    assert squad_tokens("北京市 is it") == ["北", "京", "市", "is", "it"]
    assert f1("北京市", ["北京"]) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("The latest wave freed thirty-seven people.", "37"),
        ("It freed 37 people.", "thirty-seven"),
        ("some 1,300 prisoners", "thirteen hundred"),
        ("one hundred and ten of them", "110"),
        ("a budget of 1.3 million", "1,300,000"),
        ("in 2008 and 2015", "2015"),
        ("on 16 September", "16th September"),
        ("backed by the U.S. and others", "US"),
        ("Russia’s war", "Russia's war"),
        ("Clicking “like” on it", "like"),
        ("the alliance with the Russians", "alliance with Russians"),
        ("CAFÉ", "Cafe\u0301"),
        ("北京有12个区", "12"),
    ],
)
def test_a_wording_stands_in_a_text_by_words_and_by_value(text: str, wording: str) -> None:
    assert contains(tokens(text), tokens(wording))


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("He was unlike them.", "like"),
        ("110,000 people", "110"),
        ("1.3 billion", "1.3"),
        ("twenty-one", "twenty"),
        ("137 people", "37"),
        ("people of thirty, seven of them ill", "37"),
        ("a b", ""),
        ("", "b"),
    ],
)
def test_half_a_word_or_number_does_not(text: str, wording: str) -> None:
    assert not contains(tokens(text), tokens(wording))


def test_fact_recall_counts_required_answers_not_wordings() -> None:
    required = [["2008"], ["2015", "fifteen"], ["Minsk"]]
    assert fact_recall("In 2008 and in 2015.", required) == pytest.approx(2 / 3)
    assert fact_recall("", required) == 0
    assert fact_recall("anything", []) is None


@pytest.mark.parametrize(
    ("said", "accepted", "score"),
    [
        ("thirty-seven people", ["37"], 1),
        ("on 16 September, 37 people", ["37"], 0),  # another number, too
        ("37.0", ["thirty-seven"], 1),
        ("1 300", ["1,300"], 0),
        ("", ["6"], 0),
        ("nobody", ["six", "6"], 0),
        ("six", ["at least six"], 1),
        ("Minsk", ["Minsk"], None),
        ("one man", ["a man"], None),
    ],
)
def test_numeric_match(said: str, accepted: list[str], score: float | None) -> None:
    assert numeric_match(said, accepted) == score


def test_numbers_and_names_of_a_sentence() -> None:
    assert numbers("One of the 37 left in twenty twenty-four, at 3.50.") == {"37", "20", "24", "3.5"}
    assert names("In Minsk, Maxim Ryzhenkov spoke.") == {"minsk", "maxim", "ryzhenkov"}
    assert names("The latest wave freed people.") == set()
    assert names("Он живёт в Минске.") == {"минске"}
    assert names("他住在明斯克。") == set()


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence() -> None:
    # Lin 2004, section 3.1: "police kill the gunman" shares three of four words in order with the
    # first candidate and two with the second; here "the" is an article and counts for nothing.
    assert rouge_l("police killed the gunman", ["police kill the gunman"]) == pytest.approx(2 / 3)
    assert rouge_l("gunman kill police", ["police kill gunman"]) == pytest.approx(1 / 3)
    assert rouge_l("", ["x"]) == 0
    assert rouge_l("x", []) is None
