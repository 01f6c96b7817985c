import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag import text

quick = settings(deadline=None, max_examples=150)
PIECES = [
    *"aZ é19\n\t .!?…。？,;:'\"”)]「」-–#|",
    "\n\n",
    "Dr. ",
    "e.g. ",
    "[1]",
    "1. ",
    "东京",
    "สวัสดี",
    "हि",
]
PROSE = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"])).map("".join)


@st.composite
def slices(draw: st.DrawFn) -> tuple[str, int, int]:
    whole = draw(PROSE)
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    return whole, start, end


def split(said: str) -> list[str]:
    return [said[start:end] for start, end in text.sentences(said)]


@quick
@given(slices())
@example((" a  b. \n\n c \n- d ", 0, 16))
def test_sentences_are_ordered_disjoint_trimmed_and_cover_the_slice(case: tuple[str, int, int]) -> None:
    whole, start, end = case
    covered: set[int] = set()
    last = start
    for first, stop in text.sentences(whole, start, end):
        assert last <= first < stop <= end
        assert whole[first:stop] == whole[first:stop].strip()
        covered.update(range(first, stop))
        last = stop
    assert covered >= {at for at in range(start, end) if not whole[at].isspace()}


@pytest.mark.parametrize(
    "expected",
    [
        ["It rained.", "Then it snowed!", "Why?"],
        ["Dr. Watson lives in St. Albans.", "So do I."],
        ["See Fig. 3 for the U.S. figures, e.g. 2.5 percent.", "They rose."],
        ["The answer is no.", "Nobody knew."],
        ["“Stop.”", "He did."],
        ["Rome fell. [1]", "Carthage too. [2][3]"],
        ["Rome fell. [1, 2]", "Carthage too."],
        ["Er kam z.B. mit Dr. Frank.", "Gut."],
        ["Прошло 5 тыс. лет.", "Да."],
        ["وصل القطار؟", "نعم۔"],
        ["वह आया।", "वह गया।"],
    ],
    ids=lambda expected: expected[0],
)
def test_sentences_end_where_a_reader_ends_them(expected: list[str]) -> None:
    assert split(" ".join(expected)) == expected


def test_sentences_of_scripts_without_blanks() -> None:
    assert split("雨が降った。「なぜ？」と聞いた。") == ["雨が降った。", "「なぜ？」", "と聞いた。"]


def test_a_blank_line_and_a_list_item_end_a_sentence() -> None:
    assert split("Two kinds:\n- red\n- blue\n1. first\n\nlast\nline") == [
        "Two kinds:",
        "- red",
        "- blue",
        "1. first",
        "last\nline",
    ]


@pytest.mark.parametrize("blob", ["a1" * 8000 + " and so. Next", "." * 4000 + "x"], ids=["hex", "dots"])
def test_a_blob_takes_no_quadratic_time(blob: str) -> None:
    begun = time.perf_counter()
    assert "".join(split(blob)).replace(" ", "") == blob.replace(" ", "")
    assert time.perf_counter() - begun < 1


@quick
@given(slices())
@example(("½1", 1, 2))
@example(("ﬁf", 1, 2))
def test_what_is_found_folds_to_what_was_sought(case: tuple[str, int, int]) -> None:
    whole, start, end = case
    needle = text.fold(whole[start:end]).text
    span = text.fold(whole).find(needle)
    assert (span is not None) == bool(needle)
    if span:
        assert text.fold(whole[slice(*span)]).text == needle


@quick
@given(PROSE)
def test_folded_offsets_rise_and_stay_inside(whole: str) -> None:
    folded = text.fold(whole)
    assert len(folded.origin) == len(folded.text) + 1
    assert folded.origin == sorted(folded.origin)
    assert folded.origin[-1] == len(whole)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“Don’t”  \n go", '"don\'t" go'),
        ("don´t", "don't"),
        ("5″ – 6‑7", '5" - 6-7'),
        ("STRASSE", "Straße"),
        ("ＡＢＣ１", "abc1"),
        ("soft\u00adware\u200b", "software"),
        ("… wait", "... wait"),
    ],
)
def test_fold_makes_equal_what_reads_equal(one: str, other: str) -> None:
    assert text.fold(one).text == text.fold(other).text


def test_fold_finds_the_way_back() -> None:
    said = "He said:  “Straße\u00ad 9”!"
    span = text.fold(said).find('"strasse 9"')
    assert span is not None
    assert said[slice(*span)] == "“Straße\u00ad 9”"
    assert text.fold(said).find("") is None
    assert text.fold(said).find("absent") is None


def test_squeeze_puts_text_on_one_line() -> None:
    assert text.squeeze(" a\n\n b\t c ") == "a b c"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("What is the name of the river that runs through it?", "en"),
        ("Wie heißt der Fluss, der durch die Stadt fließt?", "de"),
        ("¿Cuál es el río que pasa por la ciudad?", "es"),
        ("Кто был первым и что он сказал?", "ru"),
        ("東京の人口はどのくらいですか", "ja"),
        ("北京的人口是多少", "zh"),
        ("ما هو اسم النهر", "ar"),
        ("สวัสดีครับ", "th"),
        ("xyzzy 42", text.UNKNOWN),
        ("", text.UNKNOWN),
    ],
)
def test_language_of_a_question(said: str, code: str) -> None:
    assert text.language(said) == code


def test_language_is_one_of_those_allowed() -> None:
    assert text.language("What is the name of the river?", among=["de", "fr"]) != "en"
    assert text.language("東京の人口", among=["en"]) == text.UNKNOWN


def test_stems_join_forms_and_drop_function_words() -> None:
    assert text.stems("The cats' houses", "en") == text.stems("the cat's house", "en")
    assert text.content_stems("What is the house of the cat?", "en") == text.stems("house cat", "en")
    assert text.stems("Café", "fr") == text.stems("cafe", "fr")


def test_vowels_of_other_scripts_are_no_accents() -> None:
    assert text.stems("की") != text.stems("का")
    assert text.stems("பு") != text.stems("பி")
    assert text.stems("كِتَاب") == text.stems("كتاب")


def test_unspaced_scripts_give_pairs_of_characters() -> None:
    assert text.stems("東京都 Tokyo") == ["tokyo", "東京", "京都"]
    assert text.stems("京") == ["京"]


@quick
@given(PROSE)
def test_a_text_is_found_by_its_own_terms(whole: str) -> None:
    terms, length = text.index_terms(whole, "en")
    assert set(text.query_terms(whole, "en")) <= set(terms)
    assert length == len(text.stems(whole, "en"))
    assert all(weight > 0 for weight in text.query_terms(whole, "en").values())


@quick
@given(PROSE)
def test_terms_do_not_depend_on_the_unicode_form(whole: str) -> None:
    decomposed = unicodedata.normalize("NFD", whole)
    composed = unicodedata.normalize("NFC", whole)
    assert text.stems(decomposed) == text.stems(composed)


def test_stemming_is_safe_in_threads() -> None:
    words = " ".join(f"running{n} houses{n}" for n in range(500))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: text.stems(words, "en"), range(32)))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Die Versammlung findet am 3. Oktober um 19 Uhr statt. Alle kommen.", 2),
        ("Der Vertrag läuft bis zum 31. Dezember. Danach endet er.", 2),
        ("Møtet er 17. mai i Oslo. Alle kommer.", 2),
        ("It rose to 2020. Oktober is a month in German.", 2),
        ("There were 3. Others left.", 2),
    ],
)
def test_a_day_before_its_month_ends_no_sentence(said: str, expected: int) -> None:
    assert len(text.sentences(said)) == expected
