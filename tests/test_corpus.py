import json
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.corpus import (
    Failure,
    File,
    Found,
    Unreadable,
    decode,
    found_in_memory,
    normalise,
    read_jsonl,
    read_source,
)
from rag.errors import CorpusError, SeedsNotFoundError
from rag.types import Document

quick = settings(deadline=None, max_examples=150)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t\r")).filter(
    str.strip
)


def read(source: Path, max_file_mb: float = 64) -> tuple[dict[str, Document], dict[str, str]]:
    items = list(read_source(source, max_file_mb))
    found = {item.document.id: item.document for item in items if isinstance(item, Found)}
    failed = {item.doc: item.reason for item in items if isinstance(item, Failure)}
    assert len(found) + len(failed) == len(items)
    return found, failed


def read_lines(*lines: str) -> list[Document | Failure]:
    return list(read_jsonl(File("c.jsonl", "\n".join(lines).encode())))


def test_ids_are_paths_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "my_own-file.txt").write_text("text")
    (tmp_path / "a.md").write_text("# The title\n\ntext")
    (tmp_path / "B.MD").write_text("no heading")
    found, failed = read(tmp_path)
    assert not failed
    assert {doc: (d.title, d.markup) for doc, d in found.items()} == {
        "a.md": ("The title", "markdown"),
        "B.MD": ("B", "markdown"),
        "deep/er/my_own-file.txt": ("my own file", "plain"),
    }
    assert list(read(tmp_path / "a.md")[0]) == ["a.md"]


def test_no_seeds_is_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(SeedsNotFoundError, match="nowhere"):
        list(read_source(tmp_path / "nowhere", 64))


