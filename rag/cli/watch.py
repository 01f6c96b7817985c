"""Waits for seeds to change (watchfiles; MIT)."""

from collections.abc import Iterator, Sequence
from pathlib import Path


def changes(sources: Sequence[Path], index: Path) -> Iterator[None]:
    """Yield whenever a file of the sources has changed, until the program is interrupted.

    Hidden files do not count, nor does the index where it lies among them; a `.ragignore` does.
    """
    from watchfiles import watch

    built = index.resolve()

    def counts(_: object, path: str) -> bool:
        changed = Path(path)
        if changed == built or built in changed.parents:
            return False
        below = next((changed.relative_to(s) for s in sources if changed.is_relative_to(s)), changed)
        return below.name == ".ragignore" or not any(part.startswith(".") for part in below.parts)

    for _ in watch(*sources, watch_filter=counts, raise_interrupt=False):
        yield
