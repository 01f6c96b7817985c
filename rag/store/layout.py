"""What a generation's files are called and hold. Numbers are little-endian; text is UTF-8."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from rag import lexical
from rag.errors import IndexCorruptError, IndexFormatError
from rag.types import Place

FORMAT = 3
MANIFEST = "manifest.json"
DOCUMENTS = "documents.jsonl"
DOCUMENT_TABLE = "documents.bin"
TEXTS = "texts.bin"
CHUNK_TABLE = "chunks.bin"
VECTORS = "vectors.bin"
HASHES = "hashes.bin"
HASH_BYTES = 16

DOCUMENT_DTYPE = np.dtype(
    [("line", "<i8"), ("line_end", "<i8"), ("text", "<i8"), ("text_end", "<i8"), ("chunk", "<i8")]
)
"""Bytes of its line in `DOCUMENTS` and of its text in `TEXTS`; the number of its first chunk."""

CHUNK_DTYPE = np.dtype(
    [
        ("doc", "<i4"),
        ("heading", "<i4"),
        ("start", "<i8"),
        ("end", "<i8"),
        ("text", "<i8"),
        ("text_end", "<i8"),
    ]
)
"""Document row, which of the document's headings, code points, and bytes in `TEXTS`."""

FILES = (
    DOCUMENTS,
    DOCUMENT_TABLE,
    TEXTS,
    CHUNK_TABLE,
    VECTORS,
    HASHES,
    *lexical.ARRAYS,
)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as the index keeps it, without its text."""

    id: str
    title: str
    meta: Mapping[str, Any]
    markup: str
    root: int
    """Which of the index's sources it came from."""
    file: str
    """The file below that source."""
    sha256: str
    """Of everything in the document that the index depends on."""
    language: str
    guess: str
    """The language that its text alone is taken for."""
    file_sha256: str = ""
    """Of that file's bytes; without one, of no file."""
    headings: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


def document_line(row: DocumentRow) -> bytes:
    """Return the line that keeps a document."""
    return json.dumps(asdict(row), ensure_ascii=False, sort_keys=True).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """Where a chunk stands in its document, in code points and in bytes of UTF-8."""

    heading: int
    start: int
    end: int
    text: int
    text_end: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds. All that may differ between two builds of one thing is `time`."""

    format: int
    counts: Mapping[str, int]
    settings: Mapping[str, Any]
    encoder: Mapping[str, Any]
    languages: Mapping[str, int]
    files: Mapping[str, Mapping[str, Any]]
    search: Mapping[str, Any] = field(default_factory=dict)
    """How vectors are searched, and with what recall; its file could be made anew from them."""
    digest: str = ""
    """sha256 over all of this but `digest`, `search` and `time`; names the index in answers."""
    time: Mapping[str, Any] = field(default_factory=dict)
    """When, how long, from which sources, and `seal`: the sha256 of this file without the seal."""

    def sealed(self, time: Mapping[str, Any]) -> bytes:
        """Return the bytes of the manifest file, its digest and seal filled in."""
        value = asdict(self)
        value.pop("digest"), value.pop("time"), value.pop("search")
        value["digest"] = _sha256(_dump(value))
        value["search"] = dict(self.search)
        value["time"] = dict(time)
        value["time"]["seal"] = _sha256(_dump(value))
        return _dump(value)

    @classmethod
    def parse(cls, data: bytes, where: str) -> "Manifest":
        """Return the manifest that `data` holds.

        Raises `IndexCorruptError` unless every byte is as written, `IndexFormatError` for a format
        version that this program does not know.
        """
        try:
            value = json.loads(data)
            seal = value["time"].pop("seal")
            known = value["format"]
            intact = _sha256(_dump(value)) == seal
            value["time"]["seal"] = seal
            intact = intact and _dump(value) == data
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise IndexCorruptError(_damaged(where)) from None
        if not intact:
            raise IndexCorruptError(_damaged(where))
        if known != FORMAT:
            raise IndexFormatError(
                f"{where} has format version {known}, this program reads {FORMAT}; run `rag build "
                "SEEDS --fresh` to build the index anew."
            )
        return cls(**value)


def _damaged(where: str) -> str:
    return f"{where} is damaged; run `rag rollback` to return to an earlier generation."


def _dump(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
