"""Waits for seeds to change (watchfiles; MIT)."""

from collections.abc import Iterator, Sequence
from pathlib import Path


def changes(sources: Sequence[Path], index: Path) -> Iterator[None]:
    """Yield at once, then whenever a file of the sources has changed, until it is interrupted.

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

    began = False
    folders = {source if source.is_dir() else source.parent for source in sources}
    events = watch(
        *folders, watch_filter=counts, raise_interrupt=False, yield_on_timeout=True, rust_timeout=500
    )
    for found in events:
        if found or not began:
            began = True
            yield
