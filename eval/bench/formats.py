"""What is read of real documents of many formats: each file with its outcome, beside others' readings.

A file is compared with the text expected of it where there is one, else with what `pdftotext` or
LibreOffice extracts, where these are installed. The figure is the share of the other's words that
ours has, in their order.
"""

import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import regex

from eval.bench.rows import Options, Row, skipped
from rag.corpus import Failure, Found, Unchanged, read_source

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_AS_TEXT = (".docx", ".odt", ".rtf", ".html")
_AS_ROWS = (".xlsx", ".xls")
_ROWS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
"""LibreOffice's filter for all sheets, comma-separated, in UTF-8."""


def run(options: Options) -> list[Row]:
    """Read every file of the collection of real documents beside the development sets."""
    folder = options.data.parent / "messy"
    if not folder.is_dir():
        return [skipped("formats", "the real documents are absent")]
    if find_spec("rapidfuzz") is None:
        return [skipped("formats", "pip install rapidfuzz")]
    rows: dict[str, Row] = {}
    for item in read_source(folder, max_file_mb=64):
        assert not isinstance(item, Unchanged)
        if isinstance(item, Failure):
            rows[item.file] = skipped(f"formats.{item.file}", item.reason)
        elif item.file not in rows:
            rows[item.file] = _row(folder / item.file, item, options.scratch)
    return list(rows.values())


def _row(path: Path, item: Found, scratch: Path) -> Row:
    name, text = f"formats.{item.file}", item.document.text
    said = f"{len(text)} characters"
    if item.document.places:
        said += f", {len(item.document.places)} places"
    expected = path.parent / "expected" / f"{path.stem}.md"
    if path.parent.name != "expected" and path.suffix == ".pdf" and expected.exists():
        return _compared(name, said, text, "what is expected", expected.read_text(encoding="utf-8"))
    for other, read in _others(path, scratch):
        return _compared(name, said, text, other, read)
    return Row(name, None, note=f"{said}; read as it is, or nothing here to compare with")


def _compared(name: str, said: str, text: str, other: str, reading: str) -> Row:
    from rapidfuzz.distance import LCSseq

    words, ours = _WORD.findall(reading.lower()), _WORD.findall(text.lower())
    if not words:
        return Row(name, None, note=f"{said}; {other} has no word")
    share = LCSseq.similarity(words, ours) / len(words)
    return Row(name, share, "share", note=f"{said}; of {len(words)} words of {other}")


def _others(path: Path, scratch: Path) -> Iterator[tuple[str, str]]:
    """Yield who else can read a file, and what they read."""
    kind = path.suffix.lower()
    if kind == ".pdf" and shutil.which("pdftotext"):
        yield "pdftotext", _by_pdftotext(path)
    elif shutil.which("soffice") and kind in (*_AS_TEXT, *_AS_ROWS, ".pptx"):
        if kind in _AS_TEXT:
            made = _by_office(path, "txt:Text (encoded):UTF8", scratch)
        else:
            made = _by_office(path, _ROWS if kind in _AS_ROWS else "pdf", scratch)
        texts = [_by_pdftotext(each) if kind == ".pptx" else _text(each) for each in made]
        if texts:
            yield "LibreOffice", "\n".join(texts)


def _by_pdftotext(path: Path) -> str:
    command = ["pdftotext", "-enc", "UTF-8", str(path), "-"]
    return subprocess.run(command, capture_output=True, check=False).stdout.decode("utf-8", "replace")


def _by_office(path: Path, into: str, scratch: Path) -> list[Path]:
    """Return the files that LibreOffice made of one in the order that it made them, as of sheets."""
    folder = scratch / f"{path.parent.name}-{path.name}"
    home = f"-env:UserInstallation={(scratch / 'office').as_uri()}"
    command = ["soffice", home, "--headless", "--convert-to", into, "--outdir", str(folder), str(path)]
    subprocess.run(command, capture_output=True, timeout=180, check=False)
    return sorted(folder.glob("*"), key=lambda made: made.stat().st_mtime_ns)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
