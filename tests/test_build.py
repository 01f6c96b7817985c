"""A build that carries things over is, byte for byte, the build from nothing; it embeds only news."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.build import BuildReport, build_index, plan_sources, run
from rag.config import Settings
from rag.embed import open_encoder
from rag.errors import (
    CorpusError,
    DuplicateIdError,
    IndexCorruptError,
    SeedsNotFoundError,
    SourcesChangedError,
)
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory, open_snapshot, verify_generation
from rag.store.layout import MANIFEST
from rag.types import Vectors
from tests.conftest import ROOT, LetterEncoder

SMALL = Settings(chunk_tokens=16, overlap_tokens=0)
GERMAN = "Der Bauer und die Frau sind in der Stadt und nicht auf dem Land."
ENGLISH = "The farmer and his wife are in the town and not on the land."
LONG = " ".join(f"Sentence number {n} has exactly these eight words." for n in range(12))
BINARY = bytes(range(256))


class Workshop:
    """Seeds with an index beside them."""

    def __init__(self, home: Path) -> None:
        self.seeds = home / "seeds"
        self.directory = IndexDirectory(home / "index")
        self.seeds.mkdir(parents=True, exist_ok=True)

    def write(self, texts: Mapping[str, str]) -> None:
        """Have these seeds and no others."""
        for path in self.seeds.iterdir():
            path.unlink()
        for name, text in texts.items():
            (self.seeds / name).write_text(text, "utf-8")

    def build(self, chosen: Settings = SMALL, encoder: Encoder | None = None) -> BuildReport:
        return build_index(self.directory, [self.seeds], encoder or LetterEncoder(), chosen)

    def embedded(self, chosen: Settings = SMALL) -> list[str]:
        """Build, and return what was embedded for it."""
        encoder = LetterEncoder()
        report = self.build(chosen, encoder)
        assert report.embedded == len(encoder.embedded)
        assert report.reused == report.chunks - report.embedded
        return encoder.embedded

    def documents(self) -> list[str]:
        snapshot = open_snapshot(self.directory)
        return [snapshot.document(number).id for number in range(snapshot.documents)]

    def text(self, doc: str) -> str:
        return open_snapshot(self.directory).text(doc)

    def search(self, question: str) -> set[str]:
        snapshot = open_snapshot(self.directory)
        return {p.doc for p in Retriever(snapshot, LetterEncoder(), SMALL).search(question, 100)}


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def files(directory: IndexDirectory) -> dict[str, Any]:
    """Return every file of the published generation; of the manifest all but its time."""
    folder = directory.folder(directory.current())
    found: dict[str, Any] = {path.name: path.read_bytes() for path in folder.iterdir()}
    found[MANIFEST] = json.loads(found[MANIFEST]) | {"time": None}
    return found


def from_nothing(shop: Workshop, chosen: Settings = SMALL) -> dict[str, Any]:
    """Return the files of a new index of the same seeds."""
    number = sum(1 for _ in shop.directory.path.parent.iterdir())
    directory = IndexDirectory(shop.directory.path.with_name(f"new-{number}"))
    build_index(directory, [shop.seeds], LetterEncoder(), chosen)
    return files(directory)


BEFORE = {"a.txt": ENGLISH, "b.md": f"# Farms\n\n{LONG}", "c.txt": LONG, "é.txt": "東京 é 🚀. " * 9}


@pytest.mark.parametrize(
    "after",
    [
        BEFORE | {"c.txt": LONG.replace("number 3", "number three")},
        BEFORE | {"b0.txt": ENGLISH, "z.txt": LONG[::-1]},
        {"a.txt": ENGLISH, "é.txt": BEFORE["é.txt"]},
        {"0.txt": BEFORE["a.txt"], "b.md": BEFORE["b.md"], "d.txt": LONG},
        BEFORE | {"d.txt": GERMAN, "e.txt": GERMAN},
        {"b.md": LONG},
    ],
    ids=["changed", "added", "removed", "renamed", "another language", "all but nothing"],
)
def test_bringing_up_to_date_is_building_anew(shop: Workshop, after: dict[str, str]) -> None:
    shop.write(BEFORE)
    shop.build()
    shop.write(after)
    shop.build()
    assert shop.directory.current() == "gen-000002"
    assert files(shop.directory) == from_nothing(shop)


NAMES = st.sampled_from(["a.txt", "b.md", "c.txt", "ü.md"])
TEXTS = st.lists(
    st.sampled_from([ENGLISH, GERMAN, LONG, "# Title", "## Part", "\n\n", "Ähre 東京 🚀."]),
    min_size=1,
    max_size=4,
).map(lambda parts: "\n".join([*parts, "end"]))


@settings(deadline=None, max_examples=15)
@given(st.lists(st.dictionaries(NAMES, TEXTS, min_size=1), min_size=2, max_size=4))
def test_any_history_is_building_anew(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, str]]
) -> None:
    shop = Workshop(tmp_path_factory.mktemp("history"))
    for texts in history:
        shop.write(texts)
        shop.build()
    assert files(shop.directory) == from_nothing(shop)


def test_order_of_files_and_queue_leave_no_trace(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write(BEFORE)
    shop.build()
    shop.write(dict(reversed(BEFORE.items())))
    batches: list[int] = []
    embed = LetterEncoder.encode_passages

    def counted(self: LetterEncoder, texts: Sequence[str]) -> Vectors:
        batches.append(len(texts))
        return embed(self, texts)

    monkeypatch.setattr(LetterEncoder, "encode_passages", counted)
    for queue, number in (((1, 1), 4), ((14, 1000), 2), ((1000, 1000), 1)):
        monkeypatch.setattr(run, "QUEUE", queue)
        batches.clear()
        assert from_nothing(shop) == files(shop.directory)
        assert len(batches) == number


def test_threads_leave_no_trace(seed_index: Path, tmp_path: Path) -> None:
    directory = IndexDirectory(tmp_path)
    one = Settings(threads=1)
    build_index(directory, [ROOT / "seeds"], open_encoder(one), one)
    assert files(directory) == files(IndexDirectory(seed_index))


def test_only_what_changed_is_embedded(shop: Workshop) -> None:
    shop.write(BEFORE)
    first = shop.embedded()
    assert len(first) == open_snapshot(shop.directory).manifest.counts["chunks"]
    shop.write(BEFORE | {"c.txt": LONG.replace("number 3", "number three"), "d.txt": ENGLISH + " So."})
    news = shop.embedded()
    assert [text for text in news if "three" in text or text.endswith("So.")] == news
    assert len(news) == 2


def test_a_renamed_document_is_not_embedded_again(shop: Workshop) -> None:
    shop.write({"a.txt": LONG})
    shop.build()
    shop.write({"b.txt": LONG})
    assert shop.embedded() == []
    assert shop.documents() == ["b.txt"]


def test_the_report_counts(shop: Workshop) -> None:
    shop.write(BEFORE)
    report = shop.build()
    assert (report.added, report.changed, report.removed, report.unchanged) == (4, 0, 0, 0)
    shop.write({"a.txt": "Changed.", "b.md": BEFORE["b.md"], "new.txt": "New."})
    report = shop.build()
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 2, 1)
    assert report.generation == shop.directory.current()


def test_a_removed_document_is_gone(shop: Workshop) -> None:
    shop.write({"a.txt": "A zebra is striped.", "b.txt": "Another zebra is not."})
    shop.build()
    assert shop.search("zebra") == {"a.txt", "b.txt"}
    shop.write({"b.txt": "Another zebra is not."})
    shop.build()
    assert shop.search("zebra") == shop.search("striped") == {"b.txt"}
    with pytest.raises(KeyError):
        shop.text("a.txt")


def test_no_rollback_is_promised_where_no_generation_is_kept(shop: Workshop) -> None:
    shop.write({"a.txt": ENGLISH})
    shop.build()
    shop.write({})
    report = shop.build(SMALL.model_copy(update={"keep_generations": 1}))
    assert [notice.message for notice in report.warnings] == ["Every document is gone from the seeds."]


def test_the_last_document_may_go(shop: Workshop) -> None:
    shop.write({"a.txt": ENGLISH})
    shop.build()
    shop.write({})
    report = shop.build()
    assert report.removed == 1
    assert [notice.code for notice in report.warnings] == ["all_removed"]
    assert "rollback" in report.warnings[0].message
    assert shop.search("farmer") == set()
    shop.write({"a.txt": ENGLISH})
    shop.build()
    assert shop.search("farmer") == {"a.txt"}
    assert files(shop.directory) == from_nothing(shop)


def test_nothing_new_publishes_nothing(shop: Workshop) -> None:
    shop.write(BEFORE)
    shop.build()
    before = shop.directory.path.joinpath("CURRENT").stat()
    encoder = LetterEncoder()
    report = shop.build(encoder=encoder)
    assert (report.generation, report.unchanged, report.embedded) == ("gen-000001", 4, 0)
    assert encoder.embedded == []
    assert shop.directory.generations() == ["gen-000001"]
    assert shop.directory.path.joinpath("CURRENT").stat() == before


def test_a_published_generation_never_changes(shop: Workshop) -> None:
    shop.write(BEFORE)
    shop.build()
    before = files(shop.directory)
    shop.write({"a.txt": GERMAN})
    shop.build()
    shop.directory.point_to("gen-000001")
    assert files(shop.directory) == before


def test_what_cannot_be_read_today_keeps_its_last_version(shop: Workshop) -> None:
    shop.write({"a.txt": ENGLISH, "b.txt": LONG})
    shop.build()
    (shop.seeds / "a.txt").write_bytes(BINARY)
    (shop.seeds / "never.txt").write_bytes(BINARY)
    (shop.seeds / "b.txt").write_text("New.")
    failed = {failure["doc"]: failure.get("kept", False) for failure in shop.build().failed}
    assert failed == {"a.txt": True, "never.txt": False}
    assert shop.text("a.txt") == ENGLISH
    assert shop.build().generation == "gen-000002"
    shop.build(SMALL.model_copy(update={"chunk_tokens": 20}))
    assert shop.text("a.txt") == ENGLISH
    (shop.seeds / "a.txt").write_text("Back.")
    assert [failure["doc"] for failure in shop.build().failed] == ["never.txt"]
    assert shop.text("a.txt") == "Back."


def test_what_was_emptied_is_gone(shop: Workshop) -> None:
    shop.write({"a.txt": ENGLISH, "b.txt": LONG})
    shop.build()
    (shop.seeds / "a.txt").write_text("")
    report = shop.build()
    assert report.removed == 1
    assert [failure.get("kept", False) for failure in report.failed] == [False]
    assert shop.documents() == ["b.txt"]


def test_a_broken_line_keeps_its_document(shop: Workshop) -> None:
    lines = [json.dumps({"id": doc, "text": f"About {doc}."}) for doc in ("one", "two")]
    shop.write({"all.jsonl": "\n".join(lines)})
    shop.build()
    shop.write({"all.jsonl": f"{lines[0]}\n{lines[1][:-5]}"})
    assert [failure["kept"] for failure in shop.build().failed] == [True]
    assert shop.documents() == ["one", "two"]
    shop.write({"all.jsonl": lines[0]})
    shop.build()
    assert shop.documents() == ["one"]


def test_one_id_twice_names_both_files(shop: Workshop) -> None:
    shop.write({"a.txt": ENGLISH, "all.jsonl": json.dumps({"id": "a.txt", "text": GERMAN})})
    with pytest.raises(DuplicateIdError) as caught:
        shop.build()
    assert "'a.txt'" in str(caught.value)
    assert str(shop.seeds / "a.txt") in str(caught.value)
    assert str(shop.seeds / "all.jsonl") in str(caught.value)
    assert not shop.directory.exists()


def test_seeds_without_a_document(shop: Workshop) -> None:
    with pytest.raises(CorpusError, match="nothing was built"):
        shop.build()
    (shop.seeds / "a.txt").write_bytes(BINARY)
    with pytest.raises(CorpusError, match=r"a\.txt: it is binary"):
        shop.build()
    assert not shop.directory.exists()
    assert {path.name for path in shop.directory.path.iterdir()} <= {".lock"}


def test_sources_are_remembered(tmp_path: Path) -> None:
    one, two = Workshop(tmp_path), Workshop(tmp_path / "other")
    one.write({"a.txt": ENGLISH})
    two.write({"b.txt": LONG})

    def plan(*given: Path, add: bool = False, replace: bool = False) -> list[Path]:
        return plan_sources(one.directory, given, tmp_path / "default", add, replace)

    assert plan() == [tmp_path / "default"]
    one.build()
    assert plan() == plan(one.seeds) == one.directory.sources() == [one.seeds]
    with pytest.raises(SourcesChangedError, match=r"--add .* --replace") as caught:
        plan(two.seeds)
    assert str(one.seeds) in str(caught.value)
    assert str(two.seeds) in str(caught.value)
    assert plan(two.seeds, replace=True) == [two.seeds]
    both = sorted([one.seeds, two.seeds])
    assert plan(two.seeds, add=True) == both
    encoder = LetterEncoder()
    build_index(one.directory, both, encoder, SMALL)
    assert one.documents() == ["a.txt", "b.txt"]
    assert ENGLISH not in encoder.embedded
    assert plan() == plan(two.seeds) == both


def test_an_index_that_moves_with_its_seeds_still_knows_them(tmp_path: Path) -> None:
    shop = Workshop(tmp_path / "here")
    shop.write({"a.txt": ENGLISH})
    shop.build()
    (tmp_path / "here").rename(tmp_path / "there")
    moved = Workshop(tmp_path / "there")
    assert moved.directory.sources() == [moved.seeds]
    assert moved.build().generation == "gen-000001"


def test_a_source_that_is_gone_takes_nothing_with_it(shop: Workshop) -> None:
    shop.write({"a.txt": ENGLISH})
    shop.build()
    shop.seeds.rename(shop.seeds.with_name("elsewhere"))
    with pytest.raises(SeedsNotFoundError):
        shop.build()
    assert shop.search("farmer") == {"a.txt"}


@pytest.mark.parametrize("changed", [{"k1": 1.5}, {"b": 0.1}])
def test_other_weights_need_no_vectors(shop: Workshop, changed: dict[str, float]) -> None:
    shop.write(BEFORE)
    shop.build()
    chosen = SMALL.model_copy(update=changed)
    assert shop.embedded(chosen) == []
    assert files(shop.directory) == from_nothing(shop, chosen)


def test_other_chunks_reuse_the_vectors_of_the_same_texts(shop: Workshop) -> None:
    shop.write(BEFORE)
    shop.build()
    chosen = SMALL.model_copy(update={"chunk_tokens": 40})
    news = shop.embedded(chosen)
    assert ENGLISH not in news
    assert news
    assert files(shop.directory) == from_nothing(shop, chosen)


def test_another_encoder_embeds_everything(shop: Workshop, minilm: Encoder) -> None:
    shop.write({"a.txt": ENGLISH})
    shop.build()
    report = shop.build(encoder=minilm)
    assert (report.generation, report.embedded) == ("gen-000002", 1)
    assert open_snapshot(shop.directory).vectors.shape == (1, minilm.spec.dimension)


def test_generations_are_kept_as_many_as_are_asked_for(shop: Workshop) -> None:
    chosen = SMALL.model_copy(update={"keep_generations": 2})
    for number in range(4):
        shop.write({"a.txt": f"Edition {number}."})
        shop.build(chosen)
    assert shop.directory.generations() == ["gen-000003", "gen-000004"]
    shop.build(SMALL.model_copy(update={"keep_generations": 1}))
    assert shop.directory.generations() == ["gen-000004"]
    assert not any(verify_generation(shop.directory.folder("gen-000004")))


def test_a_build_after_a_rollback_goes_on_from_there(shop: Workshop) -> None:
    for number in range(3):
        shop.write({"a.txt": f"Edition {number}."})
        shop.build()
    shop.directory.point_to("gen-000001")
    shop.build()
    assert shop.directory.current() == "gen-000004"
    assert shop.text("a.txt") == "Edition 2."
    assert "gen-000001" in shop.directory.generations()


def test_a_damaged_index_is_built_anew_and_says_so(shop: Workshop) -> None:
    shop.write(BEFORE)
    shop.build()
    path = shop.directory.folder("gen-000001") / "vectors.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IndexCorruptError):
        open_snapshot(shop.directory)
    report = shop.build()
    assert [notice.code for notice in report.warnings] == ["rebuilt_whole"]
    assert report.reused == 0
    assert files(shop.directory) == from_nothing(shop)


def test_fresh_carries_nothing_over(shop: Workshop) -> None:
    shop.write(BEFORE)
    shop.build()
    before = files(shop.directory)
    report = build_index(shop.directory, [shop.seeds], LetterEncoder(), SMALL, fresh=True)
    assert (report.generation, report.reused, report.added) == ("gen-000002", 0, 4)
    assert files(shop.directory) == before


def test_a_source_inside_another_is_refused(shop: Workshop) -> None:
    (shop.seeds / "deep").mkdir()
    with pytest.raises(CorpusError, match="lies in"):
        plan_sources(shop.directory, [shop.seeds, shop.seeds / "deep"], shop.seeds, False, False)


def test_an_index_among_the_seeds_is_not_indexed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.")
    directory = IndexDirectory(tmp_path / "index")
    build_index(directory, [tmp_path], LetterEncoder(), SMALL)
    (tmp_path / "a.txt").write_text("Two.")
    report = build_index(directory, [tmp_path], LetterEncoder(), SMALL)
    assert (report.changed, report.failed) == (1, [])


def test_a_folder_that_cannot_be_opened_keeps_its_documents(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write({"a.txt": "One."})
    (shop.seeds / "deep").mkdir()
    (shop.seeds / "deep" / "b.txt").write_text("Two.")
    shop.build()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = shop.build()
    assert report.removed == 0
    assert [(failure["doc"], failure["kept"]) for failure in report.failed] == [("deep", True)]


def test_chunks_longer_than_the_encoder_reads_are_said_to_be_cut(shop: Workshop) -> None:
    shop.write({"a.txt": "One."})
    report = shop.build(Settings(chunk_tokens=4000))
    assert "chunk_tokens_cut" in [notice.code for notice in report.warnings]
