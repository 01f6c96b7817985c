"""Finds the files of a source and has each read; nothing that one holds stops the others."""

import os
from collections.abc import Iterator
from pathlib import Path

from rag.corpus.readers import READERS, File
from rag.corpus.values import Failure, Found, Unreadable
from rag.errors import SeedsNotFoundError


def read_source(
    source: Path, max_file_mb: float, index: Path | None = None
) -> Iterator[Found | Failure]:
    """Yield the documents of a folder (recursively, in the order of their paths) or of one file.

    A document's id is its path below the folder, with `/`; in a `.jsonl` corpus, the line's `id`.
    Hidden files and folders are left alone, and so is the `index` where it lies inside. Raises
    `SeedsNotFoundError`.
    """
    if not source.exists():
        raise SeedsNotFoundError(f"There are no seeds at {source}; name a folder or a file.")
    for name, path in _files(source, index.resolve() if index else None):
        if isinstance(path, Failure):
            yield path
        else:
            yield from _read_file(name, path, max_file_mb * 1e6)


def _files(source: Path, index: Path | None) -> Iterator[tuple[str, Path | Failure]]:
    if source.is_file():
        yield source.name, source
        return
    root = source.resolve()
    found: list[tuple[str, Path | Failure]] = []

    def closed(error: OSError) -> None:
        doc = Path(error.filename).relative_to(source).as_posix()
        found.append((doc, Failure(_shown(doc), f"it cannot be opened: {error.strerror}", doc)))

    for folder, folders, files in os.walk(source, onerror=closed):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (index is None or Path(folder, name).resolve() != index)
        )
        for name in sorted(folders):
            path = Path(folder, name)
            if path.is_symlink():
                doc = path.relative_to(source).as_posix()
                reason = "a link to a folder is not followed; name that folder as a source"
                found.append((doc, Failure(_shown(doc), reason, doc, lost=False)))
        for name in files:
            if name.startswith("."):
                continue
            path = Path(folder, name)
            doc = path.relative_to(source).as_posix()
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                reason = "a link that leaves the folder is not followed"
                found.append((doc, Failure(_shown(doc), reason, doc, lost=False)))
            else:
                found.append((doc, path))
    yield from sorted(found, key=lambda item: os.fsencode(item[0]))


def _read_file(name: str, path: Path, limit: float) -> Iterator[Found | Failure]:
    shown = _shown(name)
    reader = READERS.get(path.suffix.lower())
    try:
        if shown != name:
            raise Unreadable("its name is not valid Unicode; rename it")
        if reader is None:
            known = ", ".join(sorted(READERS))
            raise Unreadable(
                f"no reader for {path.suffix or 'files without a suffix'}; we read {known}"
            )
        if not path.is_file():
            raise Unreadable("it is not a regular file, or its link leads nowhere")
        size = path.stat().st_size
        if size > limit:
            raise Unreadable(
                f"it has {size / 1e6:.1f} MB, more than max_file_mb = {limit / 1e6:g} allows"
            )
        file = File(name, path.read_bytes())
        for item in reader(file):
            if isinstance(item, Failure):
                yield item
            else:
                yield Found(item, name, tuple(file.notices))
                file.notices.clear()
    except Unreadable as news:
        yield Failure(shown, str(news), name, news.lost)
    except OSError as error:
        yield Failure(shown, f"it cannot be opened: {error.strerror or error}", name)


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
