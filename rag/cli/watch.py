"""Waits for seeds to change (watchfiles; MIT)."""

import logging
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

_TICK = 500
"""Milliseconds after which it is looked whether the folders are still there."""


def changes(sources: Sequence[Path], index: Path) -> Iterator[None]:
    """Yield at once, then whenever a file of the sources has changed, until it is interrupted.

    A folder that goes away is waited for.

    Hidden files do not count, nor does the index where it lies among them; a `.ragignore` does.
    """
    from watchfiles import watch

    built = index.resolve()

    def counts(_: object, path: str) -> bool:
        changed = Path(path)
        if not any(changed == source or source in changed.parents for source in sources):
            return False
        if changed == built or built in changed.parents:
            return False
        below = next((changed.relative_to(s) for s in sources if changed.is_relative_to(s)), changed)
        return below.name == ".ragignore" or not any(part.startswith(".") for part in below.parts)

    logging.getLogger("watchfiles").setLevel(logging.ERROR)  # it says that it was interrupted
    folders = {source if source.is_dir() else source.parent for source in sources}
    while True:
        if None in _identities(folders):
            yield  # to say what is missing
            if not _are_back(folders):
                return
        watched = _identities(folders)
        events = watch(
            *folders, watch_filter=counts, raise_interrupt=False, yield_on_timeout=True,
            rust_timeout=_TICK,
        )  # fmt: skip
        with closing(events):
            try:
                if next(events, None) is None:
                    return
            except FileNotFoundError:
                continue
            yield
            for found in events:
                if any(Path(path) in folders for _, path in found) or _identities(folders) != watched:
                    break  # a folder that is removed is no longer watched, nor what takes its place
                if found:
                    yield
            else:
                return


def _are_back(folders: Collection[Path]) -> bool:
    """Wait for folders; tell whether they came, rather than an interrupt."""
    try:
        while None in _identities(folders):
            time.sleep(_TICK / 1000)
    except KeyboardInterrupt:
        return False
    return True


def _identities(folders: Collection[Path]) -> list[tuple[int, int] | None]:
    return [*map(_identity, folders)]


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
