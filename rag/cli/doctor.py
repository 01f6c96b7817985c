"""Finds the usual troubles, and says for each how to mend it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rag.build import changed_documents
from rag.config import Settings, cache_dir
from rag.embed import open_encoder
from rag.errors import IndexMissingError, RagError
from rag.retrieve import Retriever
from rag.store import IndexDirectory, open_snapshot


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `detail` says what was found and, if need be, the mend."""

    name: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Check]:
    """Return every check, whatever the ones before it found."""
    checks: list[Check] = []
    looks: list[tuple[str, Callable[[Settings], str]]] = [
        ("python", _python),
        ("torch", _torch),
        ("cache", _cache),
        ("encoder", _encoder),
        ("index", _index),
        ("seeds", _seeds),
    ]
    for name, look in looks:
        try:
            checks.append(Check(name, True, look(settings)))
        except _Trouble as trouble:
            checks.append(Check(name, False, str(trouble)))
        except RagError as error:
            checks.append(Check(name, False, str(error)))
    return checks


class _Trouble(Exception):  # noqa: N818 - it never leaves this file
    """What is wrong and how to mend it."""


def _python(_: Settings) -> str:
    return f"{sys.version.split()[0]}, {sys.platform}"


def _torch(_: Settings) -> str:
    try:
        found = version("torch")
    except PackageNotFoundError:
        raise _Trouble(
            "torch is missing, so no encoder can be compiled: install torch, then seedrag again."
        ) from None
    if sys.platform == "linux" and "+cpu" not in found:
        return f"{found}; a CPU build would be gigabytes smaller (queries do without it)"
    return f"{found} (queries do without it)"


def _cache(settings: Settings) -> str:
    folder = cache_dir(settings)
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise _Trouble(
            f"{folder} is not writable ({error.strerror}): set RAG_CACHE_DIR to a folder that is."
        ) from None
    return str(folder)


def _encoder(settings: Settings) -> str:
    spec = open_encoder(settings).spec
    return f"{spec.name}, {spec.precision}, {spec.dimension} dimensions, {spec.fingerprint[:12]}"


def _index(settings: Settings) -> str:
    retriever = Retriever.open(settings=settings)
    return f"{settings.index}: {retriever.index.generation} is whole and fits the encoder"


def _seeds(settings: Settings) -> str:
    directory = IndexDirectory(settings.index)
    try:
        snapshot = open_snapshot(directory)
    except IndexMissingError:
        raise _Trouble("nothing is indexed yet: run `rag build`.") from None
    changed = _first(changed_documents(snapshot, directory.sources(), settings), 3)
    if changed:
        raise _Trouble(f"the index is stale ({', '.join(changed)} …): run `rag build`.")
    return "the index holds them as they are"


def _first(items: Iterator[str], count: int) -> list[str]:
    return [item for item, _ in zip(items, range(count), strict=False)]
