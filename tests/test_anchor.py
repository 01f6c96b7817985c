"""What becomes of a quote when its document changes."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.anchor import Resolution, resolve, sentence_digests
from eval.anchor.loss import lost_numbers
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


def test_a_number_that_grew_is_no_place_of_it_although_nothing_tells_what_stood_around() -> None:
    for number, now in (("110", "1100"), ("110", "1,110"), ("3", "3.5"), ("3", "13")):
        bare = Evidence(
            group="g1", doc="tea.md", quote=f"sold {number}" if now[0] == number[0] else number
        )
        resolution = found(bare, f"In Minsk they sold {now} pots.")
        assert not resolution.settled, (number, now)


def test_half_a_number_stands_where_it_was_anchored_as_half_a_number() -> None:
    text = "In March 2003 the shop opened."
    halved = Evidence(group="g1", doc="tea.md", quote="March 200", start=3, end=12)
    assert found(halved, text).status == "unchanged"
    assert found(row("March 200", text), f"So. {text}").status == "moved"
    assert not found(halved, f"So. {text}").settled


def test_wrong_offsets_are_only_a_hint() -> None:
    for start, end in ((3, 9), (10_000, 10_001), (TEXT.index(GREEN), 5), (TEXT.index(GREEN), None)):
        resolution = found(Evidence(group="g1", doc="tea.md", quote=GREEN, start=start, end=end), TEXT)
        assert resolution.settled
        assert resolution.status == ("unchanged" if start == TEXT.index(GREEN) else "moved")


def test_spelling_alone_is_said_and_not_settled() -> None:
    text = "Le thé est servi “au café” à midi."
    decomposed = unicodedata.normalize("NFD", text)
    for now in (decomposed, text.replace("“", '"').replace("”", '"'), text.replace(" est ", "\n est ")):
        resolution = found(row(text, text), now, "café")
        assert (resolution.status, resolution.settled) == ("edited", False)
        assert "only white space, case, quotes" in resolution.note
        assert resolution.quote == now


def test_a_letter_that_has_lost_its_accent_to_the_quote_is_cut() -> None:
    text = "Un cafe noir."
    assert not found(row("cafe", text), unicodedata.normalize("NFD", "Un café noir.")).settled


def test_part_of_a_sentence_is_found_by_what_stood_around_it() -> None:
    now = TEXT.replace("within two hours of picking", "at most three hours after picking")
    resolution = found(row("within two hours"), now, "two hours")
    assert (resolution.status, resolution.quote) == ("stale", "at most three hours")
    assert "the answer “two hours”" in resolution.note


def test_part_of_a_sentence_is_not_relocated_by_chance() -> None:
    others = {"new.md": "The shop opens for two hours a day."}
    assert found(row("two hours"), None, others=others).status == "stale"
    assert (
        found(Evidence(group="g1", doc="tea.md", quote="two hours"), None, others=others).start is None
    )
    whole = Evidence(group="g1", doc="tea.md", quote=GREEN)
    assert found(whole, None, others={"new.md": f"So. {GREEN}"}).status == "relocated"


def test_where_two_documents_hold_it_the_surroundings_decide_or_nobody() -> None:
    copy = {"a.md": f"Of tea. {GREEN}", "b.md": f"On tea. {GREEN}"}
    assert found(row(GREEN), None, others=copy).status == "stale"
    assert found(row(GREEN), None, others={**copy, "c.md": TEXT}).doc == "c.md"


def test_a_sentence_known_to_be_another_is_not_proposed() -> None:
    now = TEXT.replace("In 2008, the harvest was good.", "In 2008, the harvest was surprisingly good.")
    evidence = row("In 2008, the harvest was good.")
    twin = resolve(evidence, {"tea.md": TEXT.replace(evidence.quote or "", "")}, ())
    assert twin.quote == "In 2015, the harvest was good."
    known = sentence_digests(TEXT)
    gone = resolve(evidence, {"tea.md": TEXT.replace(evidence.quote or "", "")}, (), known)
    assert (gone.status, gone.quote) == ("stale", None)
    assert resolve(evidence, {"tea.md": now}, (), known).quote == (
        "In 2008, the harvest was surprisingly good."
    )
    blessed_too_early = resolve(evidence, {"tea.md": now}, (), sentence_digests(now))
    assert blessed_too_early.quote == "In 2008, the harvest was surprisingly good."


def test_list_marks_and_headings_are_no_part_of_a_sentence() -> None:
    text = "# Tea\n\n- It is hot.\n- It is sold in 5 cups.\n"
    resolution = found(row("It is sold in 5 cups.", text), text.replace("5 cups", "6 cups"), "5")
    assert resolution.quote == "It is sold in 6 cups."
    moved = found(row("- It is sold in 5 cups.", text), "# Other\n\n- It is sold in 5 cups.\n- No.")
    assert moved.status == "moved"


@pytest.mark.parametrize(
    ("was", "now", "gone"),
    [
        ("On 16 May, 37 left.", "On the 16th of May, thirty-seven left.", set()),
        ("It had 1,300 pages.", "It had 1300 pages.", set()),
        ("It had one hundred and ten pages.", "It had 110 pages.", set()),
        ("Two of two came.", "Two of three came.", {"2"}),
        ("It won twice.", "It won.", {"twice"}),
        ("Since 2021, six died.", "Since 2021, nine died.", {"6"}),
    ],
)
def test_numbers_are_compared_by_value(was: str, now: str, gone: set[str]) -> None:
    assert lost_numbers(was, now) == gone


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_another_number_is_always_stale_and_the_old_one_named(was: int, now: int) -> None:
    text = f"Tea is hot. The shop sold {was} pots of it in May. It is closed on Sundays."
    quote = f"The shop sold {was} pots of it in May."
    changed = text.replace(f"sold {was} pots", f"sold {now} pots")
    resolution = found(row(quote, text), changed, str(was))
    if was == now:
        assert resolution.status == "unchanged"
    else:
        assert (resolution.status, resolution.survives) == ("stale", False)
        assert f"the number {was}" in resolution.note
        assert resolution.quote == f"The shop sold {now} pots of it in May."
