"""Files that a reader may die of, never end with, or be misled by: they harm nobody."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

import pytest

from rag.build import build_index
from rag.config import Settings
from rag.corpus import Limits
from rag.corpus.workers import asked_of
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory
from tests import papers
from tests.conftest import ROOT
from tests.papers import RIVER, read, written


@pytest.mark.parametrize(
    "front",
    [
        'title: "Trip \\ud83d\\ude00"',
        f"a: 0x{'f' * 5000}",
        "a: !!timestamp x",
        "a: !!bool x",
        'a: !!int ""',
        "a: &a {b: 1}\nc: {<<: [*a, *a]}",
        "[" * 3000,
    ],
)
def test_odd_front_matter_harms_nothing(tmp_path: Path, front: str) -> None:
    files = {"a.md": f"---\n{front}\n---\nText.", "b.md": "Other."}
    found, failed, _ = read(written(tmp_path, files))
    assert found["b.md"].text == "Other."
    assert "a.md" in found.keys() | failed.keys()


def test_a_module_in_the_working_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = "open('caught', 'w').close(); raise SystemExit"
    names = ("email", "csv", "json", "lxml", "selectolax", "rag")
    written(tmp_path, {f"{name}.py": trap for name in names} | {"a.html": "<p>The mill.</p>"})
    monkeypatch.chdir(tmp_path)
    found, failed, _ = read(tmp_path)
    assert not failed
    assert found["a.html"].text == "The mill."
    assert not (tmp_path / "caught").exists()


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><x>&i;</x>"
)
THIEF = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def hostile() -> dict[str, bytes | str]:
    """Return files that a reader may die of, or never end with."""
    noise = random.Random(7).randbytes
    loop = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 999999999/Kids[2 0 R 2 0 R]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    far = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
        "</sheetData></worksheet>"
    )
    wide = papers.odt('<text:p>a<text:s text:c="999999999"/>b</text:p>')
    return {
        "01-bomb.docx": papers.changed(papers.docx(), {"word/media/x.bin": bytes(520_000_000)}),
        "02-entities.docx": papers.changed(papers.docx(), {"word/document.xml": BOMB}),
        "03-entities.odt": papers.changed(papers.odt(""), {"content.xml": BOMB}),
        "04-far.xlsx": papers.changed(papers.xlsx({"a": [[1]]}), {"xl/worksheets/sheet1.xml": far}),
        "05-deep.json": "[" * 200_000,
        "06-deep.html": "<html>" + "<div>" * 300_000 + "bottom",
        "07-cut.pdf": papers.pdf([RIVER])[:700],
        "08-cut.docx": papers.docx()[:9000],
        "09-noise.pdf": b"%PDF-1.7\n" + noise(50_000),
        "10-noise.xlsx": b"PK\x03\x04" + noise(50_000),
        "11-loop.pdf": loop,
        "12-parts.epub": papers.archive({f"p{n}": "" for n in range(25_000)}),
        "13-way-out.epub": papers.epub({"a.xhtml": ""}, spine=["../../../../etc/passwd"]),
        "14-cells.ipynb": '{"cells": 7}',
        "15-braces.rtf": "{\\rtf1" + "{" * 300_000,
        "16-parts.eml": "".join(
            f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(3000)
        ),
        "17-old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 512
        + "WordDocument".encode("utf-16-le"),
        "18-locked.docx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 512
        + "EncryptedPackage".encode("utf-16-le"),
        "19-empty.pptx": b"",
        "20-archive.zip": papers.archive({"a.txt": "text"}),
        "21-picture.pdf": b"\x89PNG\r\n\x1a\n" + noise(100),
        "22-quoted.csv": 'a,b\n"' + "x" * 70_000_000,
        "23-thief.odt": papers.changed(papers.odt(""), {"content.xml": f"{THIEF}<office>&a;</office>"}),
        "24-noise.msg": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + "__properties_version1.0".encode("utf-16-le")
        + noise(9000),
        "25-blanks.odt": wide,
    }


def test_what_is_hostile_is_named_and_stops_nothing(tmp_path: Path, minilm: Encoder) -> None:
    files = hostile()
    good = {"good.txt": "Tea is green.", "good.pdf": papers.pdf(["The mill was built in 1702."])}
    seeds = written(tmp_path / "seeds", {**files, **good})
    os.mkfifo(seeds / "26-pipe.txt")
    settings = Settings(read_seconds=4, read_memory_mb=512)
    began = time.monotonic()
    report = build_index(IndexDirectory(tmp_path / "index"), [seeds], minilm, settings)
    assert time.monotonic() - began < 4 * len(files)
    failed = {said["doc"]: said["reason"] for said in report.failed}
    assert all(reason and "\n" not in reason and len(reason) < 400 for reason in failed.values())
    retriever = Retriever.open(tmp_path / "index", settings)
    read_anyway = {"06-deep.html", "15-braces.rtf", "16-parts.eml", "25-blanks.odt"} - failed.keys()
    assert failed.keys() == {*files, "26-pipe.txt"} - read_anyway
    for doc in read_anyway:
        assert len(retriever.document(doc)) < 1000
    assert "root:" not in "".join(failed.values())
    assert retriever.document("good.txt") == "Tea is green."
    assert retriever.document("good.pdf") == "The mill was built in 1702."


def test_a_reader_that_never_ends_is_ended(tmp_path: Path) -> None:
    folder = written(tmp_path, {"slow.html": "<p>" + "<b><i>" * 2_000_000, "quick.html": "<p>Tea.</p>"})
    began = time.monotonic()
    found, failed, _ = read(folder, Limits(seconds=1, memory_mb=4096))
    assert time.monotonic() - began < 30
    assert found["quick.html"].text == "Tea."
    assert failed["slow.html"] == "reading it took more than read_seconds = 1 allows"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no timers for processes")
def test_a_reader_ends_itself_where_its_builder_died(tmp_path: Path) -> None:
    folder = written(tmp_path, {"slow.html": "<p>" + "<b><i>" * 2_000_000})
    command = [sys.executable, "-m", "rag.corpus.worker", "0.2", "4096"]
    asked = asked_of(folder / "slow.html", "slow.html", "html", 100)
    with subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        assert process.wait(30) == -signal.SIGALRM
