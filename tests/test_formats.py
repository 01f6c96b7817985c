"""Documents of many formats: what is read of them, and where it stands."""

import json
import re
from pathlib import Path

import pytest

from rag.corpus.formats import pdf
from rag.types import Document
from tests import papers
from tests.papers import BRIDGE, RIVER, one, read, written


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


def test_pdf_lines_from_right_to_left_stay_whole_around_numbers(tmp_path: Path) -> None:
    hebrew, arabic = "הגשר נבנה בשנת", "بناه"
    lam_alef = "\u0644\u0627"
    body = papers.right_to_left(
        [*hebrew, " ", "1702", " ", *"ליד", " ", *"הנהר"],
        [*arabic, " ", lam_alef, *"جئون", " ", "1709"],
    )
    text = one(tmp_path, "a.pdf", body).text
    assert "הגשר נבנה בשנת 1702 ליד הנהר" in text
    assert f"بناه {lam_alef}جئون 1709" in text


def test_pdf_numbers_do_not_say_where_a_page_begins() -> None:
    words = [pdf._Line("הגשר", 300, 400, at, at + 10) for at in (10, 30)]
    numbers = [pdf._Line("1,702", 100, 200, at, at + 10) for at in range(50, 150, 20)]
    turned = pdf._facing_right([*words, *numbers])
    assert [line.left for line in turned] == [-400] * 2 + [-200] * 5
    assert pdf._facing_right(numbers) == numbers


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
