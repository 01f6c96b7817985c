import time

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.chunk import ChunkSize, chunk_document, embedded_text, searched_text
from rag.types import Chunk, Document
from tests.conftest import LetterTokenizer

quick = settings(deadline=None, max_examples=150)
FAMILY, THUMB = "👨‍👩‍👧‍👦", "👍🏽"
PIECES = [
    *"a é1\n\t .!?|#-",
    *(
        "word ",
        "word. ",
        "w" * 40,
        "\n\n",
        "\n# H\n",
        "\n## Sub\n",
        "\nTitle\n===\n",
        "\n---\n",
        "\n- item",
    ),
    *(
        "\n```\n",
        "\n~~~",
        "\n| a | b |\n|---|---|\n| c | d |\n",
        "東京は日本の首都です。",
        "مدينة كبيرة. ",
    ),
    *(FAMILY, THUMB, "e\u0301", "a\u200d", "\u0301"),
]
PROSE = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
HEADINGS = ["# Top", "## Sub #", "### C#", "Over\n====", "Under\n--"]
BODIES = [
    "One word. Two words follow it, and then some more of them.",
    "```sh\n# no heading\nrm x\n```",
    "~~~\nno\n===\n~~~",
    "| a | b |\n|---|---|\n| # c | d |",
    "- item\n- item",
    f"東京は首都です。{FAMILY * 3} مدينة.",
]
BLOCKS = st.lists(st.sampled_from([*HEADINGS, *BODIES]), max_size=12)
SIZES = st.builds(
    lambda tokens, share: ChunkSize(tokens, tokens * share // 100),
    st.integers(2, 24),
    st.integers(0, 50),
)
MARKUP = st.sampled_from(["plain", "markdown"])
TOKENIZER = LetterTokenizer()


def count(text: str) -> int:
    return len(TOKENIZER.spans([text])[0])


def chunks(text: str, tokens: int = 8, overlap: int = 0, markup: str = "markdown") -> list[Chunk]:
    document = Document("d", text, "T", markup=markup)  # type: ignore[arg-type]
    return chunk_document(document, TOKENIZER, ChunkSize(tokens, overlap))


def texts(text: str, tokens: int = 8, overlap: int = 0) -> list[str]:
    return [chunk.text for chunk in chunks(text, tokens, overlap)]


def uncovered(text: str, found: list[Chunk]) -> set[int]:
    covered = {at for chunk in found for at in range(chunk.start, chunk.end)}
    return {at for at, char in enumerate(text) if at not in covered and not char.isspace()}


@quick
@given(PROSE, SIZES, MARKUP)
def test_a_chunk_is_its_span_and_holds_something(text: str, size: ChunkSize, markup: str) -> None:
    for chunk in chunks(text, size.tokens, size.overlap, markup):
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text.strip()


@quick
@given(PROSE, SIZES, MARKUP)
@example("A b c d. E f. G h i j k l.", ChunkSize(8, 4), "plain")
def test_no_chunk_lies_within_another(text: str, size: ChunkSize, markup: str) -> None:
    found = chunks(text, size.tokens, size.overlap, markup)
    starts, ends = [chunk.start for chunk in found], [chunk.end for chunk in found]
    assert starts == sorted(set(starts))
    assert ends == sorted(set(ends))


@quick
@given(PROSE, SIZES)
def test_every_character_of_a_plain_text_lies_in_a_chunk(text: str, size: ChunkSize) -> None:
    assert not uncovered(text, chunks(text, size.tokens, size.overlap, "plain"))


@quick
@given(BLOCKS, SIZES)
def test_every_character_but_headings_lies_in_a_chunk_and_every_heading_above_one(
    blocks: list[str], size: ChunkSize
) -> None:
    text, of_headings = "", set()
    for block in blocks:
        if block in HEADINGS:
            of_headings.update(range(len(text), len(text) + len(block)))
        text += f"{block}\n\n"
    found = chunks(text, size.tokens, size.overlap)
    assert uncovered(text, found) <= of_headings
    said = "\n".join(map(embedded_text, found))
    assert all(name in said for block in blocks for name in regex.findall(r"\b(?:Top|Over|C\b)", block))


@quick
@given(PROSE, SIZES, MARKUP)
@example("a\u200d" * 6, ChunkSize(2, 0), "plain")
@example("👨\u200d👩\u200d👧\u200d👦\u0301a", ChunkSize(2, 0), "plain")
@example("w" * 70 + "\nTitle\n===", ChunkSize(2, 0), "plain")
def test_a_chunk_keeps_to_its_size_unless_it_is_one_grapheme(
    text: str, size: ChunkSize, markup: str
) -> None:
    for chunk in chunks(text, size.tokens, size.overlap, markup):
        assert count(chunk.text) <= size.tokens or regex.fullmatch(r"\X", chunk.text)


@quick
@given(PROSE, SIZES)
@example("word " + FAMILY * 20, ChunkSize(3, 0))
@example("です。\u0301か", ChunkSize(4, 0))
def test_no_grapheme_is_cut(text: str, size: ChunkSize) -> None:
    whole = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    for chunk in chunks(text, size.tokens, size.overlap, "plain"):
        before, after = text[chunk.start - 1 : chunk.start], text[chunk.end : chunk.end + 1]
        assert chunk.start in whole or before.isspace()
        assert chunk.end in whole or after.isspace()


@pytest.mark.parametrize("blob", ["x" * 3000, "0f" * 1500, "東" * 3000, FAMILY * 400, "é" * 3000])
def test_a_text_without_any_blank_is_parted(blob: str) -> None:
    found = texts(blob, tokens=16)
    assert "".join(found) == blob
    assert len(found) > 5
    assert max(map(len, found)) <= 16 * 16


def test_a_sentence_longer_than_a_chunk_is_cut_at_blanks() -> None:
    words = [f"word{n}" for n in range(50)]
    found = texts(" ".join(words), tokens=8)
    assert " ".join(found).split() == words
    assert all(count(text) == 8 for text in found[:-1])


def test_sentences_stay_whole_where_they_fit() -> None:
    assert texts("One two. Three four. Five six. Seven.", tokens=6) == [
        "One two. Three four.",
        "Five six. Seven.",
    ]


def test_chunks_share_as_many_sentences_as_the_overlap_allows() -> None:
    assert texts("A b. C d. E f. G h. I j.", tokens=9, overlap=4) == [
        "A b. C d. E f.",
        "E f. G h. I j.",
    ]


def test_tables_and_code_part_at_lines() -> None:
    table = "| a | b |\n| c. D | d |\n| e | f |"
    assert texts(table, tokens=7) == table.split("\n")
    code = "```py\nx = 1. + y\n  # why\n```"
    assert texts(code, tokens=7) == ["```py", "x = 1. + y", "  # why\n```"]


def test_headings_are_a_path() -> None:
    text = "Before.\n# A\nOne.\n## B #\nTwo.\n### C\n\n## D\nThree.\nE  e\n===\nFour.\n# F\n"
    assert [(chunk.heading, chunk.text) for chunk in chunks(text)] == [
        ("", "Before."),
        ("A", "One."),
        ("A > B", "Two."),
        ("A > B", "### C"),
        ("A > D", "Three."),
        ("E e", "Four."),
        ("", "# F"),
    ]


def test_what_looks_like_a_heading_in_code_or_plain_text_is_none() -> None:
    text = "~~~\n# no\n~~~\n    # no\n- no\n---\n#no"
    assert {chunk.heading for chunk in chunks(text)} == {""}
    assert chunks("# no\ntext", markup="plain")[0].text == "# no\ntext"


def test_an_open_code_block_runs_to_the_end() -> None:
    assert [chunk.heading for chunk in chunks("# A\n```\n# no\nx", tokens=99)] == ["A"]


def test_a_heading_takes_no_quadratic_time() -> None:
    begun = time.perf_counter()
    assert len(chunks("# a" + " " * 20_000 + "b\n\ntext")) == 1
    assert time.perf_counter() - begun < 0.5


def test_what_is_embedded_and_searched() -> None:
    bare, headed = Chunk("d", 0, 4, "text"), Chunk("d", 0, 4, "text", "Top > Sub")
    assert (embedded_text(bare), embedded_text(headed)) == ("text", "Top > Sub\ntext")
    assert searched_text("Title", bare) == "Title\ntext"
    assert searched_text("Title", headed) == "Title Top > Sub\ntext"
    assert searched_text("Top", headed) == "Top > Sub\ntext"
