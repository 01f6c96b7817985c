"""One build from lock to publication."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rag.build.gather import Before, Gathered, gather, limits, recorded
from rag.build.nearest import make_searchable
from rag.build.write import QUEUE, DocumentWriter
from rag.config import Settings
from rag.corpus import Failure, Found, Readers, Unchanged, read_source
from rag.errors import (
    CorpusError,
    IndexCorruptError,
    IndexFormatError,
    SeedsNotFoundError,
    SourcesChangedError,
)
from rag.protocols import Encoder, Stores
from rag.store import GenerationWriter, IndexDirectory, Manifest, Snapshot, open_snapshot
from rag.stores import LocalStores, open_stores
from rag.types import Notice

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


def plan_sources(
    directory: IndexDirectory,
    given: Sequence[Path],
    default: Path,
    add: bool,
    replace: bool,
    fresh: bool = False,
) -> list[Path]:
    """Return the absolute sources that a build shall read, in order of their paths.

    Without `given` they are those that the index remembers, or `default` for a new index. Raises
    `SourcesChangedError` where others are given without saying whether to add or to replace.
    """
    named = {path.expanduser().resolve() for path in given}
    try:
        known = set(directory.sources()) if directory.exists() and not replace else set()
    except (IndexCorruptError, IndexFormatError):
        if not (fresh and named):
            raise
        known = set()
    if not known:
        return _apart(named or {default.expanduser().resolve()})
    if named - known and not add:
        raise SourcesChangedError(
            f"The index in {directory.path} is built from {_listed(known)}, not from "
            f"{_listed(named)}; say --add to have both or --replace to have only the new."
        )
    return _apart(known | named)


def _apart(sources: set[Path]) -> list[Path]:
    """Return the sources in order; raises `CorpusError` where one lies in another."""
    for source in sorted(sources):
        for above in sources.intersection(source.parents):
            raise CorpusError(f"{source} lies in {above}, which is a source already; name one.")
    return sorted(sources)


def build_index(
    directory: IndexDirectory,
    sources: Sequence[Path],
    encoder: Encoder,
    settings: Settings,
    progress: Progress = lambda done, total: None,
    fresh: bool = False,
    ray: str | None = None,
) -> BuildReport:
    """Bring the index up to date with its sources and publish it, if anything changed.

    `fresh` carries nothing over. `ray` is the address of a cluster that reads and embeds, or `local`.
    Raises `SeedsNotFoundError`, `CorpusError` where a new index would hold nothing,
    `DuplicateIdError`, `ClusterError`, and `IndexBusyError` while another process builds.
    """
    for source in sources:
        if not source.exists():
            raise SeedsNotFoundError(
                f"There are no seeds at {source}; name a folder or a file (and say --replace where "
                "the index knows others)."
            )

    def build(
        encoder: Encoder, readers: Readers | None = None, queue: tuple[int, int] = QUEUE
    ) -> BuildReport:
        def read(before: Before | None) -> Iterator[tuple[int, Found | Failure | Unchanged]]:
            for root, source in enumerate(sources):
                known = partial(before.has, source) if before else None
                size, bounds = settings.max_file_mb, limits(settings)
                for item in read_source(source, size, directory.path, bounds, known, readers):
                    yield root, item

        return _build(directory, sources, read, encoder, settings, progress, fresh, queue)

    if ray is None:
        return build(encoder)
    from rag.build.cluster import BULK, RayEncoder, RayReaders, on_ray

    with on_ray(ray):
        return build(RayEncoder(encoder, settings), RayReaders(limits(settings)), (BULK, BULK))


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
    return _build(directory, sources, lambda _: found, encoder, settings, progress, fresh, QUEUE)


def _build(
    directory: IndexDirectory,
    sources: Sequence[Path],
    read: Callable[[Before | None], Iterable[tuple[int, Found | Failure | Unchanged]]],
    encoder: Encoder,
    settings: Settings,
    progress: Progress,
    fresh: bool,
    queue: tuple[int, int],
) -> BuildReport:
    """Build from what `read` gives, which is told of the generation before where that read alike."""
    began = time.perf_counter()
    notices: list[Notice] = []
    stores = open_stores(settings)
    with directory.lock():
        directory.clean_staging()
        before = None if fresh else _before(directory, notices)
        previous = before.snapshot if before else None
        wanted = recorded(settings, encoder.spec.max_tokens)
        alike = previous is not None and dict(previous.manifest.settings) == wanted
        same = (
            previous is not None
            and alike
            and previous.manifest.encoder["fingerprint"] == encoder.spec.fingerprint
        )
        if settings.chunk_tokens > encoder.spec.max_tokens - 2:
            said = (
                f"{encoder.spec.name} reads {encoder.spec.max_tokens} tokens; chunks are cut to that."
            )
            notices.append(Notice("chunk_tokens_cut", said))
        with GenerationWriter(directory) as writer, writer.scratch("spool") as spool:
            gathered = gather(read(before if alike else None), sources, spool, before)
            gathered.notices[:0] = notices
            if not gathered.entries and previous is None:
                raise CorpusError(_nothing(sources, gathered.failed))
            if before and gathered.removed and not gathered.entries:
                said = "Every document is gone from the seeds."
                if settings.keep_generations > 1:
                    said += " `rag rollback` brings them back."
                gathered.notices.append(Notice("all_removed", said))
            changes = gathered.added + gathered.changed + gathered.removed
            if before and same and not changes and list(before.sources) == list(sources):
                stores.put(before.snapshot, directory.path.resolve())
                _clean(directory, stores, settings)
                return _report(before.snapshot.generation, gathered, len(before.snapshot), 0, began)
            writing = DocumentWriter(writer, previous, same, encoder, settings, queue)
            for done, entry in enumerate(gathered.entries, 1):
                writing.write(entry, spool)
                progress(done, len(gathered.entries))
            writing.finish()
            generation = writer.publish(
                sources,
                wanted,
                asdict(encoder.spec),
                dict(sorted(writing.languages.items())),
                {
                    "built": datetime.now(UTC).isoformat(timespec="seconds"),
                    "seconds": round(time.perf_counter() - began, 3),
                },
                partial(make_searchable, encoder, previous, writing.moved, settings.threads),
                partial(_put, stores, directory.path.resolve()),
            )
        _clean(directory, stores, settings, previous.generation if previous else None)
    return _report(generation, gathered, writer.chunks, writing.embedded, began)


def _put(stores: Stores, index: Path, folder: Path, manifest: Manifest) -> None:
    if not isinstance(stores, LocalStores):  # Windows renames no folder whose files are mapped
        stores.put(Snapshot(folder, manifest), index)


def _clean(
    directory: IndexDirectory, stores: Stores, settings: Settings, before: str | None = None
) -> None:
    """Remove generations that are no longer kept, on disk first."""
    directory.clean(settings.keep_generations, before)
    stores.keep(directory.digests(), directory.path.resolve())


def _before(directory: IndexDirectory, notices: list[Notice]) -> Before | None:
    if not directory.exists():
        return None
    try:
        snapshot = open_snapshot(directory)
        return Before(snapshot, directory.absolute(snapshot.manifest.time["sources"]))
    except (IndexCorruptError, IndexFormatError) as error:
        said = f"Nothing was carried over: {str(error).split(';')[0]}."
        notices.append(Notice("rebuilt_whole", said))
        return None


def _report(
    generation: str, gathered: Gathered, chunks: int, embedded: int, began: float
) -> BuildReport:
    return BuildReport(
        generation=generation,
        added=gathered.added,
        changed=gathered.changed,
        removed=gathered.removed,
        unchanged=gathered.unchanged,
        failed=gathered.failed,
        chunks=chunks,
        embedded=embedded,
        reused=chunks - embedded,
        seconds=round(time.perf_counter() - began, 3),
        warnings=gathered.notices,
    )


def _nothing(sources: Sequence[Path], failed: Sequence[Mapping[str, Any]]) -> str:
    said = f"There is no document in {_listed(sources) or 'what was given'}"
    if failed:
        first = failed[0]
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        said += f" that we can read ({first['doc']}: {first['reason']}{more})"
    return said + "; nothing was built."


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(sorted(str(path) for path in paths))
