"""Which form a source has decides what converts it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from eval.convert.beir import convert_beir
from eval.convert.multihop import convert_multihop
from eval.convert.squad import convert_squad
from eval.convert.table import convert_csv
from eval.convert.values import Converted
from eval.errors import EvalError
from rag.config import Settings

_OF_DOCUMENTS: Mapping[str, Callable[[Path], Converted]] = {
    "squad": convert_squad,
    "beir": convert_beir,
    "multihop": convert_multihop,
}
"""Forms that bring their documents along."""
FORMS = (*_OF_DOCUMENTS, "csv")


def convert(kind: str, source: Path, seeds: Path | None = None) -> Converted:
    """Turn a question set of one of the `FORMS` into gold; `seeds` are what a CSV file quotes.

    Nothing is written. Raises `EvalError` where the source is not of that form.
    """
    if kind == "csv":
        return convert_csv(source, seeds)
    if kind not in _OF_DOCUMENTS:
        raise EvalError(f"No question set is of the form {kind!r}; we know {', '.join(FORMS)}.")
    found = _OF_DOCUMENTS[kind](source)
    notes = [*found.notes, *_notes(found, seeds)]
    return replace(found, notes=notes)


def _notes(found: Converted, seeds: Path | None) -> list[str]:
    notes = ["--seeds was left alone: the documents are the source's own."] if seeds else []
    size = sum(len(document.text.encode()) for document in found.documents) / 1e6
    if size > Settings.load().max_file_mb:
        notes.append(f"The corpus has {size:.0f} MB of text; set RAG_MAX_FILE_MB so that it is read.")
    return notes
