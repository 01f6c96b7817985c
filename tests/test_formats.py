"""Documents of many formats: what is read of them, where it stands, and what harms nobody."""

import json
import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rapidfuzz.distance import LCSseq

from rag.build import build_index
from rag.config import Settings
from rag.corpus import Asked, Failure, Found, Limits, Said, Workers, read_source
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.store import IndexDirectory
from rag.types import Document
from tests import papers
from tests.conftest import shared
from tests.papers import BRIDGE, RIVER, written

LIMITS = Limits(seconds=20, memory_mb=512)
WORD = re.compile(r"\w+")


def read(
    folder: Path, limits: Limits = LIMITS
) -> tuple[dict[str, Document], dict[str, str], list[str]]:
    """Return documents, reasons of those left out, and the codes of notices."""
    found: dict[str, Document] = {}
    failed: dict[str, str] = {}
    codes: list[str] = []
    for item in read_source(folder, 64, limits=limits):
        if isinstance(item, Found):
            found[item.document.id] = item.document
            codes += [notice.code for notice in item.notices]
        elif isinstance(item, Failure):
            failed[item.doc] = item.reason
    return found, failed, codes


def one(tmp_path: Path, name: str, data: bytes | str) -> Document:
    found, failed, _ = read(written(tmp_path, {name: data}))
    assert not failed
    return found[name]


def place_of(document: Document, said: str) -> str:
    at = document.text.index(said)
    return [label for start, label in document.places if start <= at][-1]


def test_pdf_pages_are_places_and_lines_are_joined_to_paragraphs(tmp_path: Path) -> None:
    pages = (["The mill", RIVER], [BRIDGE, "The end."])
    document = one(tmp_path, "old_mill.pdf", papers.pdf(*pages))
    assert document.title == "old mill"
    assert document.text.split("\n\n") == [said.strip() for page in pages for said in page]
    assert [label for _, label in document.places] == ["page 1", "page 2"]
    assert place_of(document, "The mill") == "page 1"
    assert place_of(document, "The end.") == "page 2"


def test_a_sentence_goes_on_over_the_edge_of_a_page(tmp_path: Path) -> None:
    document = one(tmp_path, "a.pdf", papers.pdf(["The mill was built by"], ["masons from the north."]))
    assert document.text == "The mill was built by masons from the north."
    assert place_of(document, "masons") == "page 2"


@pytest.mark.parametrize("order", ["across", "right first"])
def test_columns_are_read_one_after_the_other(tmp_path: Path, order: str) -> None:
    document = one(tmp_path, "a.pdf", papers.columns(RIVER, BRIDGE, order))
    assert document.text.split("\n\n") == [
        "The River and the Bridge",
        RIVER.strip(),
        BRIDGE.strip(),
        "This note stands below both columns and reaches over the whole width.",
    ]


def test_a_pdf_without_text_says_so(tmp_path: Path) -> None:
    locked = papers.pdf(["The mill"], password="secret")
    files = {"locked.pdf": locked, "scan.pdf": papers.picture_pdf(), "blank.pdf": papers.pdf([])}
    found, failed, _ = read(written(tmp_path, files))
    assert not found
    assert "password" in failed["locked.pdf"]
    assert "pictures" in failed["scan.pdf"]
    assert failed["blank.pdf"] == "it holds no text"


def test_word_keeps_headings_lists_tables_and_comments(tmp_path: Path) -> None:
    document = one(tmp_path, "a.docx", papers.docx())
    assert document.title == "The mill"
    assert document.text == (
        "# The mill\n\nThe mill was built in 1702.\n\n# Its end\n\nThe flood took it.\n\n"
        "- nine days of rain\n\n| Year | Toll |\n|---|---|\n| 1988 | none |\n\nIs that certain?"
    )


def test_slides_are_places_and_carry_their_notes(tmp_path: Path) -> None:
    document = one(tmp_path, "a.pptx", papers.pptx())
    assert place_of(document, "A penny") == place_of(document, "Say it slowly.") == "slide 1"
    assert place_of(document, "Nine days") == "slide 2"


