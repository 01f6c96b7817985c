"""Folders of many kinds of files: which are read, as what, and what a build makes of them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rapidfuzz.distance import LCSseq

from rag.build import build_index
from rag.config import Settings
from rag.corpus import Asked, Limits, Said, Workers, read_source
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory
from tests import papers
from tests.conftest import shared
from tests.papers import one, read, written

WORD = re.compile(r"\w+")


def test_a_wrong_ending_is_seen_through(tmp_path: Path) -> None:
    files = {
        "mill.txt": papers.pdf(["The mill was built."]),
        "mill.docx": papers.pdf(["The mill was built."]),
        "mill.pdf": "The mill was built.",
        "mill.xls": "<html><body><p>The mill was built.</p></body></html>",
        "README": "The mill was built.",
    }
    found, failed, codes = read(written(tmp_path, files))
    assert not failed
    assert {document.text for document in found.values()} == {"The mill was built."}
    assert codes == ["other_format"] * 4


def test_words_about_a_format_do_not_make_a_file_one(tmp_path: Path) -> None:
    said = "A file that begins with %PDF-1.7 is a PDF."
    assert one(tmp_path, "a.md", said).text == said


def test_ragignore_leaves_out_in_gitignores_way(tmp_path: Path) -> None:
    names = [
        "a.txt",
        "b.txt",
        "log/x.txt",
        "deep/log/x.txt",
        "deep/keep.txt",
        "deep/b.txt",
        "deep/c.txt",
    ]
    files: dict[str, bytes | str] = dict.fromkeys(names, "text")
    files[".ragignore"] = "# not these\nlog/\n/b.txt\n"
    files["deep/.ragignore"] = "*.txt\n!keep.txt\n"
    found, failed, _ = read(written(tmp_path, files))
    assert list(found) == ["a.txt", "deep/keep.txt"]
    assert not failed


def test_a_file_that_went_bad_and_came_back_is_whole_again(tmp_path: Path, minilm: Encoder) -> None:
    good = '{"id": "a", "text": "Tea."}\n{"id": "b", "text": "Cocoa."}\n'
    seeds, directory = tmp_path / "seeds", IndexDirectory(tmp_path / "index")
    for said in (good, '{"id": "a", "text": "Coffee."}\n{"id": "b", "te\n', good):
        written(seeds, {"lines.jsonl": said})
        build_index(directory, [seeds], minilm, Settings())
    retriever = Retriever.open(tmp_path / "index", Settings())
    assert (retriever.document("a"), retriever.document("b")) == ("Tea.", "Cocoa.")


def test_the_order_and_text_do_not_depend_on_how_many_read(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        f"{n:02}.pdf": papers.pdf([f"Mill {n}."] * (30 - n)) for n in range(12)
    }
    files |= {f"{n:02}.txt": f"Tea {n}." for n in range(12)}
    folder = written(tmp_path, files)
    several = [list(read_source(folder, 64, limits=Limits(processes=n))) for n in (1, 2, 5)]
    assert several[0] == several[1] == several[2]
    assert [item.file for item in several[0]] == sorted(files)


def test_a_file_that_is_as_it_was_is_not_read_again(
    tmp_path: Path, minilm: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = written(
        tmp_path / "seeds", {"a.pdf": papers.pdf(["The mill."]), "b.txt": "Tea.", "c.pdf": b"%PDF-1.4"}
    )
    directory = IndexDirectory(tmp_path / "index")
    build_index(directory, [seeds], minilm, Settings())
    asked: list[str] = []
    begin = Workers.read

    def read(self: Workers, each: Asked) -> Callable[[], Said]:
        asked.append(each["id"])
        return begin(self, each)

    monkeypatch.setattr(Workers, "read", read)
    written(seeds, {"b.txt": "Coffee."})
    report = build_index(directory, [seeds], minilm, Settings())
    assert (report.changed, report.unchanged, len(report.failed)) == (1, 1, 1)
    assert asked == ["c.pdf"]
    assert Retriever.open(tmp_path / "index", Settings()).document("a.pdf") == "The mill."


def test_a_citation_says_on_which_page_it_stands(tmp_path: Path, minilm: Encoder) -> None:
    from rag import Answerer

    pages = [f"Page {n} tells of weather in the valley." for n in range(1, 6)]
    pages[3] = "The toll of the bridge was a penny for a man."
    seeds = written(tmp_path / "seeds", {"tolls.pdf": papers.pdf(*([page] for page in pages))})
    index = tmp_path / "index"
    build_index(IndexDirectory(index), [seeds], minilm, Settings())
    answer = Answerer.open(index, Settings(threshold=0.0)).ask("What was the toll of the bridge?")
    assert answer.citations[0].quote == pages[3]
    assert answer.citations[0].locator == "page 4"
    assert answer.passages[0].locator == "page 1 – page 5"


def test_a_file_that_was_cut_to_nothing_keeps_what_was_read(tmp_path: Path, minilm: Encoder) -> None:
    seeds = written(tmp_path / "seeds", {"a.pdf": papers.pdf(["The mill."]), "b.txt": "Tea."})
    directory = IndexDirectory(tmp_path / "index")
    build_index(directory, [seeds], minilm, Settings())
    (seeds / "a.pdf").write_bytes(b"")
    report = build_index(directory, [seeds], minilm, Settings())
    assert (report.removed, report.unchanged) == (0, 2)
    assert report.failed == [{"doc": "a.pdf", "reason": "it is empty", "kept": True}]


def in_order(reference: str, said: str) -> float:
    words, ours = WORD.findall(reference.lower()), WORD.findall(said.lower())
    return LCSseq.similarity(words, ours) / len(words)


@pytest.mark.shared
def test_real_documents_give_their_text_or_a_reason() -> None:
    messy = shared("messy")
    found, failed, _ = read(messy, Limits())
    assert len(found) + len(failed) == sum(path.is_file() for path in messy.rglob("*"))
    assert {Path(doc).name for doc in failed} == {
        "MEDRPT-2024-PAT-3847_medical_report_scan.pdf",
        "MEDRPT-2024-PAT-3847_medical_report_scan.md",
        "random.bin",
        "005-libreoffice-writer-password_libreoffice-writer-password.pdf",
        "007-imagemagick-images_imagemagick-images.pdf",
    }
    for path in (messy / "markitdown" / "expected").glob("*.md"):
        document = found.get(f"markitdown/{path.stem}.pdf")
        if document is not None:
            assert in_order(path.read_text(encoding="utf-8"), document.text) >= 0.9, path.stem
    manual = found["lua-manual-html/manual.html"]
    assert "## 2.1 - Lexical Conventions" in manual.text
    paper = found["py-pdf/004-pdflatex-4-pages_pdflatex-4-pages.pdf"]
    assert [label for _, label in paper.places] == [f"page {n}" for n in range(1, 5)]
