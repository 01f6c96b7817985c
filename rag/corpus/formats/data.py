"""JSON: documents, records, or any value as lines; and notebooks."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rag.corpus.formats.written import Written
from rag.corpus.readers import File, document_from, named
from rag.corpus.values import Failure, Unreadable
from rag.types import Document

_RECORD = 600
"""Characters of a value from which each of its parts is a line of its own."""


def read_json(file: File) -> Iterator[Document | Failure]:
    """Read a list of documents (`{"id","text",…}`), or any other value as one: a line for each part."""
    value = _value(file)
    if _are_documents(value):
        for number, each in enumerate(value, 1):
            try:
                yield document_from(each)
            except Unreadable as news:
                yield Failure(f"{file.id}:{number}", str(news), file.id, news.lost)
        return
    written = Written()
    for item in value if isinstance(value, list) else [value]:
        parts = list(_parts(item))
        for said in ["; ".join(parts)] if sum(map(len, parts)) <= _RECORD else parts:
            written.item(said)
    yield written.document(file.id, named(file))


def read_notebook(file: File) -> Iterator[Document]:
    """Read a notebook: its text, its code, and what the code printed."""
    value = _value(file)
    cells = value.get("cells") if isinstance(value, Mapping) else None
    if not isinstance(cells, list):
        raise Unreadable("it is no notebook: it has no cells")
    written = Written()
    for cell in cells:
        if not isinstance(cell, Mapping):
            continue
        said = _joined(cell.get("source"))
        if cell.get("cell_type") == "markdown":
            written.markdown(said)
            continue
        written.code(said)
        for output in cell.get("outputs") or []:
            if isinstance(output, Mapping):
                data = output.get("data")
                shown = data.get("text/plain") if isinstance(data, Mapping) else None
                written.code(_joined(output.get("text") or shown))
    yield written.document(file.id, written.first_heading or named(file))


def _value(file: File) -> Any:
    try:
        return json.loads("\n".join(file.lines()))
    except RecursionError:
        raise Unreadable("it nests too deeply") from None
    except ValueError as error:
        raise Unreadable(f"it is no JSON: {error}") from None


def _are_documents(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, Mapping) and {"id", "text"} <= each.keys() for each in value)
    )


def _parts(value: Any) -> Iterator[str]:
    """Yield `path: value` for each part of a value."""
    steps: list[tuple[str, Any]] = [("", value)]
    while steps:
        path, each = steps.pop()
        if isinstance(each, Mapping):
            steps.extend(
                (f"{path}.{key}" if path else str(key), v) for key, v in reversed(list(each.items()))
            )
        elif isinstance(each, list):
            steps.extend((path, v) for v in reversed(each))
        elif each is not None and each != "":
            said = json.dumps(each) if isinstance(each, bool) else str(each)
            yield f"{path}: {said}" if path else said


def _joined(source: Any) -> str:
    if isinstance(source, list):
        return "".join(each for each in source if isinstance(each, str))
    return source if isinstance(source, str) else ""
