"""Seeds → a new generation: what changed is chunked and embedded, the rest is carried over.

Documents stream through a spool file, so memory holds their ids and not their text. They are
written in the order of their ids, so the order of files leaves no trace.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rag import text
from rag.chunk import ChunkSize, chunk_document, embedded_text, searched_text
from rag.config import Settings
from rag.corpus import Failure, Found, read_source
from rag.errors import (
    CorpusError,
    DuplicateIdError,
    IndexCorruptError,
    IndexFormatError,
    SourcesChangedError,
)
from rag.protocols import Encoder
from rag.store import (
    ChunkRow,
    DocumentRow,
    GenerationWriter,
    IndexDirectory,
    Snapshot,
    open_snapshot,
)
from rag.store.layout import HASH_BYTES
from rag.types import Document, Notice, Rows, Vectors

RECIPE = 1
"""Raised whenever the same document gives other chunks or terms than before."""

_RARE = 0.02
"""Share of the documents below which a language is not believed in."""

_QUEUE = 1024
"""Chunks whose vectors are awaited at a time."""

Progress = Callable[[int, int], None]
"""Told how many documents are done, and of how many."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did; `failed` names what was left out and whether an older version is kept."""

    generation: str
    added: int
    changed: int
    removed: int
    unchanged: int
    failed: Sequence[Mapping[str, Any]]
    chunks: int
    embedded: int
    reused: int
    seconds: float
    warnings: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A document to be written: spooled anew, or `old`, its number in the previous generation."""

    id: bytes
    root: int
    file: str
    sha256: str
    language: str
    at: int = 0
    size: int = 0
    old: int | None = None


@dataclass(slots=True)
class _Tally:
    embedded: int = 0
    states: Counter[str] = field(default_factory=Counter)
    failed: list[dict[str, Any]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def plan_sources(
    directory: IndexDirectory, given: Sequence[Path], default: Path, add: bool, replace: bool
) -> list[Path]:
    """Return the absolute sources that a build shall read, in order of their paths.

    Without `given` they are those that the index remembers, or `default` for a new index. Raises
    `SourcesChangedError` where others are given without saying whether to add or to replace.
    """
    named = {path.expanduser().resolve() for path in given}
    known = set(directory.sources()) if directory.exists() and not replace else set()
    if not known:
        return sorted(named or {default.expanduser().resolve()})
    if named - known and not add:
        raise SourcesChangedError(
            f"The index in {directory.path} is built from {_listed(known)}, not from "
            f"{_listed(named)}; say --add to have both or --replace to have only the new."
        )
    return sorted(known | named)


def build_index(
    directory: IndexDirectory,
    sources: Sequence[Path],
    encoder: Encoder,
    settings: Settings,
    progress: Progress = lambda done, total: None,
    fresh: bool = False,
) -> BuildReport:
    """Bring the index up to date with its sources and publish it, if anything changed.

    `fresh` carries nothing over. Raises `CorpusError` where the sources hold nothing at all or two
    documents share an id, and `SnapshotError` where the index cannot be written.
    """
    found = (
        (root, item)
        for root, source in enumerate(sources)
        for item in read_source(source, settings.max_file_mb)
    )
    return build_documents(directory, sources, found, encoder, settings, progress, fresh)


def build_documents(
    directory: IndexDirectory,
    sources: Sequence[Path],
    found: Iterable[tuple[int, Found | Failure]],
    encoder: Encoder,
    settings: Settings,
    progress: Progress = lambda done, total: None,
    fresh: bool = False,
) -> BuildReport:
    """Do as `build_index` does, with documents that were read elsewhere."""
    began = time.perf_counter()
    tally = _Tally()
    with directory.lock():
        directory.clean_staging()
        previous = None if fresh else _previous(directory, tally)
        recorded = _recorded(settings)
        same = previous is not None and _comparable(previous, encoder, recorded)
        with GenerationWriter(directory) as writer:
            with (writer.folder.parent / "spool").open("w+b") as spool:
                entries = _spooled(found, sources, directory, spool, previous, tally)
                if not entries and previous is None:
                    raise CorpusError(_nothing(sources, tally.failed))
                if previous is not None:
                    tally.states["removed"] = (
                        previous.documents - tally.states["changed"] - tally.states["unchanged"]
                    )
                if same and previous is not None and _untouched(directory, sources, tally):
                    directory.clean(settings.keep_generations)
                    return _report(previous.generation, len(previous), began, tally)
                writing = _Writing(writer, previous, same, encoder, settings, tally)
                for done, entry in enumerate(entries, 1):
                    writing.write(entry, spool)
                    progress(done, len(entries))
                writing.finish()
            generation = writer.publish(
                sources,
                recorded,
                asdict(encoder.spec),
                dict(sorted(writing.languages.items())),
                {
                    "built": datetime.now(UTC).isoformat(timespec="seconds"),
                    "seconds": round(time.perf_counter() - began, 3),
                },
            )
        directory.clean(settings.keep_generations)
    return _report(generation, writer.chunks, began, tally)


def changed_documents(snapshot: Snapshot, sources: Sequence[Path], settings: Settings) -> Iterator[str]:
    """Yield the ids of documents that are new or other than the index holds, then one of the gone."""
    seen = 0
    for source in sources:
        for item in read_source(source, settings.max_file_mb):
            if isinstance(item, Failure):
                continue
            seen += 1
            old = _number(snapshot, item.document.id)
            if old is None or snapshot.document(old).sha256 != _digest(_encoded(item.document)):
                yield item.document.id
    if seen < snapshot.documents:
        yield f"{snapshot.documents - seen} removed"


class _Writing:
    """Writes entries one by one; vectors follow in the same order, a queue behind."""

    def __init__(
        self,
        writer: GenerationWriter,
        previous: Snapshot | None,
        same: bool,
        encoder: Encoder,
        settings: Settings,
        tally: _Tally,
    ) -> None:
        self._writer = writer
        self._previous = previous
        self._same = same
        self._encoder = encoder
        self._tally = tally
        room = encoder.spec.max_tokens - 2
        self._size = ChunkSize(
            min(settings.chunk_tokens, room), min(settings.overlap_tokens, room // 2)
        )
        self._known = _KnownVectors(previous, encoder.spec.fingerprint)
        self._queue: list[Vectors | str] = []
        self._moved = np.full(len(previous) if previous else 0, -1, np.int64)
        self.languages: Counter[str] = Counter()

    def write(self, entry: _Entry, spool: BinaryIO) -> None:
        """Write one document: copied where nothing about it changed, else chunked and embedded."""
        same = entry.old is not None and self._same and self._language(entry.old) == entry.language
        if same and entry.old is not None:
            self._copy(entry, entry.old)
        else:
            self._anew(entry, self._document(entry, spool))
        if len(self._queue) >= _QUEUE:
            self._drain()

    def finish(self) -> None:
        """Write what is still queued."""
        self._drain()
        if self._previous is not None:
            self._writer.lexical.reuse(self._previous.lexical, self._moved)

    def _language(self, old: int) -> str:
        assert self._previous is not None
        return self._previous.document(old).language

    def _document(self, entry: _Entry, spool: BinaryIO) -> Document:
        if entry.old is not None and self._previous is not None:
            row = self._previous.document(entry.old)
            body = self._previous.document_bytes(entry.old).decode()
            return Document(row.id, body, row.title, row.meta, _markup(row.markup))
        spool.seek(entry.at)
        return Document(**json.loads(spool.read(entry.size)))

    def _copy(self, entry: _Entry, old: int) -> None:
        assert self._previous is not None
        row = self._previous.document(old)
        first, last = self._previous.chunk_range(old)
        body = self._previous.document_bytes(old)
        table = self._previous.chunk_entries(first, last)
        shift = self._previous.text_start(old)
        chunks = [
            ChunkRow(heading, start, end, text_at - shift, text_end - shift)
            for _, heading, start, end, text_at, text_end in table.tolist()
        ]
        self._moved[first:last] = np.arange(self._writer.chunks, self._writer.chunks + last - first)
        hashes = self._previous.hashes[first:last].tobytes()
        self._add(entry, row, body, chunks, hashes)
        self._queue.append(self._previous.vectors[first:last])

    def _anew(self, entry: _Entry, document: Document) -> None:
        headings: dict[str, int] = {}
        rows: list[ChunkRow] = []
        texts: list[str] = []
        hashes: list[bytes] = []
        offset = _ByteOffsets(document.text)
        for chunk in chunk_document(document, self._encoder.tokenizer, self._size):
            whole = embedded_text(chunk)
            heading = headings.setdefault(chunk.heading, len(headings))
            at, until = offset[chunk.start], offset[chunk.end]
            rows.append(ChunkRow(heading, chunk.start, chunk.end, at, until))
            hashes.append(hashlib.blake2b(whole.encode(), digest_size=HASH_BYTES).digest())
            terms, length = text.index_terms(searched_text(document.title, chunk), entry.language)
            self._writer.lexical.add(self._writer.chunks + len(texts), terms, length)
            texts.append(whole)
        row = DocumentRow(
            document.id,
            document.title,
            document.meta,
            document.markup,
            entry.root,
            entry.file,
            entry.sha256,
            entry.language,
            list(headings),
        )
        self._add(entry, row, document.text.encode(), rows, b"".join(hashes))
        for whole, known in zip(texts, self._known.find(hashes), strict=True):
            self._queue.append(whole if known is None else known[None])

    def _add(
        self,
        entry: _Entry,
        row: DocumentRow,
        body: bytes,
        chunks: Sequence[ChunkRow],
        hashes: bytes,
    ) -> None:
        moved = replace(row, root=entry.root, file=entry.file)
        self.languages[row.language] += len(chunks)
        self._writer.add_document(moved, body, chunks, hashes)

    def _drain(self) -> None:
        texts = [item for item in self._queue if isinstance(item, str)]
        fresh = iter(self._encoder.encode_passages(texts)) if texts else iter(())
        for item in self._queue:
            self._writer.add_vectors(next(fresh)[None] if isinstance(item, str) else item)
        self._tally.embedded += len(texts)
        self._queue.clear()


class _KnownVectors:
    """The previous generation's vectors by the hash of what was embedded."""

    def __init__(self, previous: Snapshot | None, fingerprint: str) -> None:
        usable = previous is not None and previous.manifest.encoder["fingerprint"] == fingerprint
        self._previous = previous if usable else None
        self._order: Rows | None = None

    def find(self, hashes: Sequence[bytes]) -> Iterator[Vectors | None]:
        """Yield for each hash its vector, shape (d,), or None."""
        if self._previous is None or len(self._previous) == 0:
            yield from [None] * len(hashes)
            return
        if self._order is None:
            keys = np.ascontiguousarray(self._previous.hashes).view("<u8")[::2]
            self._order = np.argsort(keys, kind="stable")
            self._keys = keys[self._order]
        for value in hashes:
            at = int(np.searchsorted(self._keys, np.frombuffer(value, "<u8")[0]))
            row = int(self._order[at]) if at < len(self._order) else -1
            whole = row >= 0 and self._previous.hashes[row].tobytes() == value
            yield self._previous.vectors[row] if whole else None


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


