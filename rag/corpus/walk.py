"""Finds the files of a source and has each read; nothing that one holds stops the others."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from rag.corpus.ignore import Ignored
from rag.corpus.kinds import kind_of, named_kind
from rag.corpus.readers import READERS, File
from rag.corpus.values import Failure, Found, Unchanged, Unreadable, document_of
from rag.corpus.workers import USUAL, Limits, Readers, Said, Workers, asked_of
from rag.errors import SeedsNotFoundError
from rag.types import Notice

Known = Callable[[str, str], bool]
"""Told a file's name and the sha256 of its bytes; tells whether it need not be read."""


def read_source(
    source: Path,
    max_file_mb: float,
    index: Path | None = None,
    limits: Limits = USUAL,
    known: Known | None = None,
    readers: Readers | None = None,
) -> Iterator[Found | Failure | Unchanged]:
    """Yield the documents of a folder (recursively, in the order of their paths) or of one file.

    A document's id is its path below the folder, with `/`; in a `.jsonl` corpus, the line's `id`.
    Hidden files and folders are left alone, so is what a `.ragignore` names, in gitignore's way, and
    the `index` where it lies inside. Text is read here, other formats by processes within `limits`, or
    by other `readers`. Raises `SeedsNotFoundError`.
    """
    if not source.exists():
        raise SeedsNotFoundError(f"There are no seeds at {source}; name a folder or a file.")
    with Workers(limits) as workers:
        reading = _Reading(readers or workers, max_file_mb, known)
        for name, path in _files(source, index.resolve() if index else None):
            reading.begin(name, path)
            while reading.is_full:
                yield from reading.next()
        while reading.waits:
            yield from reading.next()


class _Reading:
    """Files that are being read, in their order."""

    def __init__(self, readers: Readers, max_file_mb: float, known: Known | None) -> None:
        self._readers = readers
        self._most = max_file_mb
        self._known = known
        self._queue: deque[Callable[[], Iterable[Found | Failure | Unchanged]]] = deque()

    @property
    def waits(self) -> bool:
        """Whether there is something to come."""
        return bool(self._queue)

    @property
    def is_full(self) -> bool:
        """Whether what is first shall be taken out before more is begun."""
        return len(self._queue) > 2 * self._readers.count

    def next(self) -> Iterable[Found | Failure | Unchanged]:
        """Return what the first file holds, waiting for it."""
        return self._queue.popleft()()

    def begin(self, name: str, path: Path | Failure) -> None:
        """Begin to read a file."""
        if isinstance(path, Failure):
            self._queue.append(partial(tuple, [path]))
            return
        shown = _shown(name)
        try:
            data = self._bytes(shown, name, path)
            sha256 = hashlib.sha256(data).hexdigest()
            if self._known is not None and self._known(name, sha256):
                self._queue.append(partial(tuple, [Unchanged(name)]))
                return
            kind = kind_of(name, data)
        except Unreadable as news:
            self._queue.append(partial(tuple, [Failure(shown, str(news), name, news.lost)]))
            return
        except OSError as error:
            said = f"it cannot be opened: {error.strerror or error}"
            self._queue.append(partial(tuple, [Failure(shown, said, name)]))
            return
        told = File(name, b"")
        if named_kind(name) not in (None, kind):
            told.notice("other_format", f"its name says otherwise, but it was read as {kind}")
        if kind in READERS:
            self._queue.append(partial(_read_text, name, path, kind, sha256, told.notices))
        else:
            read = self._readers.read(asked_of(path, name, kind, self._most))
            self._queue.append(partial(_read_elsewhere, name, told.notices, read, sha256))

    def _bytes(self, shown: str, name: str, path: Path) -> bytes:
        if shown != name:
            raise Unreadable("its name is not valid Unicode; rename it")
        if not path.is_file():
            raise Unreadable("it is not a regular file, or its link leads nowhere")
        size = path.stat().st_size / 1e6
        if size > self._most:
            raise Unreadable(f"it has {size:.1f} MB, more than max_file_mb = {self._most:g} allows")
        return path.read_bytes()


def _files(source: Path, index: Path | None) -> Iterator[tuple[str, Path | Failure]]:
    if source.is_file():
        yield source.name, source
        return
    root = source.resolve()
    ignored = Ignored()
    found: list[tuple[str, Path | Failure]] = []

    def closed(error: OSError) -> None:
        doc = Path(error.filename).relative_to(source).as_posix()
        found.append((doc, Failure(_shown(doc), f"it cannot be opened: {error.strerror}", doc)))

    for folder, folders, files in os.walk(source, onerror=closed):
        below = PurePosixPath(Path(folder).relative_to(source).as_posix())
        ignored.enter(Path(folder), below)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and not ignored.holds(below / name, is_folder=True)
            and (index is None or Path(folder, name).resolve() != index)
        )
        for name in sorted(folders):
            path = Path(folder, name)
            if path.is_symlink():
                doc = path.relative_to(source).as_posix()
                reason = "a link to a folder is not followed; name that folder as a source"
                found.append((doc, Failure(_shown(doc), reason, doc, lost=False)))
        for name in files:
            if name.startswith(".") or ignored.holds(below / name, is_folder=False):
                continue
            path = Path(folder, name)
            doc = path.relative_to(source).as_posix()
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                reason = "a link that leaves the folder is not followed"
                found.append((doc, Failure(_shown(doc), reason, doc, lost=False)))
            else:
                found.append((doc, path))
    yield from sorted(found, key=lambda item: os.fsencode(item[0]))


def _read_text(
    name: str, path: Path, kind: str, sha256: str, notices: list[Notice]
) -> Iterator[Found | Failure]:
    try:
        file = File(name, path.read_bytes(), notices)
        for item in READERS[kind](file):
            if isinstance(item, Failure):
                yield item
            else:
                yield Found(item, name, tuple(notices), sha256)
                notices.clear()
    except Unreadable as news:
        yield Failure(name, str(news), name, news.lost)
    except OSError as error:
        yield Failure(name, f"it cannot be opened: {error.strerror or error}", name)
    except Exception as error:  # one seed must not end the build of all others
        yield Failure(name, f"it is damaged ({type(error).__name__})", name)


def _read_elsewhere(
    name: str, notices: Sequence[Notice], read: Callable[[], Said], sha256: str
) -> Iterator[Found | Failure]:
    said = read()
    told = (*notices, *(Notice(**each) for each in said["notices"]))
    for value in said["documents"]:
        yield Found(document_of(value), name, told, sha256)
        told = ()
    for value in said["failures"]:
        yield Failure(**value)
    if reason := said.get("unreadable"):
        yield Failure(name, reason, name, said.get("lost", True))


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
