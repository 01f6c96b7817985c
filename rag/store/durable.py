"""The few ways in which anything reaches the disk for good."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Disk:
    """What writes the files of an index; nothing is waited for where it shall not last."""

    lasts: bool = True

    def write_file(self, path: Path, data: bytes) -> None:
        """Write a file; where it lasts, it is on the disk by then."""
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            self._sync(file.fileno())

    def sync_file(self, path: Path) -> None:
        """Wait until a file that was written is on the disk, where it lasts."""
        handle = os.open(path, os.O_RDWR)
        try:
            self._sync(handle)
        finally:
            os.close(handle)

    def sync_folder(self, path: Path) -> None:
        """Wait until a folder's names are on the disk (Windows keeps them without being asked)."""
        if os.name == "nt":
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            self._sync(handle)
        finally:
            os.close(handle)

    def publish(self, source: Path, target: Path) -> None:
        """Rename durably: after this the target is the old or the new, whatever happens."""
        source.replace(target)
        self.sync_folder(target.parent)

    def _sync(self, handle: int) -> None:
        if self.lasts:
            os.fsync(handle)