def _spooled(
    found: Iterable[tuple[int, Found | Failure]],
    sources: Sequence[Path],
    directory: IndexDirectory,
    spool: BinaryIO,
    previous: Snapshot | None,
    tally: _Tally,
) -> list[_Entry]:
    """Return the entries of all documents in the order of their ids, those kept among them."""
    entries: list[_Entry] = []
    failures: list[tuple[int, Failure]] = []
    for root, item in found:
        if isinstance(item, Failure):
            failures.append((root, item))
            continue
        tally.notices.extend(item.notices)
        entries.append(_entry(root, item, spool, previous, tally))
    entries.sort(key=lambda entry: entry.id)
    for one, other in pairwise(entries):
        if one.id == other.id:
            files = sorted({str(sources[e.root] / e.file) for e in (one, other)}) if sources else []
            where = " and ".join(files) if len(files) > 1 else f"{''.join(files)} twice"
            raise DuplicateIdError(
                f"Two documents have the id {one.id.decode()!r}: in {where}; rename one of them."
            )
    kept = _kept(failures, entries, sources, directory, previous) if previous else {}
    for root, failure in failures:
        said: dict[str, Any] = {"doc": failure.doc, "reason": failure.reason}
        if any(e.root == root and e.file == failure.file for e in kept.values()) and failure.lost:
            said["kept"] = True
        tally.failed.append(said)
    tally.states["unchanged"] += len(kept)
    return _settled(sorted([*entries, *kept.values()], key=lambda entry: entry.id))


