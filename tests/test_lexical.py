"""BM25 against the formula as one writes it down, against bm25s, and against itself in parts."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import lexical
from rag.lexical import ARRAYS, Lexical, LexicalBuilder, key

quick = settings(deadline=None, max_examples=40)

K1, B = 0.9, 0.6
Corpus = Sequence[tuple[list[str], int]]
"""Each chunk's terms, and the length that it counts as."""

WORDS = st.sampled_from(
    ["moscow", "minsk", "=moscow", "moscow minsk", "é", "東京", "\x00", "\U0001f680"]
)
CHUNKS = st.tuples(st.lists(WORDS, max_size=12), st.integers(1, 40))
CORPORA = st.lists(CHUNKS, min_size=1, max_size=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lexical")


def collected(folder: Path, corpus: Mapping[int, tuple[list[str], int]]) -> LexicalBuilder:
    builder = LexicalBuilder(folder / "scratch")
    for row, (terms, length) in corpus.items():
        builder.add(row, terms, length)
    return builder


def written(builder: LexicalBuilder, folder: Path, chunks: int) -> dict[str, bytes]:
    builder.write(folder, chunks, K1, B)
    return {name: (folder / name).read_bytes() for name in ARRAYS}


def files_of(folder: Path, corpus: Corpus) -> dict[str, bytes]:
    return written(collected(folder, dict(enumerate(corpus))), folder, len(corpus))


def opened(files: Mapping[str, bytes]) -> Lexical:
    arrays = [np.frombuffer(files[name], kind) for name, kind in ARRAYS.items()]
    return Lexical(*arrays)


def by_the_book(corpus: Corpus, query: Mapping[str, float]) -> list[float]:
    mean = sum(length for _, length in corpus) / len(corpus)
    scores = []
    for terms, length in corpus:
        score = 0.0
        for term, weight in query.items():
            df = sum(term in others for others, _ in corpus)
            idf = math.log(1 + (len(corpus) - df + 0.5) / (df + 0.5))
            tf = terms.count(term)
            score += weight * idf * tf / (tf + K1 * (1 - B + B * length / mean))
        scores.append(score)
    return scores


@quick
@given(CORPORA, st.dictionaries(WORDS, st.floats(0.1, 3), max_size=5))
def test_scores_are_lucenes(folder: Path, corpus: Corpus, query: dict[str, float]) -> None:
    found = opened(files_of(folder, corpus))
    rows = np.arange(len(corpus))
    expected = by_the_book(corpus, query)
    assert found.scores(query | {"absent": 1.0}, rows) == pytest.approx(expected, rel=1e-5)
    assert found.scores(query, rows[::-2]) == pytest.approx(expected[::-2], rel=1e-5)


@quick
@given(CORPORA, st.dictionaries(WORDS, st.floats(0.1, 3), max_size=5))
def test_no_score_exceeds_the_most(folder: Path, corpus: Corpus, query: dict[str, float]) -> None:
    found = opened(files_of(folder, corpus))
    most = found.most(query)
    assert (found.scores(query, np.arange(len(corpus))) <= most * (1 + 1e-5)).all()
    unheard = math.log(1 + (len(corpus) + 0.5) / 0.5)
    assert found.most(query | {"absent": 2.0}) == pytest.approx(most + 2 * unheard)


@quick
@given(
    st.lists(CHUNKS, min_size=1, max_size=60),
    st.dictionaries(WORDS, st.floats(0.1, 3), max_size=6),
    st.integers(1, 8),
    st.sampled_from([0.0, lexical._LONG, 0.5]),
    st.sampled_from([0, 3, lexical._FEW]),
    st.sampled_from([0.02, lexical._MANY, 0.9]),
)
def test_the_best_are_the_best_of_all(
    folder: Path, corpus: Corpus, query: dict[str, float], k: int, long: float, few: int, many: float
) -> None:
    index = opened(files_of(folder, corpus))
    rows = np.arange(len(corpus))
    scores = index.scores(query, rows)
    best = [row for row in np.lexsort((rows, -scores)).tolist() if scores[row] > 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "_LONG", long)
        patch.setattr(lexical, "_FEW", few)
        patch.setattr(lexical, "_MANY", many)
        assert index.top(query, k).tolist() == best[:k]
    odd = [row for row in best if row % 2]
    assert index.top(query, k, rows[1::2]).tolist() == odd[:k]


@quick
@given(st.lists(st.lists(WORDS, min_size=1, max_size=12), min_size=2, max_size=12))
def test_scores_are_those_of_bm25s(folder: Path, corpus: list[list[str]]) -> None:
    bm25s = pytest.importorskip("bm25s")
    theirs = bm25s.BM25(method="lucene", k1=K1, b=B)
    theirs.index(corpus, show_progress=False)
    ours = opened(files_of(folder, [(terms, len(terms)) for terms in corpus]))
    query = sorted({term for terms in corpus for term in terms})[:4]
    expected = theirs.get_scores(query)
    found = ours.scores(dict.fromkeys(query, 1.0), np.arange(len(corpus)))
    assert found == pytest.approx(expected, rel=1e-5)


@quick
@given(CORPORA)
def test_every_term_is_found_and_no_other(folder: Path, corpus: Corpus) -> None:
    index = opened(files_of(folder, corpus))
    df = Counter(term for terms, _ in corpus for term in set(terms))
    assert index.term_keys.tolist() == sorted(map(key, df))
    assert index.df([*df, "absent"]).tolist() == [*df.values(), 0]
    found = index.idf(np.array([*df.values(), 0]))
    assert found[:-1] == pytest.approx(
        [math.log(1 + (len(corpus) - count + 0.5) / (count + 0.5)) for count in df.values()]
    )
    assert (found[:-1] < found[-1]).all()


@quick
@given(
    st.lists(st.tuples(CHUNKS, st.sampled_from(["kept", "gone", "new"])), min_size=1, max_size=16),
    st.sampled_from([1, 3, lexical._BLOCK]),
)
def test_what_is_carried_over_is_as_if_built_anew(
    folder: Path, chunks: list[tuple[tuple[list[str], int], str]], block: int
) -> None:
    old = [chunk for chunk, state in chunks if state != "new"]
    now = [chunk for chunk, state in chunks if state != "gone"]
    states = [state for _, state in chunks if state != "new"]
    places = iter(
        [n for n, (_, state) in enumerate(c for c in chunks if c[1] != "gone") if state == "kept"]
    )
    moved = np.array([next(places) if state == "kept" else -1 for state in states], np.int64)
    whole = files_of(folder, now)
    before = opened(files_of(folder, old))
    fresh = {row: chunk for row, chunk in enumerate(now) if row not in moved}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "_BLOCK", block)
        builder = collected(folder, fresh)
        builder.reuse(before, moved)
        assert written(builder, folder, len(now)) == whole


