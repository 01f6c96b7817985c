"""What was converted → `gold.jsonl` and `corpus.jsonl`, never over what stands there."""

from pathlib import Path

from eval.convert.values import Converted
from eval.draft import Line
from eval.errors import EvalError
from eval.gold import write_lines
from rag.types import Document


def write(found: Converted, out: Path) -> None:
    """Write `gold.jsonl` to a folder, and `corpus.jsonl` if there are documents.

    Raises `EvalError` where one of them stands there already, and where there is no item.
    """
    if not found.items:
        raise EvalError(f"There is nothing to write to {out}: {_why(found)}.")
    files = [out / "gold.jsonl", *([out / "corpus.jsonl"] if found.documents else [])]
    for file in files:
        if file.exists():
            raise EvalError(f"{file} stands there already and may hold edits; name another folder.")
    if found.documents:
        write_lines(files[1], map(_document, found.documents))
    write_lines(files[0], found.items)


def _why(found: Converted) -> str:
    if not found.failures:
        return "the source holds no question"
    first = found.failures[0]
    return f"all was left out ({len(found.failures)} reasons; the first, of {first.id}: {first.reason})"


def _document(document: Document) -> Line:
    value: Line = {"id": document.id, "text": document.text}
    if document.title:
        value["title"] = document.title
    if document.meta:
        value["meta"] = dict(document.meta)
    return value
