"""What becomes of a quote when its document changes."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.anchor import Resolution, resolve
from eval.gold import Evidence

TEXT = (
    "Tea is grown on hills. Green tea is steamed within two hours of picking, so that it stays green. "
    "Black tea is left to oxidise for four hours. In 2008, the harvest was good. In 2015, the harvest "
    "was good."
)


def row(quote: str, text: str = TEXT, around: int = 32, **more: Any) -> Evidence:
    """Evidence as it is anchored when it is written."""
    start = text.index(quote)
    end = start + len(quote)
    place = {
        "start": start,
        "end": end,
        "prefix": text[max(0, start - around) : start],
        "suffix": text[end : end + around],
    }
    return Evidence(**{"group": "g1", "doc": "tea.md", "quote": quote, **place, **more})


def found(
    evidence: Evidence, text: str | None, *accepted: str, others: Mapping[str, str] | None = None
) -> Resolution:
    texts = {**({} if text is None else {"tea.md": text}), **(others or {})}
    resolution = resolve(evidence, texts, accepted)
    if resolution.start is not None:
        assert texts[resolution.doc][resolution.start : resolution.end] == resolution.quote
    if resolution.settled:
        assert resolution.quote == evidence.quote
    return resolution


GREEN = "Green tea is steamed within two hours of picking, so that it stays green."


def test_what_stands_where_it_stood_is_unchanged() -> None:
    assert found(row(GREEN), TEXT).status == "unchanged"
    bare = Evidence(group="g1", doc="tea.md", quote=GREEN)
    assert found(bare, TEXT).status == "unchanged"


def test_what_stands_elsewhere_once_has_moved() -> None:
    resolution = found(row(GREEN), f"A new first sentence. {TEXT}")
    assert (resolution.status, resolution.settled) == ("moved", True)


def test_of_several_places_the_surroundings_decide() -> None:
    evidence = row("the harvest was good", TEXT)
    moved = "Some more words. " + TEXT
    resolution = found(evidence, moved)
    assert (resolution.status, resolution.settled) == ("ambiguous", True)
    assert moved[: resolution.start].endswith("In 2008, ")
    doubtful = found(evidence, "Well, the harvest was good. And again the harvest was good.")
    assert (doubtful.status, doubtful.settled) == ("ambiguous", False)


@pytest.mark.parametrize(
    "now",
    [
        "Green tea is steamed within two hours after it was picked, so that it stays green.",
        "Green  tea is steamed within two hours\nof picking, so that it stays green.",
        "Green tea is steamed within 2 hours of picking, so that it stays green.",
    ],
)
def test_other_words_with_the_same_numbers_are_an_edit_for_a_person_to_accept(now: str) -> None:
    resolution = found(row(GREEN), TEXT.replace(GREEN, now), "two hours", "2 hours")
    assert (resolution.status, resolution.settled, resolution.survives) == ("edited", False, True)
    assert resolution.quote == now


def test_a_number_that_is_gone_is_stale_and_named() -> None:
    now = GREEN.replace("two hours", "three hours")
    resolution = found(row(GREEN), TEXT.replace(GREEN, now), "steamed")
    assert (resolution.status, resolution.settled, resolution.survives) == ("stale", False, False)
    assert resolution.quote == now
    assert "the number 2" in resolution.note


def test_an_answer_that_is_gone_is_stale_and_named() -> None:
    now = GREEN.replace("steamed", "smoked")
    resolution = found(row(GREEN), TEXT.replace(GREEN, now), "steamed")
    assert (resolution.status, resolution.settled) == ("stale", False)
    assert "“steamed”" in resolution.note


def test_a_denial_is_pointed_out() -> None:
    now = GREEN.replace("is steamed", "is not steamed")
    resolution = found(row(GREEN), TEXT.replace(GREEN, now), "steamed")
    assert not resolution.settled
    assert "denies" in resolution.note


def test_a_quote_in_another_document_is_relocated_and_never_settled() -> None:
    for text in (None, "Coffee is roasted."):
        resolution = found(row(GREEN), text, others={"new.md": f"Of tea. {GREEN} So it is."})
        assert (resolution.status, resolution.settled) == ("relocated", False)
        assert resolution.doc == "new.md"


def test_what_nothing_is_like_is_stale_and_has_no_place() -> None:
    for text in (None, "Coffee is roasted.", ""):
        resolution = found(row(GREEN), text)
        assert (resolution.status, resolution.settled) == ("stale", False)
        assert resolution.start is resolution.end is resolution.quote is None


def test_twins_are_not_taken_for_each_other() -> None:
    evidence = row("In 2008, the harvest was good.")
    resolution = found(evidence, TEXT.replace("In 2008, the harvest was good. ", ""), "2008")
    assert not resolution.settled
    assert resolution.status == "stale"


def test_a_number_inside_another_is_no_place_of_it() -> None:
    text = "They sold 110 pots a day."
    resolution = found(row("110", text), "They sold 1100 pots a day.", "110")
    assert resolution.status != "moved"
    assert not resolution.settled


def test_a_row_without_a_quote_is_its_document() -> None:
    whole = Evidence(group="g1", doc="tea.md", grade=2)
    assert found(whole, TEXT).settled
    assert found(whole, None).status == "stale"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("绿茶在采摘后两小时内蒸青。红茶要氧化四个小时。", "红茶要氧化四个小时。"),
        ("Le thé vert est étuvé. Le thé noir s’oxyde.", "Le thé noir s’oxyde."),
        ("👩🏽‍🌾 picks tea. 👩🏽‍🌾 sells tea.", "👩🏽‍🌾 sells tea."),
        ("الشاي الأخضر يُبخّر. الشاي الأسود يتأكسد.", "الشاي الأسود يتأكسد."),
    ],
)
def test_every_script_is_found_again_by_code_points(text: str, quote: str) -> None:
    resolution = found(row(quote, text), f"😀 {text}")
    assert (resolution.status, resolution.settled) == ("moved", True)
    assert resolution.start == text.index(quote) + 2


words = st.lists(st.sampled_from("tea milk 37 four not hill In a".split()), min_size=1, max_size=9)
sentence = words.map(lambda said: " ".join(said).capitalize() + ".")
document = st.lists(sentence, min_size=1, max_size=6).map(" ".join)


@given(document, document, st.data())
def test_whatever_happens_only_the_quote_itself_settles(
    before: str, after: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(before) - 1))
    end = data.draw(st.integers(start + 1, len(before)))
    if before[start:end].strip():
        found(row(before[start:end], before), after, "37", others={"other.md": before + after})


@given(document, sentence, st.data())
def test_text_put_before_moves_a_quote_that_stands_once(
    text: str, inserted: str, data: st.DataObject
) -> None:
    whole = f"Zebra opens. {text} Zebra closes it."
    quote = data.draw(st.sampled_from(["Zebra opens.", "Zebra closes it."]))
    now = f"{inserted} {whole}"
    resolution = found(row(quote, whole), now)
    assert (resolution.settled, resolution.start) == (True, now.index(quote))
