"""Reads every document once: what is new or changed goes to the spool, in the end all in order."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from rag import text
from rag.config import Settings
from rag.corpus import (
    Failure,
    Found,
    Limits,
    Unchanged,
    document_of,
    read_source,
    reader_versions,
)
from rag.errors import DuplicateIdError
from rag.store import Snapshot
from rag.types import Document, Notice

RECIPE = 4
"""Raised whenever the same document gives other chunks or terms than before."""
RARE = 0.02
"""Share of the documents below which a language is not believed in."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document to be written: spooled anew, or `old`, its number in the previous generation."""

    id: bytes
    root: int
    """Which source it stands in."""
    file: str
    sha256: str
    language: str
    guess: str
    """The language that its text alone is taken for; `language` heeds those of the others."""
    file_sha256: str = ""
    at: int = 0
    size: int = 0
    old: int | None = None


@dataclass(frozen=True)
class Before:
    """The previous generation and the sources that it was built from."""

    snapshot: Snapshot
    sources: Sequence[Path]

    @cached_property
    def files(self) -> Mapping[tuple[Path, str], list[int]]:
        """The documents of each file that was read without a word of complaint."""
        found: dict[tuple[Path, str], list[int]] = {}
        for number in range(self.snapshot.documents):
            row = self.snapshot.document(number)
            if row.file_sha256:
                found.setdefault((self.sources[row.root], row.file), []).append(number)
        return found

    def has(self, source: Path, file: str, sha256: str) -> bool:
        """Tell whether a file of these bytes was read."""
        numbers = self.files.get((source, file), ())
        return bool(numbers) and all(
            self.snapshot.document(number).file_sha256 == sha256 for number in numbers
        )


@dataclass(slots=True)
class Gathered:
    """All documents in the order of their ids, and what is to be said of them."""

    entries: list[Entry] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0


def gather(
    found: Iterable[tuple[int, Found | Failure | Unchanged]],
    sources: Sequence[Path],
    spool: BinaryIO,
    before: Before | None,
) -> Gathered:
    """Return the documents of all sources, those kept from the previous generation among them.

    Raises `DuplicateIdError` where two documents share an id.
    """
    gathered = Gathered()
    failures: list[tuple[int, Failure]] = []
    told: set[tuple[int, str]] = set()
    for root, item in found:
        if isinstance(item, Failure):
            failures.append((root, item))
            told.add((root, item.file))
        elif isinstance(item, Unchanged):
            assert before is not None
            known = [_carried(before, n, root) for n in before.files[sources[root], item.file]]
            gathered.entries += known
            gathered.unchanged += len(known)
        else:
            gathered.notices += item.notices
            gathered.entries.append(_entry(root, item, spool, before, gathered))
            if item.notices:
                told.add((root, item.file))
    gathered.entries = [
        replace(entry, file_sha256="") if (entry.root, entry.file) in told else entry
        for entry in sorted(gathered.entries, key=lambda entry: entry.id)
    ]
    _refuse_duplicates(gathered.entries, sources)
    seen = {entry.id for entry in gathered.entries}
    kept = _kept(failures, seen, sources, before) if before else []
    saved = {key for key, _ in kept}
    for root, failure in failures:
        said: dict[str, Any] = {"doc": failure.doc, "reason": failure.reason}
        if failure.lost and (root, failure.file) in saved:
            said["kept"] = True
        gathered.failed.append(said)
    gathered.unchanged += len(kept)
    if before is not None:
        gathered.removed = before.snapshot.documents - gathered.changed - gathered.unchanged
    entries = sorted([*gathered.entries, *(entry for _, entry in kept)], key=lambda entry: entry.id)
    gathered.entries = _with_believable_languages(entries)
    return gathered


def limits(settings: Settings) -> Limits:
    """Return what reading one file may take."""
    return Limits(settings.read_seconds, settings.read_memory_mb, settings.threads)


def recorded(settings: Settings, max_tokens: int) -> dict[str, Any]:
    """Return the settings that a generation depends on, with an encoder that reads `max_tokens`."""
    names = ("chunk_tokens", "overlap_tokens", "k1", "b", "max_file_mb")
    chosen = {name: getattr(settings, name) for name in names}
    chosen["chunk_tokens"] = min(settings.chunk_tokens, max_tokens - 2)
    return {"recipe": RECIPE, "readers": reader_versions(), **chosen}


def spooled(entry: Entry, spool: BinaryIO) -> Document:
    """Return a document from the spool."""
    spool.seek(entry.at)
    return document_of(json.loads(spool.read(entry.size)))