def _settled(entries: list[_Entry]) -> list[_Entry]:
    """Give documents in a language that hardly occurs the most frequent one: it was a bad guess."""
    counts = Counter(entry.language for entry in entries if entry.language != text.UNKNOWN)
    if not counts:
        return entries
    usual = min(counts, key=lambda code: (-counts[code], code))
    least = max(2, len(entries) * _RARE)
    kept = {code for code, count in counts.items() if count >= least} | {usual}
    return [e if e.language in kept else replace(e, language=usual) for e in entries]


def _entry(root: int, item: Found, spool: BinaryIO, previous: Snapshot | None, tally: _Tally) -> _Entry:
    document = item.document
    body = _encoded(document)
    digest = _digest(body)
    language = text.language(document.text)
    old = _number(previous, document.id) if previous else None
    if old is not None and previous is not None:
        if previous.document(old).sha256 == digest:
            tally.states["unchanged"] += 1
            return _Entry(document.id.encode(), root, item.file, digest, language, old=old)
        tally.states["changed"] += 1
    else:
        tally.states["added"] += 1
    at = spool.tell()
    spool.write(body)
    return _Entry(document.id.encode(), root, item.file, digest, language, at, len(body))


def _encoded(document: Document) -> bytes:
    """Return all of a document that the index depends on."""
    return json.dumps(asdict(document), ensure_ascii=False, sort_keys=True).encode()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _number(snapshot: Snapshot, doc: str) -> int | None:
    try:
        return snapshot.number(doc)
    except KeyError:
        return None


