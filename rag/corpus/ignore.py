"""What a folder's `.ragignore` names, in gitignore's way, is no seed (pathspec; MPL-2.0)."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.errors import CorpusError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NAME = ".ragignore"


class Ignored:
    """The patterns of a source, each file's for what is below it; the deepest that says so decides."""

    def __init__(self) -> None:
        self._specs: dict[PurePosixPath, GitIgnoreSpec] = {}

    def enter(self, folder: Path, name: PurePosixPath) -> None:
        """Read a folder's file, if it has one; raises `CorpusError` for one that cannot be used."""
        path = folder / NAME
        if not path.is_file():
            return
        from pathspec import GitIgnoreSpec

        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            self._specs[name] = GitIgnoreSpec.from_lines(lines)
        except (OSError, ValueError) as error:
            raise CorpusError(f"{path} cannot be used: {error}; mend or remove it.") from None

    def holds(self, name: PurePosixPath, is_folder: bool) -> bool:
        """Tell whether a file or folder below the source is ignored."""
        said = False
        for above in reversed(name.parents):
            spec = self._specs.get(above)
            if spec is not None:
                below = f"{name.relative_to(above)}{'/' if is_folder else ''}"
                found = spec.check_file(below).include
                said = said if found is None else found
        return said