def changed_documents(snapshot: Snapshot, sources: Sequence[Path], settings: Settings) -> Iterator[str]:
    """Yield the ids of documents that the index lacks or has otherwise, then how many are gone.

    Where it was built with other settings or readers, that is all that is said.
    """
    seen: set[bytes] = set()
    failures: list[tuple[int, Failure]] = []
    held = 0
    before = Before(snapshot, sources)
    now = recorded(settings, snapshot.manifest.encoder["max_tokens"])
    if now != dict(snapshot.manifest.settings):
        yield "built with other settings or readers"
        return
    for root, source in enumerate(sources):
        known = partial(before.has, source)
        for item in read_source(source, settings.max_file_mb, settings.index, limits(settings), known):
            if isinstance(item, Failure):
                failures.append((root, item))
                continue
            if isinstance(item, Unchanged):
                numbers = before.files[source, item.file]
                seen |= {snapshot.document(number).id.encode() for number in numbers}
                held += len(numbers)
                continue
            seen.add(item.document.id.encode())
            old = snapshot.find(item.document.id)
            held += old is not None
            if old is None or snapshot.document(old).sha256 != _digest(_encoded(item.document)):
                yield item.document.id
    kept = _kept(failures, seen, sources, before)
    if gone := snapshot.documents - held - len(kept):
        yield f"{gone} removed"


def _entry(root: int, item: Found, spool: BinaryIO, before: Before | None, gathered: Gathered) -> Entry:
    document = item.document
    body = _encoded(document)
    digest = _digest(body)
    old = before.snapshot.find(document.id) if before else None
    if before is not None and old is not None:
        row = before.snapshot.document(old)
        if row.sha256 == digest:
            gathered.unchanged += 1
            return replace(_carried(before, old, root), file=item.file, file_sha256=item.file_sha256)
        gathered.changed += 1
    else:
        gathered.added += 1
    guess = text.language(document.text)
    entry = Entry(document.id.encode(), root, item.file, digest, guess, guess, item.file_sha256)
    at = spool.tell()
    spool.write(body)
    return replace(entry, at=at, size=len(body))


def _carried(before: Before, number: int, root: int) -> Entry:
    """Return a document that is as it was."""
    row = before.snapshot.document(number)
    guess, file = row.guess, row.file_sha256
    return Entry(row.id.encode(), root, row.file, row.sha256, guess, guess, file, old=number)


def _encoded(document: Document) -> bytes:
    """Return all of a document that the index depends on."""
    return json.dumps(asdict(document), ensure_ascii=False, sort_keys=True).encode()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _refuse_duplicates(entries: Sequence[Entry], sources: Sequence[Path]) -> None:
    for one, other in pairwise(entries):
        if one.id == other.id:
            files = [str(sources[e.root] / e.file) for e in (one, other) if sources]
            where = " and ".join(dict.fromkeys(files)) or "the given documents"
            raise DuplicateIdError(
                f"Two documents have the id {one.id.decode()!r}: in {where}; rename one of them."
            )


def _kept(
    failures: Iterable[tuple[int, Failure]],
    seen: Collection[bytes],
    sources: Sequence[Path],
    before: Before,
) -> list[tuple[tuple[int, str], Entry]]:
    """Return the last good versions of what cannot be read today, each with what failed.

    That is its file's source and name, or those of a folder above it that cannot be opened.
    """
    lost: Mapping[tuple[Path, str], tuple[int, str]] = {
        (sources[root], failure.file): (root, failure.file)
        for root, failure in failures
        if failure.lost and sources
    }
    if not lost:
        return []
    kept = []
    for number in range(before.snapshot.documents):
        row = before.snapshot.document(number)
        above = (row.file, *(folder.as_posix() for folder in PurePosixPath(row.file).parents))
        source = before.sources[row.root]
        key = next((lost[source, each] for each in above if (source, each) in lost), None)
        if key is not None and row.id.encode() not in seen:
            old = replace(_carried(before, number, key[0]), file_sha256="")
            kept.append((key, old))
    return kept


def _with_believable_languages(entries: list[Entry]) -> list[Entry]:
    """Give documents in a language that hardly occurs the most frequent one: it was a bad guess.

    A language that its script tells is no guess, and none that another script's text is in.
    """
    counts = Counter(entry.language for entry in entries)
    guessed = [code for code in counts if code in text.LANGUAGES]
    usual = min(guessed, key=lambda code: (-counts[code], code), default=text.UNKNOWN)
    least = len(entries) * RARE
    doubted = {code for code in guessed if counts[code] < least} | {text.UNKNOWN}
    return [replace(e, language=usual) if e.language in doubted else e for e in entries]