def _kept(
    failures: Sequence[tuple[int, Failure]],
    entries: Sequence[_Entry],
    sources: Sequence[Path],
    directory: IndexDirectory,
    previous: Snapshot,
) -> dict[bytes, _Entry]:
    """Return the last good versions of what stood in files that cannot be read today."""
    lost = {(str(sources[root]), f.file): root for root, f in failures if f.lost and sources}
    if not lost:
        return {}
    before = [str(path) for path in directory.sources()]
    seen = {entry.id for entry in entries}
    kept = {}
    for number in range(previous.documents):
        row = previous.document(number)
        root = lost.get((before[row.root] if row.root < len(before) else "", row.file))
        if root is not None and row.id.encode() not in seen:
            kept[row.id.encode()] = _Entry(
                row.id.encode(), root, row.file, row.sha256, row.language, old=number
            )
    return kept


def _previous(directory: IndexDirectory, tally: _Tally) -> Snapshot | None:
    if not directory.exists():
        return None
    try:
        return open_snapshot(directory)
    except (IndexCorruptError, IndexFormatError) as error:
        tally.notices.append(
            Notice("rebuilt_whole", f"Nothing was carried over from the last generation: {error}")
        )
        return None


def _recorded(settings: Settings) -> dict[str, Any]:
    names = ("chunk_tokens", "overlap_tokens", "k1", "b")
    return {"recipe": RECIPE, **{name: getattr(settings, name) for name in names}}


def _comparable(previous: Snapshot, encoder: Encoder, recorded: Mapping[str, Any]) -> bool:
    """Tell whether the previous generation's chunks are what we would make of its documents."""
    known = previous.manifest.encoder["fingerprint"] == encoder.spec.fingerprint
    return known and dict(previous.manifest.settings) == recorded


def _untouched(directory: IndexDirectory, sources: Sequence[Path], tally: _Tally) -> bool:
    changes = sum(tally.states[state] for state in ("added", "changed", "removed"))
    return changes == 0 and directory.sources() == list(sources)


def _report(generation: str, chunks: int, began: float, tally: _Tally) -> BuildReport:
    states = tally.states
    return BuildReport(
        generation=generation,
        added=states["added"],
        changed=states["changed"],
        removed=states["removed"],
        unchanged=states["unchanged"],
        failed=tally.failed,
        chunks=chunks,
        embedded=tally.embedded,
        reused=chunks - tally.embedded,
        seconds=round(time.perf_counter() - began, 3),
        warnings=tally.notices,
    )


def _nothing(sources: Sequence[Path], failed: Sequence[Mapping[str, Any]]) -> str:
    said = f"There is no document in {_listed(sources)}"
    if failed:
        first = failed[0]
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        said += f" that we can read ({first['doc']}: {first['reason']}{more})"
    return said + "; nothing was built."


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(sorted(str(path) for path in paths))


def _markup(name: str) -> Any:
    return name