@pytest.mark.parametrize("name", ["tolls.xlsx", "tolls.csv", "tolls.tsv", "semicolon.csv"])
def test_rows_carry_the_names_of_their_columns(tmp_path: Path, name: str) -> None:
    rows = [["Who", "Toll", "Since"], ["man", 1, "1702"], ["horse", 2.5, ""]]
    sign = {"tolls.tsv": "\t", "semicolon.csv": ";"}.get(name, ",")
    lines = "\n".join(sign.join(str(cell) for cell in row) for row in rows)
    data = papers.xlsx({"Tolls": rows, "Empty": []}) if name == "tolls.xlsx" else lines
    document = one(tmp_path, name, data)
    assert "- Who: man; Toll: 1; Since: 1702\n- Who: horse; Toll: 2.5" in document.text
    if name == "tolls.xlsx":
        assert place_of(document, "Who: horse") == "sheet Tolls"
        assert document.text.startswith("# Tolls\n\n")


def test_open_document_text(tmp_path: Path) -> None:
    body = (
        '<text:h text:outline-level="2">Its <text:span>end</text:span></text:h>'
        "<text:p>The<text:s text:c='3'/>flood<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>In 1988.</text:p></text:note-body></text:note> took it.</text:p>"
        "<text:list><text:list-item><text:p>nine days</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    document = one(tmp_path, "a.odt", papers.odt(body))
    assert document.text == "## Its end\n\nThe flood took it.\n\nIn 1988.\n\n- nine days\n\n| a | b |"


def test_a_book_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    pages = {"b.xhtml": "<h1>One</h1><p>First.</p>", "a.xhtml": "<h1>Two</h1><p>Second.</p>"}
    document = one(tmp_path, "a.epub", papers.epub(pages))
    assert document.title == "The mill"
    assert document.text == "# One\n\nFirst.\n\n# Two\n\nSecond."


def test_a_page_gives_its_main_text(tmp_path: Path) -> None:
    page = """<!doctype html><html><head><title>The  mill</title><style>p{}</style></head><body>
    <nav><a href=x>Home</a></nav><div class="sidebar">Buy now</div>
    <main><h1>The mill <a class="headerlink">¶</a></h1><p>It was built
    in&nbsp;1702 by <b>masons</b>.<br>Then came rain.</p><ul><li>one<ul><li>two</li></ul></li></ul>
    <pre>if x:
        y</pre><table><tr><th>Year<th>Toll</tr><tr><td>1988<td>none</table>
    <p hidden>unseen</p><p style="display: none">unseen</p><script>unseen()</script></main>
    <footer>All rights</footer></body></html>"""
    document = one(tmp_path, "a.html", page)
    assert document.title == "The mill"
    assert document.text == (
        "# The mill\n\nIt was built in 1702 by masons.\nThen came rain.\n\n- one\n  - two\n\n"
        "```\nif x:\n        y\n```\n\n| Year | Toll |\n|---|---|\n| 1988 | none |"
    )


def test_a_page_in_another_encoding_is_read_in_it(tmp_path: Path) -> None:
    page = '<html><head><meta charset="iso-8859-5"></head><body><p>Мельница</p></body></html>'
    assert one(tmp_path, "a.html", page.encode("iso-8859-5")).text == "Мельница"


def test_mail_rich_text_json_and_notebooks(tmp_path: Path) -> None:
    mail = (
        "From: Ada <ada@example.org>\r\nTo: b@example.org\r\nSubject: =?utf-8?q?The_m=C3=BChle?=\r\n"
        "Date: Sat, 28 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n'
        "<p>It was built in 1702.</p>\r\n--x\r\nContent-Type: application/pdf\r\n"
        'Content-Disposition: attachment; filename="plan.pdf"\r\n\r\nxx\r\n--x--\r\n'
    )
    cells = [
        {"cell_type": "markdown", "source": ["# Tolls\n", "A penny."]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": ["2"]}}]},
    ]
    files = {
        "mail.eml": mail,
        "rich.rtf": r"{\rtf1\ansi The {\b mill} was built.\par In 1702.}",
        "value.json": json.dumps({"mill": {"built": 1702, "by": ["Ada", "Bob"]}}),
        "many.json": json.dumps([{"id": "m1", "text": "One."}, {"id": "m2", "text": "Two."}]),
        "book.ipynb": json.dumps({"cells": cells}),
    }
    found, failed, _ = read(written(tmp_path, files))
    assert not failed
    assert found["mail.eml"].title == "The mühle"
    assert found["mail.eml"].text.endswith("It was built in 1702.\n\nAttachments: plan.pdf")
    assert "From: Ada <ada@example.org>" in found["mail.eml"].text
    assert found["rich.rtf"].text == "The mill was built.\n\nIn 1702."
    assert found["value.json"].text == "- mill.built: 1702; mill.by: Ada; mill.by: Bob"
    assert (found["m1"].text, found["m2"].text) == ("One.", "Two.")
    assert found["book.ipynb"].title == "Tolls"
    assert found["book.ipynb"].text == "# Tolls\nA penny.\n\n```\n1 + 1\n```\n\n```\n2\n```"


def test_front_matter_is_meta_and_no_text(tmp_path: Path) -> None:
    front = "title: The mill\ndate: 1702-05-01\ntags: [flood, toll]\ndeep: {a: 1}"
    page = f"---\n{front}\n---\n\n# Mill\n\nText."
    document = one(tmp_path, "a.md", page)
    assert document.title == "The mill"
    assert document.meta == {"date": "1702-05-01", "tags": ["flood", "toll"]}
    assert document.text == "# Mill\n\nText."
    broken = "---\n: [\n---\nText."
    assert one(tmp_path / "b", "b.md", broken).text == broken


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


def test_a_pages_size_may_be_inherited_and_its_corners_reversed(tmp_path: Path) -> None:
    whole = papers.pdf(["The mill was built."])
    box = re.search(rb"/MediaBox \[[^]]*\]", whole)
    assert box is not None
    reversed_box = b"/MediaBox [ 420 595 0 0 ]"
    files = {
        "inherited.pdf": whole.replace(box[0], b" " * len(box[0])).replace(
            b"/Type /Pages", b"/Type /Pages " + box[0]
        ),
        "reversed.pdf": whole.replace(box[0], reversed_box.ljust(len(box[0]))),
    }
    found, failed, _ = read(written(tmp_path, files))
    assert not failed
    assert {document.text for document in found.values()} == {"The mill was built."}


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_page_is_read_as_it_is_shown(tmp_path: Path, degrees: int) -> None:
    document = one(tmp_path, "a.pdf", papers.turned(["First.", "Second.", "Third."], degrees))
    assert document.text == "First.\n\nSecond.\n\nThird."


def test_xhtml_may_close_what_html_would_not(tmp_path: Path) -> None:
    page = '<?xml version="1.0"?><html><head><title/><script src="x"/></head><body>{}</body></html>'
    books = {"a.xhtml": "<title/><p>First.</p>", "b.xhtml": '<a id="x"/><p>Second.</p>'}
    files = {"page.xhtml": page.format("<p>The mill.</p>"), "book.epub": papers.epub(books)}
    found, failed, _ = read(written(tmp_path, files))
    assert not failed
    assert found["page.xhtml"].text == "The mill."
    assert found["book.epub"].text == "First.\n\nSecond."


def test_what_a_page_shows_in_cells_captions_and_headings(tmp_path: Path) -> None:
    page = (
        "<html><body><h2><button>How do I reset?</button></h2><pre>a<br>b</pre>"
        "<table><caption>Tolls</caption><tr><td>H<sub>2</sub>O<script>x()</script><td>b</tr></table>"
        "<button>Send</button></body></html>"
    )
    text = one(tmp_path, "a.html", page).text
    assert text == "## How do I reset?\n\n```\na\nb\n```\n\nTolls\n\n| H2O | b |"
    latin = '<html><head><meta charset="iso-8859-1"></head><p>don\x92t</p></html>'
    assert one(tmp_path / "b", "b.html", latin.encode("latin-1")).text == "don’t"


def test_tables_within_tables_are_told_once(tmp_path: Path) -> None:
    document = one(tmp_path, "a.docx", papers.nested_docx())
    assert document.text == "outer\n\n| inner 1 | inner 2 |\n\nbeside\n\n# Heading\n\nA paragraph."


def test_files_with_macros_and_shows_are_read_as_their_kind(tmp_path: Path) -> None:
    types = "[Content_Types].xml"
    word = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    show = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    files = {
        "a.docm": papers.retyped(
            papers.docx(), types, word, b"application/vnd.ms-word.document.macroEnabled.main+xml"
        ),
        "a.ppsx": papers.retyped(
            papers.pptx(), types, show, show.replace(b"presentation.main", b"slideshow.main")
        ),
    }
    found, failed, _ = read(written(tmp_path, files))
    assert not failed
    assert "The mill was built in 1702." in found["a.docm"].text
    assert "A penny for a man" in found["a.ppsx"].text


def test_mail_gives_all_its_text(tmp_path: Path) -> None:
    head = (
        'From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/{}; boundary="x"\r\n\r\n'
    )
    plain, page = (
        "--x\r\nContent-Type: text/plain{}\r\n\r\n{}\r\n",
        "--x\r\nContent-Type: text/html\r\n\r\n<p>Hello.</p>\r\n",
    )
    files = {
        "blank.eml": head.format("alternative") + plain.format("", " ") + page + "--x--",
        "two.eml": head.format("mixed") + plain.format("", "One.") + plain.format("", "Two.") + "--x--",
        "odd.eml": head.format("mixed") + plain.format("; charset=x-unknown", "Three.") + "--x--",
    }
    found, failed, _ = read(written(tmp_path, files))
    assert not failed
    assert found["blank.eml"].text.endswith("Hello.")
    assert found["two.eml"].text.endswith("One.\n\nTwo.")
    assert found["odd.eml"].text.endswith("Three.")


def test_a_cell_may_hold_lines(tmp_path: Path) -> None:
    text = one(tmp_path, "a.csv", 'Who;What\nAda;"first\nsecond"\n').text
    assert text == "- Who; What\n- Who: Ada; What: first second"
    assert (
        one(tmp_path / "b", "b.csv", "Berlin;1,5\nParis;2,5\n").text == "- Berlin | 1,5\n- Paris | 2,5"
    )


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


def test_words_about_a_format_do_not_make_a_file_one(tmp_path: Path) -> None:
    said = "A file that begins with %PDF-1.7 is a PDF."
    assert one(tmp_path, "a.md", said).text == said


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


def test_a_file_that_went_bad_and_came_back_is_whole_again(tmp_path: Path, minilm: Encoder) -> None:
    good = '{"id": "a", "text": "Tea."}\n{"id": "b", "text": "Cocoa."}\n'
    seeds, directory = tmp_path / "seeds", IndexDirectory(tmp_path / "index")
    for said in (good, '{"id": "a", "text": "Coffee."}\n{"id": "b", "te\n', good):
        written(seeds, {"lines.jsonl": said})
        build_index(directory, [seeds], minilm, Settings())
    retriever = Retriever.open(tmp_path / "index", Settings())
    assert (retriever.document("a"), retriever.document("b")) == ("Tea.", "Cocoa.")


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
        "01-bomb.docx": papers.changed(papers.docx(), {"word/media/x.bin": bytes(600_000_000)}),
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
    settings = Settings(read_seconds=6, read_memory_mb=512)
    began = time.monotonic()
    report = build_index(IndexDirectory(tmp_path / "index"), [seeds], minilm, settings)
    assert time.monotonic() - began < 6 * len(files)
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
    assert answer.passages[0].locator == "page 1"


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
