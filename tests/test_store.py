"""Every damaged byte is noticed and named, a rollback mends it; what readers get from a snapshot."""

import dataclasses
import gc
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import embed
from rag.build import build_documents, build_index
from rag.cli import main
from rag.config import Settings
from rag.corpus import found_in_memory
from rag.errors import (
    CorpusError,
    EncoderMismatchError,
    FilterError,
    IndexCorruptError,
    IndexFormatError,
    IndexMissingError,
    RagError,
)
from rag.retrieve import Retriever
from rag.store import IndexDirectory, Manifest, open_snapshot, verify_generation
from rag.store import snapshot as snapshots
from rag.store.layout import FILES, FORMAT, MANIFEST
from rag.stores import ivf
from rag.types import Document, Message
from tests.conftest import LetterEncoder

OLD, NEW = "gen-000001", "gen-000002"
SMALL = Settings(chunk_tokens=16, overlap_tokens=8)


def searcher(index: Path, chosen: Settings = SMALL) -> Retriever:
    directory = IndexDirectory(index)
    return Retriever(open_snapshot(directory), LetterEncoder(), chosen, directory=directory)


def built(index: Path, documents: Sequence[Any], chosen: Settings = SMALL) -> Retriever:
    encoder = LetterEncoder()
    build_documents(IndexDirectory(index), [], found_in_memory(documents), encoder, chosen)
    return searcher(index, chosen)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two generations."""
    home = tmp_path_factory.mktemp("sound")
    (home / "seeds").mkdir()
    for edition in (1, 2):
        (home / "seeds" / "a.txt").write_text(
            f"This is edition {edition} of the almanac, of Ährenfeld."
        )
        build_index(IndexDirectory(home / "index"), [home / "seeds"], LetterEncoder(), SMALL)
    return home / "index"


@pytest.fixture
def index(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "index"))


@pytest.fixture
def rag(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run the command line in this process; return its exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[Any, str, str]:
        monkeypatch.setattr("sys.argv", ["rag", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        return caught.value.code, *capsys.readouterr()

    return run


def assert_one_sentence(error: str) -> None:
    assert error.strip().endswith(".")
    assert ". " not in error
    assert "\n" not in error.strip()


def flipped(at: float) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(at * (len(data) - 1))] ^= 1
        path.write_bytes(data)

    return flip


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE = {
    "first byte": flipped(0),
    "a byte": flipped(0.3),
    "middle byte": flipped(0.5),
    "last byte": flipped(1),
    "emptied": emptied,
    "shortened": shortened,
    "lengthened": lengthened,
    "missing": Path.unlink,
    "a folder": replaced_by_a_folder,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_damage_is_named_refused_and_mended(
    name: str, damage: Callable[[Path], None], index: Path, rag: Callable[..., Any]
) -> None:
    path = index / NEW / name
    damage(path)
    code, _, said = rag("verify", "--index", index)
    assert code == 1
    assert str(path) in said
    assert sum(said.count(f"{NEW}/{each} ") for each in (*FILES, MANIFEST)) == 1
    assert_one_sentence(said)
    with pytest.raises(IndexCorruptError) as caught:
        searcher(index)
    assert str(path) in str(caught.value)
    assert_one_sentence(str(caught.value))
    assert rag("rollback", "--index", index)[0] == 0
    assert "edition 1" in searcher(index).search("almanac")[0].text


def test_a_sound_index_verifies(index: Path, rag: Callable[..., Any]) -> None:
    code, out, err = rag("verify", "--index", index, "--json")
    assert (code, err) == (0, "")
    expected = {"ok": True, "current": NEW, "generations": {OLD: [], NEW: []}}
    assert json.loads(out) == expected


def test_the_manifest_names_every_file(index: Path) -> None:
    assert {path.name for path in (index / NEW).iterdir()} == {*FILES, MANIFEST}
    assert set(open_snapshot(IndexDirectory(index)).manifest.files) == set(FILES)


def test_no_byte_of_the_manifest_may_change(index: Path) -> None:
    data = (index / NEW / MANIFEST).read_bytes()
    for at in range(len(data)):
        broken = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        with pytest.raises(IndexCorruptError):
            Manifest.parse(broken, "it")


@settings(deadline=None)
@given(st.binary())
def test_a_manifest_of_anything_else_is_damaged(data: bytes) -> None:
    with pytest.raises(IndexCorruptError):
        Manifest.parse(data, "it")


@pytest.mark.parametrize(
    "data",
    [b"null", b"[" * 100_000, b'{"format": 1, "time": {"seal": ""}, "x": "\\ud800"}'],
    ids=["no object", "too deep", "half a character"],
)
def test_a_manifest_that_json_reads_oddly_is_damaged(data: bytes) -> None:
    with pytest.raises(IndexCorruptError):
        Manifest.parse(data, "it")


def test_damage_in_an_older_generation_is_named_too(index: Path, rag: Callable[..., Any]) -> None:
    shortened(index / OLD / "texts.bin")
    code, _, said = rag("verify", "--index", index)
    assert code == 1
    assert f"{OLD}/texts.bin is damaged" in said
    assert "edition 2" in searcher(index).search("almanac")[0].text
    code, _, said = rag("rollback", "--index", index)
    assert code == 1
    assert "no whole generation before gen-000002" in said
    code, _, said = rag("rollback", OLD, "--index", index)
    assert code == 1
    assert f"{OLD} cannot be returned to" in said
    assert IndexDirectory(index).current() == NEW


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\n",
        b"gen-000002",
        b"gen-000002\ngen-000001\n",
        b"gen-2\n",
        b"\xff" * 9,
    ],
)
def test_a_damaged_current_is_refused_and_mended(
    said: bytes, index: Path, rag: Callable[..., Any]
) -> None:
    (index / "CURRENT").write_bytes(said)
    with pytest.raises(IndexCorruptError, match="rag rollback") as caught:
        searcher(index)
    assert_one_sentence(str(caught.value))
    code, _, error = rag("search", "almanac", "--index", index)
    assert code == 1
    assert "CURRENT is damaged" in error
    assert rag("rollback", "--index", index)[0] == 0
    assert IndexDirectory(index).current() == NEW
    assert "edition 2" in searcher(index).search("almanac")[0].text


def test_a_rollback_from_a_damaged_current_still_knows_the_sources(
    index: Path, rag: Callable[..., Any]
) -> None:
    sources = IndexDirectory(index).sources()
    (index / "CURRENT").write_bytes(b"")
    rag("rollback", "--index", index)
    assert IndexDirectory(index).sources() == sources


def test_a_generation_returns_with_its_own_sources(tmp_path: Path, rag: Callable[..., Any]) -> None:
    """Else what cannot be read today would be looked up in the wrong place, and lost."""
    directory = IndexDirectory(tmp_path / "index")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(f"About {name}.")
    build_index(directory, [tmp_path / "one", tmp_path / "two"], LetterEncoder(), SMALL)
    build_index(directory, [tmp_path / "one"], LetterEncoder(), SMALL)
    assert rag("rollback", "--index", directory.path)[0] == 0
    assert directory.sources() == [tmp_path / "one", tmp_path / "two"]


@pytest.mark.parametrize("at", range(len("gen-000002\n")))
def test_no_byte_of_current_breaks_more_than_the_index(index: Path, at: int) -> None:
    path = index / "CURRENT"
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(RagError):
        open_snapshot(IndexDirectory(index))


@pytest.mark.parametrize("left", [[], [MANIFEST], [*FILES][:3]])
def test_a_generation_that_is_removed_while_it_is_opened_gives_way_to_its_follower(
    index: Path, monkeypatch: pytest.MonkeyPatch, left: Sequence[str]
) -> None:
    for file in (index / OLD).iterdir():
        if file.name not in left:
            file.unlink()
    directory = IndexDirectory(index)
    names = iter([OLD])
    monkeypatch.setattr(directory, "current", lambda: next(names, NEW))
    assert open_snapshot(directory).generation == NEW
    monkeypatch.setattr(directory, "current", lambda: OLD)
    with pytest.raises(IndexCorruptError, match="missing"):
        open_snapshot(directory)


def test_rollback_goes_where_it_is_told(index: Path, rag: Callable[..., Any]) -> None:
    code, out, _ = rag("rollback", OLD, "--index", index, "--json")
    assert (code, json.loads(out)) == (0, {"generation": OLD, "before": NEW})
    assert "edition 1" in searcher(index).search("almanac")[0].text
    assert rag("rollback", NEW, "--index", index)[0] == 0
    assert "edition 2" in searcher(index).search("almanac")[0].text
    code, _, said = rag("rollback", "gen-000009", "--index", index)
    assert code == 1
    assert "there are: gen-000001, gen-000002" in said


def test_a_missing_index(tmp_path: Path, rag: Callable[..., Any]) -> None:
    with pytest.raises(IndexMissingError, match="rag build SEEDS"):
        searcher(tmp_path)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(IndexMissingError):
        searcher(tmp_path / "file")
    for command in ("verify", "status", "rollback"):
        code, out, said = rag(command, "--index", tmp_path / "none", "--json")
        assert (code, out) == (1, "")
        assert_one_sentence(said)


def test_another_format_is_refused_by_name(index: Path) -> None:
    path = index / NEW / MANIFEST
    manifest = Manifest.parse(path.read_bytes(), "it")
    newer = dataclasses.replace(manifest, format=FORMAT + 1)
    path.write_bytes(newer.sealed({"built": "tomorrow"}))
    with pytest.raises(IndexFormatError) as caught:
        searcher(index)
    assert f"format version {FORMAT + 1}, this program reads {FORMAT}" in str(caught.value)
    assert "rag build SEEDS --fresh" in str(caught.value)
    assert_one_sentence(str(caught.value))


def test_another_encoder_is_refused_and_both_are_named(index: Path) -> None:
    other = LetterEncoder()
    other.spec = dataclasses.replace(other.spec, name="runes", fingerprint="e" * 64)
    with pytest.raises(EncoderMismatchError) as caught:
        Retriever(open_snapshot(IndexDirectory(index)), other, SMALL)
    for named in ("letters", "f" * 12, "runes", "e" * 12):
        assert named in str(caught.value)


def test_cleaning_keeps_what_was_asked_and_the_users_own(index: Path) -> None:
    directory = IndexDirectory(index)
    (index / "README.md").write_text("Mine.")
    (index / ".building-dead" / "generation").mkdir(parents=True)
    (index / ".CURRENT.new").write_text("half")
    shutil.copytree(index / NEW, index / "gen-000003")
    directory.clean(2)
    assert directory.generations() == [OLD, NEW]
    directory.clean(1)
    assert {path.name for path in index.iterdir()} == {"CURRENT", ".lock", "README.md", NEW}


LIBRARY = [
    {"id": "news/a", "text": "grain sold", "title": "One", "meta": {"year": 2020, "tags": ["x", "y"]}},
    {"id": "news/b", "text": "grain sold", "title": "Two", "meta": {"year": 2021, "open": True}},
    {"id": "news2", "text": "grain sold", "meta": {"year": 1, "tags": "x"}},
    {"id": "é/ü", "text": "grain sold", "meta": {"year": "2020"}},
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    return built(tmp_path_factory.mktemp("library"), LIBRARY)


@pytest.mark.parametrize(
    ("where", "docs"),
    [
        ({"doc": "news/a"}, {"news/a"}),
        ({"doc": "news"}, set()),
        ({"doc": "news/*"}, {"news/a", "news/b"}),
        ({"doc": "news*"}, {"news/a", "news/b", "news2"}),
        ({"doc": "é/*"}, {"é/ü"}),
        ({"doc": "*"}, {"news/a", "news/b", "news2", "é/ü"}),
        ({"doc": ["news2", "é/*", "none"]}, {"news2", "é/ü"}),
        ({"title": "Two"}, {"news/b"}),
        ({"meta.year": 2020}, {"news/a"}),
        ({"meta.year": "2020"}, {"é/ü"}),
        ({"meta.year": [2020, 2021]}, {"news/a", "news/b"}),
        ({"meta.open": True}, {"news/b"}),
        ({"meta.year": True}, set()),
        ({"meta.tags": "x"}, {"news/a", "news2"}),
        ({"meta.tags": ["y", "z"]}, {"news/a"}),
        ({"meta.none": 1}, set()),
        ({"doc": "news/*", "meta.year": 2021}, {"news/b"}),
    ],
)
def test_filters(library: Retriever, where: Mapping[str, Any], docs: set[str]) -> None:
    assert {passage.doc for passage in library.search("grain", 10, where)} == docs


@pytest.mark.parametrize(
    "where", [{"year": 2020}, {"meta": 1}, {"doc": 1}, {"doc": []}, {"doc": {"a": 1}}, {"title": None}]
)
def test_an_unusable_filter_is_refused(library: Retriever, where: Mapping[str, Any]) -> None:
    with pytest.raises(FilterError) as caught:
        library.search("grain", 10, where)
    assert_one_sentence(str(caught.value))


def test_filters_come_before_the_cut(tmp_path: Path) -> None:
    crowd = [{"id": f"crowd/{n}", "text": f"grain is sold, {n} times"} for n in range(40)]
    last = {"id": "last", "text": "jazz on a quiz show", "meta": {"year": 1}}
    chosen = SMALL.model_copy(update={"candidates": 2})
    retriever = built(tmp_path, [*crowd, last], chosen)
    assert "last" not in {passage.doc for passage in retriever.search("grain sold", 3)}
    for where in ({"doc": "last"}, {"meta.year": 1}):
        assert [passage.doc for passage in retriever.search("grain sold", 1, where)] == ["last"]


PROSE = " ".join(
    f"On day {n} the {word} came to Minsk by train." for n in range(9) for word in ("ox", "é🚀")
)
WORDS = st.sampled_from(["day", "ox", "é🚀", "Minsk", "3", "train"])


@pytest.fixture(scope="module")
def long_text(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    chosen = Settings(chunk_tokens=24, overlap_tokens=12)
    folder = tmp_path_factory.mktemp("long")
    return built(folder, [PROSE, {"id": "other", "text": f"No. {PROSE}"}], chosen)


@settings(deadline=None, max_examples=50)
@given(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), st.integers(1, 30))
def test_passages_are_slices_that_do_not_overlap(
    long_text: Retriever, question: str, top_k: int
) -> None:
    passages = long_text.search(question, top_k)
    assert 1 <= len(passages) <= top_k
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)
    taken: dict[str, set[int]] = {"0": set(), "other": set()}
    for passage in passages:
        assert long_text.document(passage.doc)[passage.start : passage.end] == passage.text
        span = set(range(passage.start, passage.end))
        assert not taken[passage.doc] & span
        taken[passage.doc] |= span


def test_overlapping_hits_become_one(long_text: Retriever) -> None:
    hits = long_text.search("On which day came the ox to Minsk?", 1000)
    assert {passage.doc for passage in hits} == {"0", "other"}
    assert len(hits) == 2
    assert [passage.text for passage in hits if passage.doc == "0"] == [PROSE]
    assert all(passage.signals["hits"] > 10 for passage in hits)


def test_documents_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "open_encoder", lambda _: LetterEncoder())
    given = [
        "Foxes dig.",
        {"id": "b", "text": "Owls fly.\r\n", "title": "Owls", "meta": {"wings": 2}},
        Document("c", "Carp swim.", "Carp"),
    ]
    retriever = Retriever.from_documents(given)
    found = {p.doc: (p.text, p.title) for p in retriever.search("animals", 50)}
    assert found == {
        "0": ("Foxes dig.", ""), "b": ("Owls fly.", "Owls"), "c": ("Carp swim.", "Carp"),
    }  # fmt: skip
    assert retriever.document("b") == "Owls fly.\n"
    assert [p.doc for p in retriever.search("animals", 5, {"meta.wings": 2})] == ["b"]
    with pytest.raises(CorpusError, match="Document 1 cannot be used"):
        Retriever.from_documents(["Foxes dig.", {"id": "b"}])
    with pytest.raises(CorpusError, match="nothing was built"):
        Retriever.from_documents([])


GERMAN = "Die Abteilung wird von Herrn {} geleitet und ist für das Haus zuständig."
ENGLISH = "The mill of the town was built by {} and it was the largest of them all."


@pytest.mark.parametrize(
    ("question", "doc"),
    [
        ("Who is Mr. Schneider?", "de Schneider"),
        ("Who is Schneider of the Schneiders?", "de Schneider"),
        ("Wer ist der Herr Fischer und was ist das?", "en Fischer"),
    ],
)
def test_a_name_is_found_as_it_stands_in_a_text_of_another_language(
    tmp_path: Path, question: str, doc: str
) -> None:
    german = [{"id": f"de {name}", "text": GERMAN.format(name)} for name in ("Schneider", "Wagner")]
    english = [{"id": f"en {name}", "text": ENGLISH.format(name)} for name in ("Fischer", "Moses")]
    retriever = built(tmp_path / "index", [*german, *english])
    found = {each.doc: each.signals["lexical"] for each in retriever.search(question, 4)}
    assert found[doc] > 0
    assert not {"schneider", "fisch"} & {*retriever.retrieve(question).unknown}


def test_no_text_is_taken_for_one_of_another_script(tmp_path: Path) -> None:
    arabic = [{"id": f"ar{at}", "text": f"بني الجسر القديم على النهر عام {at}."} for at in range(5)]
    retriever = built(tmp_path / "index", [*arabic, {"id": "cs", "text": "Mlýn stojí nad řekou."}])
    assert retriever._open.snapshot.manifest.languages == {"ar": 5, "und": 1}


def test_function_words_of_a_language_that_is_not_there_find_nothing(tmp_path: Path) -> None:
    latin = "Mauris ut est e os. Ut quis purus da do. Integer sapien est, o iaculis em a."
    english = [{"id": str(at), "text": ENGLISH.format(at)} for at in range(4)]
    retriever = built(tmp_path / "index", [{"id": "latin", "text": latin}, *english])
    found = retriever.retrieve("Qui est le PDG de Microsoft ?")
    assert {each.signals["lexical"] for each in found.passages} == {0}
    assert found.unknown == ["pdg", "microsoft"]


@pytest.mark.parametrize("question", ["war", "cold war", "World War II in Europe", "Was there a war?"])
def test_one_word_makes_no_other_language(tmp_path: Path, question: str) -> None:
    said = ["It was the coldest war of them all.", *(ENGLISH.format(at) for at in range(4))]
    retriever = built(
        tmp_path / "index", [{"id": str(at), "text": each} for at, each in enumerate(said)]
    )
    found = retriever.retrieve(question)
    assert found.passages[0].doc == "0"
    assert found.passages[0].signals["lexical"] > 0
    assert "war" in found.terms
    assert not found.notices


def test_a_name_that_was_asked_of_before_is_found_in_another_language(tmp_path: Path) -> None:
    german = [{"id": f"de {name}", "text": GERMAN.format(name)} for name in ("Schneider", "Wagner")]
    english = [{"id": f"en {at}", "text": ENGLISH.format(at)} for at in range(2)]
    retriever = built(tmp_path / "index", [*german, *english])
    before = [Message("user", "Who is Mr. Schneider?"), Message("assistant", "A manager.")]
    found = retriever.retrieve("Where does he live?", history=before).passages
    assert {each.doc: each.signals["lexical"] for each in found}["de Schneider"] > 0


def test_more_than_there_is(library: Retriever) -> None:
    assert len(library.search("grain", 1000)) == len(LIBRARY)
    assert len(library.search("grain", 10**9)) == len(LIBRARY)


def test_many_questions_at_once(library: Retriever, long_text: Retriever) -> None:
    questions = ["grain", "On which day?", "é🚀 sold"]
    for retriever in (library, long_text):
        for where in (None, {"doc": "news/*"}):
            each = [retriever.search(question, 3, where) for question in questions]
            assert retriever.search_many(questions, 3, where) == each
    assert library.search_many([]) == []


def test_an_index_remembers_nothing_of_a_generation_in_the_making(index: Path) -> None:
    (index / ".building-now").mkdir()
    assert IndexDirectory(index).generations() == [OLD, NEW]
    assert [list(verify_generation(index / name)) for name in (OLD, NEW)] == [[], []]


def test_many_chunks_are_searched_by_a_file_that_is_checked_and_carried_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivf, "EXACT", 100)
    words = "mill toll flood bridge mason penny horse river church valley".split()
    texts = [f"{words[n % 10]} {words[n // 10 % 10]} {words[n // 100]} {n}." for n in range(400)]
    documents = [{"id": f"{n:03}", "text": text} for n, text in enumerate(texts)]
    index = tmp_path / "index"
    first = built(index, documents).snapshot
    found = first.manifest.search
    assert (found["kind"], found["trained"], len(first)) == ("ivf-sq8", 400, 400)
    assert found["recall"] >= 0.97
    del documents[::9]
    documents += [{"id": f"new{n}", "text": f"Sugar {n} is sweet."} for n in range(20)]
    carried = built(index, documents)
    anew = built(tmp_path / "fresh", documents)
    assert carried.snapshot.manifest.search["trained"] == 400
    assert anew.snapshot.manifest.search["trained"] == len(documents)
    assert carried.index.digest == anew.index.digest
    for question in ("Who took a penny for a horse?", "sugar 7", "toll of the river 172"):
        best = carried.search(question, 3)
        assert [each.doc for each in best] == [each.doc for each in anew.search(question, 3)]
    flipped(0.5)(index / NEW / ivf.FILE)
    with pytest.raises(IndexCorruptError, match="search"):
        open_snapshot(IndexDirectory(index))


def test_what_a_large_index_lets_go_of_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [{"id": f"{n:03}", "text": f"Mill {n} takes a toll of {n} pennies."} for n in range(40)]
    small = built(tmp_path / "index", documents)
    monkeypatch.setattr(snapshots, "LARGE", 0)
    large = built(tmp_path / "index", documents)
    for n in range(2 * snapshots.FEW):
        question = f"What toll does mill {n} take?"
        assert large.search(question) == small.search(question)
        if sys.platform == "linux":
            assert (_resident(large) == 0) == (n % snapshots.FEW == snapshots.FEW - 1)
    for where in ({"doc": "00*"}, {"doc": "nowhere*"}):
        assert large.search("toll", filter=where) == small.search("toll", filter=where)
    for rows in ([], [3], [3, 4, 5, 7, 39]):
        some = np.array(rows, np.int64)
        assert (large.snapshot.vectors_of(some) == small.snapshot.vectors[some]).all()


def _resident(retriever: Retriever) -> int:
    """Return how many kB of the mapped postings are in this process' memory, by its last mapping."""
    name = str(retriever.snapshot.folder / "posting_rows.bin")
    lines = Path("/proc/self/smaps").read_text().splitlines()
    mapped = [at for at, line in enumerate(lines) if line.endswith(name)]
    known = [int(lines[at + 4].split()[1]) for at in mapped if lines[at + 4].startswith("Rss:")]
    assert len(known) == 2, "small and large"
    return min(known)


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_a_snapshot_that_is_dropped_lets_go_of_its_files(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "LARGE", 0)
    handles = Path("/proc/self/fd")
    gc.collect()
    gc.disable()
    try:
        before = len(list(handles.iterdir()))
        for _ in range(5):
            open_snapshot(IndexDirectory(sound)).document(0)
        assert len(list(handles.iterdir())) == before
    finally:
        gc.enable()


def test_an_encoder_that_reads_less_makes_other_chunks(tmp_path: Path) -> None:
    class Short(LetterEncoder):
        spec = dataclasses.replace(LetterEncoder.spec, max_tokens=12)

    documents = [{"id": "a", "text": "The mill was built by masons. " * 20}]
    directory = IndexDirectory(tmp_path / "index")
    chunks = [
        build_documents(directory, [], found_in_memory(documents), encoder, SMALL).chunks
        for encoder in (LetterEncoder(), Short())
    ]
    fresh = IndexDirectory(tmp_path / "fresh")
    assert chunks[1] > chunks[0]
    assert build_documents(fresh, [], found_in_memory(documents), Short(), SMALL).chunks == chunks[1]