@pytest.mark.parametrize("order", [1, -1])
def test_documents_come_in_the_order_of_their_paths(tmp_path: Path, order: int) -> None:
    names = ["B.txt", "a-b.txt", "a.txt", "a/b.txt", "a/é.txt", "é.txt"]
    (tmp_path / "a").mkdir()
    for name in names[::order]:
        (tmp_path / name).write_text(name)
    assert list(read(tmp_path)[0]) == names


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.txt").write_text("text")
    (tmp_path / ".secret.txt").write_text("text")
    assert read(tmp_path) == ({}, {})


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", bytes(range(256)) * 9, "binary"),
        ("a.txt", b"\x7fELF\x02\x01\x01" + b"\x03\x90\xff\xfe" * 40, "binary"),
        ("a.txt", b"", "empty"),
        ("a.md", b" \n\t\n", "empty"),
        ("a.jsonl", b"\n", "empty"),
        ("a.txt", b"\xff\xfea", "breaks at byte"),
        ("a.pdf", b"%PDF-1.7", "no whole PDF"),
        ("a.pdf", bytes(range(256)), r"no \.pdf file at all"),
        ("a.xyz", bytes(range(256)), r"no reader for \.xyz; we read .*\.md"),
        ("a.doc", bytes(range(256)), r"no reader for \.doc"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text("text")
    items = list(read_source(tmp_path, 64))
    failures = [item for item in items if isinstance(item, Failure)]
    assert len(items) == 2
    assert [failure.doc for failure in failures] == [name]
    assert re.search(reason, failures[0].reason)
    assert failures[0].lost == (reason != "empty")


def test_a_file_over_the_limit(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("x" * 1001)
    (tmp_path / "fits.txt").write_text("x" * 1000)
    found, failed = read(tmp_path, 0.001)
    assert list(found) == ["fits.txt"]
    assert "max_file_mb = 0.001" in failed["big.txt"]


def test_no_limit_is_a_limit_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    assert list(read(tmp_path, float("inf"))[0]) == ["a.txt"]


def test_links(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    (seeds / "folder").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("secret")
    (seeds / "a.txt").write_text("text")
    (seeds / "inside.txt").symlink_to("a.txt")
    (seeds / "leaves.txt").symlink_to(tmp_path / "outside.txt")
    (seeds / "dangles.txt").symlink_to("nowhere.txt")
    (seeds / "linked").symlink_to("folder", target_is_directory=True)
    (seeds / "up").symlink_to(tmp_path, target_is_directory=True)
    found, failed = read(seeds)
    assert {doc: document.text for doc, document in found.items()} == {
        "a.txt": "text",
        "inside.txt": "text",
    }
    assert failed.keys() == {"leaves.txt", "dangles.txt", "linked", "up"}
    assert "leaves the folder" in failed["leaves.txt"]
    assert "leads nowhere" in failed["dangles.txt"]
    assert "link to a folder" in failed["linked"]


def test_a_link_that_goes_in_circles(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("text")
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    found, failed = read(tmp_path)
    assert list(found) == ["good.txt"]
    assert list(failed) == ["loop.txt"]


def test_a_linked_source_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("text")
    (tmp_path / "source").symlink_to("real", target_is_directory=True)
    assert list(read(tmp_path / "source")[0]) == ["a.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "not a regular file" in read(tmp_path)[1]["pipe.txt"]


@pytest.mark.parametrize("closed", ["a.txt", "folder"])
def test_what_may_not_be_opened_is_reported(tmp_path: Path, closed: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.txt").write_text("text")
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / closed).chmod(0)
    try:
        if os.access(tmp_path / closed, os.R_OK):
            pytest.skip("this user may read anything")
        failed = read(tmp_path)[1]
    finally:
        (tmp_path / closed).chmod(0o700)
    assert list(failed) == [closed]
    assert "cannot be opened" in failed[closed]


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("text")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    found, failed = read(tmp_path)
    assert not found
    assert failed == {r"caf\xe9.txt": "its name is not valid Unicode; rename it"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_read_without_a_guess(encoding: str) -> None:
    said = "Zoë asked: “Is naïve – 5 € – fine?”\r\nNobody knew.\n" * 3
    assert decode(said.encode(encoding)) == (said, None)


def test_utf_16_big_endian_with_a_mark() -> None:
    assert decode("\ufeffgrün".encode("utf-16-be")) == ("grün", None)


@quick
@given(TEXT)
def test_utf_8_is_read_back(said: str) -> None:
    assert decode(said.encode("utf-8-sig")) == (said, None)
    if not said.startswith("\ufeff"):
        assert decode(said.encode()) == (said, None)


@quick
@given(st.binary(max_size=400))
def test_any_bytes_give_text_or_a_reason(data: bytes) -> None:
    with suppress(Unreadable):
        decode(data)[0].encode()


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("cp1252", "Der Prüfer fragte: „Wie heißt die Straße?“ Müller schwieg – für zwölf Jahre. " * 4),
        ("shift_jis", "東京は日本の首都であり、世界でも最大級の都市です。人口は約千四百万人です。" * 4),
    ],
)
def test_a_legacy_encoding_is_guessed_and_reported(tmp_path: Path, encoding: str, said: str) -> None:
    (tmp_path / "old.txt").write_bytes(said.encode(encoding))
    (item,) = read_source(tmp_path, 64)
    assert isinstance(item, Found)
    assert item.document.text == said
    assert [notice.code for notice in item.notices] == ["legacy_encoding"]
    assert "old.txt" in item.notices[0].message


def test_newlines_and_unicode_form_are_normalised(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("one\r\ntwo\rthree\ncafe\u0301".encode())
    assert read(tmp_path)[0]["a.txt"].text == "one\ntwo\nthree\ncafé"


@quick
@given(TEXT)
@example("e\r\u0301\u0323")
def test_normalising_again_changes_nothing(said: str) -> None:
    once = normalise(said)
    assert "\r" not in once
    assert normalise(once) == once


def test_bad_lines_are_named_and_the_good_ones_read(tmp_path: Path) -> None:
    lines = {
        1: '{"id": "good", "text": "text", "title": "T", "meta": {"year": 1999}}',
        2: "{",
        3: '["id"]',
        4: '{"text": "text"}',
        5: '{"id": "a"}',
        6: '{"id": "a", "text": "\\ud83d"}',
        7: '{"id": "a", "text": "t", "meta": {"k": "\\udc00"}}',
        8: '{"id": "a", "text": " "}',
        9: '{"id": "a", "text": "t", "meta": 3}',
        10: "",
        11: '{"id": "a", "text": "t", "meta": {"deep": ' + "[" * 99999 + "]" * 99999 + "}}",
        12: '{"id": "last", "text": "text"}',
    }
    (tmp_path / "c.jsonl").write_text("\n".join(lines.values()))
    found, failed = read(tmp_path)
    assert list(found) == ["good", "last"]
    assert (found["good"].title, found["good"].meta) == ("T", {"year": 1999})
    assert list(failed) == [f"c.jsonl:{n}" for n in lines if n not in (1, 10, 12)]
    assert "surrogate" in failed["c.jsonl:6"]
    assert "empty" in failed["c.jsonl:8"]


def test_a_number_too_long_for_python_is_a_bad_line() -> None:
    huge = '{"id": "a", "text": "t", "meta": {"n": ' + "1" * 5000 + "}}"
    bad, good = read_lines(huge, '{"id": "b", "text": "t"}')
    assert isinstance(bad, Failure)
    assert bad.doc == "c.jsonl:1"
    assert isinstance(good, Document)


@quick
@given(TEXT, st.booleans())
@example("a\n\u0303b", False)
def test_a_line_gives_its_text_however_it_was_escaped(said: str, ascii_only: bool) -> None:
    (document,) = read_lines(json.dumps({"id": "a", "text": said}, ensure_ascii=ascii_only))
    assert isinstance(document, Document)
    assert document.text == normalise(said)


def test_documents_in_memory() -> None:
    given = ["cafe\u0301", {"id": "b", "text": "two\r\n"}, Document("c", "three\r", "T")]
    documents = [found.document for _, found in found_in_memory(given)]
    assert [(d.id, d.text, d.title) for d in documents] == [
        ("0", "café", ""),
        ("b", "two\n", ""),
        ("c", "three\n", "T"),
    ]


@pytest.mark.parametrize(
    "bad", ["", "\ud83d", {"id": "a"}, Document("a", " "), Document("a", "\udc00")]
)
def test_a_bad_document_in_memory_is_named_by_its_place(bad: object) -> None:
    with pytest.raises(CorpusError, match=r"^Document 1 cannot be used: .*\.$"):
        list(found_in_memory(["good", bad]))  # type: ignore[list-item]


@pytest.mark.parametrize(
    "data", [b"\x00\x01\x02\x03", b"\x01\x02\x03\x04\x05\x06", b"\xff\x00\x01\x02"]
)
def test_a_few_bytes_that_are_no_text_are_binary(data: bytes) -> None:
    with pytest.raises(Unreadable, match="binary"):
        decode(data)


@pytest.mark.parametrize(
    "said",
    [
        "El niño comió piña en la cabaña.",
        "Die Straße führt über die Brücke nach Köln.",
        "Größe: 5 m",
        "café",
        "Stadt;Bürgermeister\nMünchen;Reiter\nKöln;Reker\n",
        "Ville;Élu\nOrléans;Hélène Dupré\nMâcon;Gérard Benoît\n",
        "Artikel;Preis\nKaffee;12 €\nTee;8 € – heiß\n",
        "Namn;Ort\nÅsa Öberg;Malmö\nBjörn Sjöström;Gävle\n",
    ],
)
def test_a_short_western_text_is_taken_for_nothing_else(said: str) -> None:
    assert decode(said.encode("cp1252"))[0] == said


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("cp1250", "grad;gradonačelnik\nŠibenik;Burić\nČakovec;Cividini\n"),
        (
            "cp1250",
            "Praha je hlavní a současně největší město České republiky. Leží mírně na sever od středu "
            "Čech na řece Vltavě, uvnitř Středočeského kraje, jehož je správním centrem.",
        ),
        (
            "cp1250",
            "Budapest Magyarország fővárosa, egyben legnagyobb és legnépesebb városa. Az ország "
            "politikai, művelődési, kereskedelmi és közlekedési központja, a Duna két partján.",
        ),
        ("cp1251", "Имя;Город\nОльга;Казань\nИван;Пермь\n"),
        ("cp1254", "Şehir;Nüfus\nİstanbul;15\nEskişehir;1\nMuğla;1\n"),
        ("cp1250", "Iaşi;Bucureşti;Timişoara\n"),
        ("cp1250", "Priimek;Kraj\nKovač;Ljubljana\nZupančič;Domače\nNovak;Črnuče\n"),
        ("cp1250", "Je to velká část města."),
    ],
)
def test_what_is_not_western_is_not_taken_for_it(encoding: str, said: str) -> None:
    assert decode(said.encode(encoding))[0] == said
