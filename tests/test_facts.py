"""What of a claim rules can check, each on sentences that a reader can judge in the head."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cite.facts import contradicted, lacking_facts
from rag.cite.facts.dates import dates, undated
from rag.cite.facts.numbers import numbers

quick = settings(deadline=None, max_examples=150)
BRIDGE = (
    "On 16 September 1932 the Premier of New South Wales opened the Harbour Bridge, which cost 6.25 "
    "million pounds and is 503 metres long. Sixteen workers died. Jack Lang cut the ribbon before "
    "Francis de Groot could not be stopped. The bridge does not carry trams."
)


def against(claim: str, said: str = BRIDGE, language: str = "en") -> list[str]:
    return [*lacking_facts(claim, said, language), *contradicted(claim, said, language)]


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("thirty-seven", "en", [37]),
        ("two hundred and five", "en", [205]),
        ("two and five", "en", [2, 5]),
        ("thirteen hundred", "en", [1300]),
        ("1,300", "en", [1300]),
        ("1.300", "de", [1300]),
        ("1,5", "de", ["1.5"]),
        ("1.3 thousand", "en", [1300]),
        ("$5bn", "en", [5_000_000_000]),
        ("3.5 percent", "en", ["3.5"]),
        ("16.09.2024", "en", [16, 9, 2024]),
        ("one of them", "en", []),
        ("the third wave", "en", [3]),
        ("a dozen", "en", [12]),
        ("in the 2020s", "en", [2020]),
        ("drei Wellen", "de", [3]),
        ("cuatro olas", "es", [4]),
        ("三十七人", "zh", [37]),
        ("5万人", "zh", [50_000]),
        ("1 000 km", "fr", [1000]),
    ],
)
def test_numbers_are_read_by_value(text: str, language: str, values: list[float | str]) -> None:
    assert [max(number.values) for number in numbers(text, language)] == [Decimal(v) for v in values]


@quick
@given(st.integers(0, 10**15))
def test_figures_are_worth_what_they_say_however_grouped(value: int) -> None:
    for said in (f"{value}", f"{value:,}"):
        assert [number.values for number in numbers(f"It is {said} wide.", "en")] == [
            frozenset([Decimal(value).normalize()])
        ]


@quick
@given(st.text())
def test_any_text_has_numbers_and_dates_at_their_places(text: str) -> None:
    for number in numbers(text, "en"):
        assert number.said == text[slice(*number.span)]
    assert len(undated(text)) == len(text)
    assert all(0 <= date.span[0] < date.span[1] <= len(text) for date in dates(text))


def test_a_dotted_capital_i_is_read_as_the_patterns_read_it() -> None:
    assert [max(n.values) for n in numbers("3 MİLLİON, SİX", "en")] == [Decimal(3_000_000), Decimal(6)]
    assert [date.month for date in dates("5 APRİL 2001")] == [4]


def test_numbers_of_many_digits_are_neither_rounded_nor_refused() -> None:
    long = "9" * 1_000_001
    one, other, last = numbers(f"{'1' * 40}2 and {'1' * 40}3 and {long}", "en")
    assert not one.values & other.values
    assert last.said == long


@pytest.mark.parametrize(
    "text",
    ["16 September 2024", "September 16, 2024", "16th of September 2024", "2024-09-16",
     "16. September 2024", "16 de septiembre de 2024", "2024年9月16日", "16 сентября 2024"],
)  # fmt: skip
def test_a_date_is_one_however_it_is_written(text: str) -> None:
    assert [(d.day, d.month, d.year) for d in dates(f"On {text}, it ended.")] == [(16, 9, 2024)]


def test_months_that_are_other_words_are_dates_only_beside_a_number() -> None:
    assert dates("They may march on.") == []
    assert [(d.month, d.day) for d in dates("On 2 May they marched.")] == [(5, 2)]


@pytest.mark.parametrize(
    "claim",
    [
        "The bridge was opened on September 16, 1932.",
        "It is 503 meters long.",
        "16 workers died.",
        "It cost 6,250,000 pounds.",
        "Trams are not carried by the bridge.",
        "Workers died, and so on.",
        "Lang cut the ribbon.",
        "No fewer than sixteen workers died.",
        "Building the bridge cost sixteen lives.",
    ],
)
def test_what_the_text_holds_in_other_words_is_not_objected_to(claim: str) -> None:
    assert against(claim) == []


@pytest.mark.parametrize(
    ("claim", "objection"),
    [
        ("It is 504 metres long.", "lacks the number 504"),
        ("Seventeen workers died.", "lacks the number Seventeen"),
        ("It is 503 miles long.", "lacks 503 in miles"),
        ("It cost 6.25 million dollars.", "lacks 6.25 million in dollars"),
        ("It cost 6.25 billion pounds.", "lacks the number 6.25 billion"),
        ("It was opened on 17 September 1932.", "lacks the date 17 September 1932"),
        ("It was opened on 16 October 1932.", "lacks the date 16 October 1932"),
        ("Queensland opened the bridge.", "lacks the name Queensland"),
        ("The Premier of New York opened it.", "lacks the name York"),
        ("Sixteen workers did not die.", "one denies what the other says"),
        ("The bridge carries trams.", "one denies what the other says"),
        ("It is 16 metres long.", "says 16 of something else"),
        ("Francis de Groot cut the ribbon before Jack Lang could not be stopped.", "Francis de Groot"),
    ],
)
def test_what_is_changed_is_objected_to(claim: str, objection: str) -> None:
    assert any(objection in each for each in against(claim)), against(claim)


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (
            "Ryzhenkov gave an order to the state outlets.",
            "Lukashenko gave an order to the state outlets.",
        ),
        (
            "The release took four months in three waves.",
            "The release took three months in four waves.",
        ),
        ("They left before 1932, all of them.", "They left after 1932, all of them."),
        ("It is kept with knowing of the king.", "It is kept without knowing of the king."),
        ("The tests were often unsuccessful in Ghent.", "The tests were often successful in Ghent."),
        (
            "The region asked the mayor for help in years.",
            "The region asked the mayor for help in months.",
        ),
        ("Exports raise demand for steel.", "Exports lower demand for steel."),
        ("The army seldom wins.", "The army wins."),
    ],
)
def test_what_stands_in_the_place_of_something_else_is_objected_to(claim: str, said: str) -> None:
    assert contradicted(claim, said, "en")
    assert not contradicted(said, said, "en")


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("The UN sent help.", "The United Nations sent help."),
        ("The United Nations sent help.", "The U.N. sent help."),
        ("Belarusians left.", "People of Belarus left."),
        ("Bolesław II ruled Plock.", "Boleslaw II ruled Płock."),
        ("Freeing them took years.", "Letting them go free took years."),
        ("However, prices rose.", "Prices rose."),
        ("Die Maut wurde abgeschafft.", "Abgeschafft wurde die Gebühr."),
    ],
)
def test_names_are_known_in_other_forms(claim: str, said: str) -> None:
    language = "de" if claim.startswith("Die") else "en"
    assert lacking_facts(claim, said, language) == []


def test_one_people_is_not_called_after_a_longer_name() -> None:
    assert lacking_facts("Niger left.", "Nigeria left.", "en") == ["lacks the name Niger"]