@quick
@given(CORPORA, st.integers(1, 20))
def test_the_bytes_do_not_depend_on_the_block(folder: Path, corpus: Corpus, block: int) -> None:
    whole = files_of(folder, corpus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "_BLOCK", block)
        assert files_of(folder, corpus) == whole


@quick
@given(CORPORA, st.randoms(use_true_random=False))
def test_the_bytes_do_not_depend_on_the_order(folder: Path, corpus: Corpus, random: object) -> None:
    rows = list(enumerate(corpus))
    random.shuffle(rows)  # type: ignore[attr-defined]
    shuffled = written(collected(folder, dict(rows)), folder, len(corpus))
    assert shuffled == files_of(folder, corpus)


def test_a_terms_key_is_the_same_on_every_machine() -> None:
    assert key("minsk") == 0x11E049508BF616B0


def test_a_term_without_end_counts_as_often_as_there_is_room(folder: Path) -> None:
    often = opened(files_of(folder, [(["a"] * 70_000, 70_000), (["b"], 1)]))
    assert often.posting_tfs.max() == 65_535
    assert often.scores({"a": 1.0}, np.array([0]))[0] > 0


def test_no_chunk_at_all(folder: Path) -> None:
    index = opened(files_of(folder, []))
    assert index.top({"moscow": 1.0}, 5).shape == (0,)
    assert index.df(["moscow"]).tolist() == [0]


def test_nothing_is_left_beside_the_arrays(tmp_path: Path) -> None:
    files_of(tmp_path, [(["minsk"], 1)])
    assert {path.name for path in tmp_path.iterdir()} == set(ARRAYS)
