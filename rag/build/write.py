"""Writes documents one by one; their chunks' vectors follow in the same order, a queue behind."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO, cast

import numpy as np

from rag import text
from rag.build.gather import Entry, spooled
from rag.chunk import ChunkSize, chunk_document, embedded_text, searched_text
from rag.config import Settings
from rag.protocols import Encoder
from rag.store import ChunkRow, DocumentRow, GenerationWriter, Snapshot
from rag.store.layout import HASH_BYTES, document_line
from rag.types import Document, Markup, Rows, Vectors

QUEUE = 32, 256
"""Chunks that are embedded at a time, while the next are made: first few, to begin soon, then more."""


class DocumentWriter:
    """Copies a document where nothing about it changed, else chunks and embeds it."""

    def __init__(
        self,
        writer: GenerationWriter,
        previous: Snapshot | None,
        same: bool,
        encoder: Encoder,
        settings: Settings,
        queue: tuple[int, int],
    ) -> None:
        self._writer = writer
        self._previous = previous
        self._same = same
        self._encoder = encoder
        room = encoder.spec.max_tokens - 2
        self._size = ChunkSize(
            min(settings.chunk_tokens, room), min(settings.overlap_tokens, room // 2)
        )
        self._known = _KnownVectors(previous, encoder.spec.fingerprint)
        self._due, self._most = queue
        self._queue: list[Vectors | str] = []
        self._awaited: tuple[list[Vectors | str], Future[Vectors] | None] = [], None
        self._beside = ThreadPoolExecutor(1, "embed")
        self._moved = np.full(len(previous) if previous else 0, -1, np.int64)
        self.languages: Counter[str] = Counter()
        self.embedded = 0

    def write(self, entry: Entry, spool: BinaryIO) -> None:
        """Write one document; documents come in the order of their ids."""
        if self._previous is None or entry.old is None:
            self._anew(entry, spooled(entry, spool))
        elif self._same and self._previous.document(entry.old).language == entry.language:
            self._copy(entry, entry.old, self._previous)
        else:
            self._anew(entry, _document(self._previous, entry.old))
        if len(self._queue) >= self._due:
            self._drain()
            self._due = min(2 * self._due, self._most)

    def finish(self) -> None:
        """Write what is still queued, and the postings of all that was copied."""
        self._drain()
        self._write_vectors()
        self._beside.shutdown()
        if self._previous is not None:
            self._writer.lexical.reuse(self._previous.lexical, self._moved)

    @property
    def moved(self) -> Rows:
        """For each chunk of the previous generation the row that it is now, or -1; shape (n,)."""
        return self._moved

    def _copy(self, entry: Entry, old: int, previous: Snapshot) -> None:
        before = previous.document(old)
        row = replace(before, root=entry.root, file=entry.file, file_sha256=entry.file_sha256)
        line = previous.document_line(old) if row == before else document_line(row)
        first, last = previous.chunk_range(old)
        shift = previous.text_start(old)
        chunks = [
            ChunkRow(heading, start, end, text_at - shift, text_end - shift)
            for _, heading, start, end, text_at, text_end in previous.chunks[first:last].tolist()
        ]
        now = self._writer.chunks
        self._moved[first:last] = np.arange(now, now + last - first)
        hashes = previous.hashes[first:last].tobytes()
        self._writer.add_document(line, previous.document_bytes(old), chunks, hashes)
        self._queue.append(previous.vectors[first:last])
        self.languages[row.language] += len(chunks)

    def _anew(self, entry: Entry, document: Document) -> None:
        headings: dict[str, int] = {}
        rows: list[ChunkRow] = []
        texts: list[str] = []
        offset = _ByteOffsets(document.text)
        for chunk in chunk_document(document, self._encoder.tokenizer, self._size):
            heading = headings.setdefault(chunk.heading, len(headings))
            at, until = offset[chunk.start], offset[chunk.end]
            rows.append(ChunkRow(heading, chunk.start, chunk.end, at, until))
            words = searched_text(document.title, chunk)
            terms, length = text.index_terms(words, entry.language)
            self._writer.lexical.add(self._writer.chunks + len(texts), terms, length)
            texts.append(embedded_text(chunk))
        row = DocumentRow(
            id=document.id,
            title=document.title,
            meta=document.meta,
            markup=document.markup,
            root=entry.root,
            file=entry.file,
            sha256=entry.sha256,
            language=entry.language,
            guess=entry.guess,
            file_sha256=entry.file_sha256,
            headings=list(headings),
            places=list(document.places),
        )
        hashes = [_hash(each) for each in texts]
        self._writer.add_document(document_line(row), document.text.encode(), rows, b"".join(hashes))
        self.languages[row.language] += len(rows)
        for each, known in zip(texts, self._known.find(hashes), strict=True):
            self._queue.append(each if known is None else known[None])

    def _drain(self) -> None:
        """Have what is queued embedded, once what was before it is written."""
        self._write_vectors()
        texts = [item for item in self._queue if isinstance(item, str)]
        embedded = self._beside.submit(self._encoder.encode_passages, texts) if texts else None
        self._awaited = self._queue, embedded
        self._queue = []
        self.embedded += len(texts)

    def _write_vectors(self) -> None:
        items, embedded = self._awaited
        fresh = iter(embedded.result() if embedded else ())
        for item in items:
            self._writer.add_vectors(next(fresh)[None] if isinstance(item, str) else item)
        self._awaited = [], None


class _KnownVectors:
    """The previous generation's vectors by the hash of what was embedded."""

    def __init__(self, previous: Snapshot | None, fingerprint: str) -> None:
        usable = previous is not None and previous.manifest.encoder["fingerprint"] == fingerprint
        self._previous = previous if usable else None
        self._keys = np.empty(0, "<u8")
        self._order = np.empty(0, np.int64)

    def find(self, hashes: Sequence[bytes]) -> Iterator[Vectors | None]:
        """Yield for each hash its vector, shape (d,), or None."""
        if self._previous is None or len(self._previous) == 0:
            yield from [None] * len(hashes)
            return
        if len(self._order) == 0:
            keys = np.ascontiguousarray(self._previous.hashes).view("<u8")[::2]
            self._order = np.argsort(keys, kind="stable")
            self._keys = keys[self._order]
        for value in hashes:
            at = int(np.searchsorted(self._keys, np.frombuffer(value, "<u8")[0]))
            row = int(self._order[at]) if at < len(self._order) else -1
            same = row >= 0 and self._previous.hashes[row].tobytes() == value
            yield self._previous.vectors[row] if same else None


class _ByteOffsets:
    """UTF-8 byte offsets of code points, asked for in about rising order."""

    def __init__(self, body: str) -> None:
        self._body = body
        self._ascii = body.isascii()
        self._at, self._byte = 0, 0

    def __getitem__(self, at: int) -> int:
        if self._ascii:
            return at
        low, high = sorted((self._at, at))
        between = len(self._body[low:high].encode())
        self._byte += between if at > self._at else -between
        self._at = at
        return self._byte


def _document(previous: Snapshot, old: int) -> Document:
    row = previous.document(old)
    body = previous.document_bytes(old).decode()
    places = tuple((at, said) for at, said in row.places)
    return Document(row.id, body, row.title, row.meta, cast(Markup, row.markup), places)


def _hash(embedded: str) -> bytes:
    return hashlib.blake2b(embedded.encode(), digest_size=HASH_BYTES).digest()
