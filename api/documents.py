"""Documents as they go over the wire: a page of their rows, and a window on one's text."""

from typing import Any

from api.problems import ProblemError
from rag.store import Snapshot


def documents_page(snapshot: Snapshot, after: str | None, limit: int) -> dict[str, Any]:
    """Return at most `limit` documents whose ids come after `after`, as `DocumentPage`."""
    first = snapshot.after(after) if after is not None else 0
    last = min(first + limit, snapshot.documents)
    rows = [_row(snapshot, number) for number in range(first, last)]
    more = last < snapshot.documents
    return {
        "documents": rows,
        "total": snapshot.documents,
        "next": rows[-1]["id"] if more and rows else None,
    }


def _row(snapshot: Snapshot, number: int) -> dict[str, Any]:
    row = snapshot.document(number)
    return {"id": row.id, "title": row.title, "meta": dict(row.meta), "language": row.language}


def document_window(
    snapshot: Snapshot, doc: str, start: int | None = None, end: int | None = None, context: int = 0
) -> dict[str, Any]:
    """Return a document's text, or `context` code points around a span of it, as `DocumentWindow`.

    Raises `ProblemError` for an unknown document and for a span that is none or not there.
    """
    start, end = end if start is None else start, start if end is None else end
    if start is not None and end is not None and start > end:
        raise ProblemError("not_found", "There is no such span: it ends before it starts.")
    span = (start, end) if start is not None and end is not None else None
    number = snapshot.find(doc)
    if number is None:
        raise ProblemError("not_found", "There is no document with this id in the index.")
    text = snapshot.document_bytes(number).decode()
    first, last = 0, len(text)
    if span is not None:
        if span[1] > len(text):
            raise ProblemError(
                "not_found", f"The document ends at {len(text)}; the span does not exist."
            )
        first, last = max(0, span[0] - context), min(len(text), span[1] + context)
    return {
        **_row(snapshot, number),
        "characters": len(text),
        "window_start": first,
        "window_end": last,
        "text": text[first:last],
        "start": span[0] if span else None,
        "end": span[1] if span else None,
        "index": {"generation": snapshot.generation, "digest": snapshot.manifest.digest},
    }
