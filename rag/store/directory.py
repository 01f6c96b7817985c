"""The index folder: which generation is published, which others there are, who may write."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import IndexBusyError, IndexCorruptError, IndexMissingError, SnapshotError
from rag.store import layout
from rag.store.durable import Disk
from rag.store.layout import Manifest

CURRENT = "CURRENT"
LOCK = ".lock"
STAGING = ".building-"
_GENERATION = re.compile(r"gen-(\d{6,})")


class IndexDirectory:
    """A folder of generations, one of them current; one that need not last is written faster."""

    def __init__(self, path: Path, lasts: bool = True) -> None:
        self.path = path
        self.disk = Disk(lasts)

    def current(self) -> str:
        """Return the published generation's name.

        Raises `IndexMissingError` where nothing was published, `IndexCorruptError`.
        """
        path = self.path / CURRENT
        try:
            name, stop, rest = path.read_bytes().decode("ascii", "replace").partition("\n")
        except FileNotFoundError:
            raise IndexMissingError(
                f"There is no index in {self.path}; build one with `rag build SEEDS`."
            ) from None
        except NotADirectoryError:
            raise IndexMissingError(f"{self.path} is not a folder; name the index's.") from None
        except OSError as error:
            raise SnapshotError(f"{path} cannot be read: {error.strerror}.") from None
        if not _GENERATION.fullmatch(name) or not stop or rest:
            raise IndexCorruptError(
                f"{path} is damaged; run `rag rollback` to point it at the newest generation that "
                "is whole."
            )
        return name

    def sources(self) -> list[Path]:
        """Return the sources of the published generation, as absolute paths; raises as `current`."""
        return self.absolute(self.manifest().time["sources"])

    def manifest(self) -> Manifest:
        """Return the published generation's manifest; raises as `current`, and `IndexFormatError`."""
        path = self.folder(self.current()) / layout.MANIFEST
        try:
            return Manifest.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise IndexCorruptError(
                f"{path} cannot be read ({error.strerror}); run `rag rollback` to return to an "
                "earlier generation."
            ) from None

    def relative(self, sources: Sequence[Path]) -> list[str]:
        """Return sources as a manifest keeps them: from the index on, so that both may move."""
        root = self.path.resolve()
        return [Path(os.path.relpath(source, root)).as_posix() for source in sources]

    def absolute(self, sources: Sequence[str]) -> list[Path]:
        """Return what `relative` was given."""
        root = self.path.resolve()
        return [Path(os.path.normpath(root / source)) for source in sources]

    def exists(self) -> bool:
        """Tell whether something was ever published here."""
        return (self.path / CURRENT).exists()

    def generations(self) -> list[str]:
        """Return the names of all generations on disk, oldest first."""
        if not self.path.is_dir():
            return []
        names = [path.name for path in self.path.iterdir() if _GENERATION.fullmatch(path.name)]
        return sorted(names, key=_number)

    def digests(self) -> list[str]:
        """Return what names the content of each generation on disk that can be told."""
        found = []
        for name in self.generations():
            path = self.folder(name) / layout.MANIFEST
            with suppress(OSError, SnapshotError):
                found.append(Manifest.parse(path.read_bytes(), str(path)).digest)
        return found

    def folder(self, generation: str) -> Path:
        """Return the folder of a generation."""
        return self.path / generation

    def next_name(self) -> str:
        """Return a name above every other."""
        last = self.generations()[-1:]
        return f"gen-{_number(last[0]) + 1 if last else 1:06d}"

    def point_to(self, generation: str) -> None:
        """Publish a generation: from this rename on, readers who open get it."""
        fresh = self.path / f".{CURRENT}.new"
        self.disk.write_file(fresh, f"{generation}\n".encode())
        self.disk.publish(fresh, self.path / CURRENT)

    def clean(self, keep: int, before: str | None = None) -> None:
        """Remove what a dead writer left, and all but the current and `keep - 1` before it.

        `before` is the generation that the current one was built upon: what stands between the two
        was rolled back from.
        """
        self.clean_staging()
        for name in self.generations():
            if before is not None and _number(before) < _number(name) < _number(self.current()):
                self._remove(self.path / name)
        names = self.generations()
        current = names.index(self.current())
        for name in names[: max(0, current + 1 - keep)] + names[current + 1 :]:
            self._remove(self.path / name)

    def clean_staging(self) -> None:
        """Remove what is neither published nor being written; the lock must be held."""
        for path in self.path.glob(f"{STAGING}*"):
            self._remove(path)
        (self.path / f".{CURRENT}.new").unlink(missing_ok=True)

    def _remove(self, folder: Path) -> None:
        """Remove a folder; a generation loses its name first, so that none is ever half there."""
        doomed = folder
        if not folder.name.startswith(STAGING):
            doomed = folder.with_name(f"{STAGING}old-{folder.name}")
            folder.rename(doomed)
        shutil.rmtree(doomed)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the one writer's lock; the system frees it when its holder dies.

        Raises `IndexBusyError` if another holds it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / LOCK, timeout=0)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise IndexBusyError(
                f"Another process is building {self.path}; wait for it, or build elsewhere with "
                "--index."
            ) from None
        except OSError as error:
            raise SnapshotError(_unwritable(error, self.path)) from None
        try:
            yield
        except OSError as error:
            if error.filename is None or Path(error.filename).is_relative_to(self.path):
                raise SnapshotError(_unwritable(error, self.path)) from None
            raise
        finally:
            lock.release()


def _unwritable(error: OSError, path: Path) -> str:
    return f"{error.filename or path} cannot be written: {error.strerror or error}."


def _number(name: str) -> int:
    match = _GENERATION.fullmatch(name)
    assert match is not None
    return int(match[1])
