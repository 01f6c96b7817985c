"""The system that is measured, and the fingerprints of all that its answers depend on."""

import hashlib
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import regex

from eval.gold import DIGITS, Gold, digest_of
from rag.answer import Answerer
from rag.backends import open_backends
from rag.build import build_index, plan_sources
from rag.cite import Checker, open_judge
from rag.confidence import SHIPPED, Calibration
from rag.config import ServiceSettings, Settings, cache_dir
from rag.corpus import Found, read_source
from rag.embed import open_encoder
from rag.prompt import Prompter
from rag.reader import open_reader, open_reranker, reader_digest
from rag.retrieve import Retriever
from rag.store import IndexDirectory, Snapshot, open_snapshot
from rag.types import Document

Progress = Callable[[int, int], None]

_ELSEWHERE = {
    *("index", "seeds", "prompts", "calibration"),  # told by the digest of what stands there
    # No answer depends on these:
    *("cache_dir", "keep_generations", "threads", "max_file_mb", "remembered", "stream", "retries"),
    *("connect_seconds", "first_token_seconds", "silence_seconds", "reply_seconds"),
    *ServiceSettings.model_fields,
}
"""Settings that fingerprints leave out. All others count, those of tomorrow too."""
_SECRET = ("key", "token", "secret", "password")
_NAME = regex.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class System:
    """An answerer over one generation, which stays open while it is measured."""

    answerer: Answerer
    settings: Settings
    snapshot: Snapshot
    prompt: str
    calibration: str
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Documents that stand in the seeds and could not be indexed, with the reason."""
    seeds_read: bool = False
    """Whether the index was brought up to date with its seeds just now."""

    @cached_property
    def texts(self) -> dict[str, str]:
        """Every document's text as it is indexed."""
        numbers = range(self.snapshot.documents)
        return {self.snapshot.document(n).id: self.snapshot.document_bytes(n).decode() for n in numbers}

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """Return what the answers depend on, part by part; equal parts mean the same system."""
        manifest = self.snapshot.manifest
        values = self.settings.model_dump(mode="json", exclude=_ELSEWHERE)
        return {
            "index": manifest.digest,
            "documents": self.snapshot.documents,
            "chunks": len(self.snapshot),
            "encoder": manifest.encoder["name"],
            "encoder_fingerprint": manifest.encoder["fingerprint"][:DIGITS],
            "backend": self.settings.backend,
            "prompt": self.prompt,
            "calibration": self.calibration,
            "reader": reader_digest(self.settings),
            "settings": {k: v for k, v in values.items() if not k.endswith(_SECRET)},
            "code": code_digest(self.settings),
        }


def open_system(
    gold: Gold,
    settings: Settings,
    seeds: Path | None = None,
    index: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> System:
    """Open what the questions are asked of.

    `index` alone is asked as it is. Else an index of the seeds is brought up to date first: of
    `seeds`, or the `corpus.jsonl` beside the gold, or the settings' seeds; in `index`, or in the
    cache. Raises what building and opening raise.
    """
    encoder = open_encoder(settings)
    unreadable: dict[str, str] = {}
    if index is None or seeds is not None:
        source = source_of(gold, settings, seeds)
        directory = IndexDirectory(index or _kept(source, settings))
        sources = plan_sources(directory, [source], source, add=False, replace=index is None)
        report = build_index(directory, sources, encoder, settings, progress)
        unreadable = {each["doc"]: each["reason"] for each in report.failed}
    else:
        directory = IndexDirectory(index)
    snapshot = open_snapshot(directory)
    prompter = Prompter.open(settings.prompts)
    calibration = Calibration.load(settings.calibration)
    answerer = Answerer(
        Retriever(snapshot, encoder, settings, open_reranker(settings)),
        open_backends(settings, encoder, open_reader(settings)),
        prompter,
        Checker(open_judge(settings.judge, encoder)),
        calibration,
        settings,
    )
    told = _digest(settings.calibration or SHIPPED)
    return System(
        answerer,
        settings,
        snapshot,
        prompter.version,
        f"{calibration.id}/{told}",
        unreadable,
        seeds_read=index is None or seeds is not None,
    )


def read_documents(gold: Gold, settings: Settings, seeds: Path | None = None) -> list[Document]:
    """Return the documents of the seeds, read anew and without an index."""
    read = read_source(source_of(gold, settings, seeds), settings.max_file_mb)
    return [item.document for item in read if isinstance(item, Found)]


def read_texts(gold: Gold, settings: Settings, seeds: Path | None = None) -> dict[str, str]:
    """Return the text of every document of the seeds, by id."""
    return {document.id: document.text for document in read_documents(gold, settings, seeds)}


def source_of(gold: Gold, settings: Settings, seeds: Path | None) -> Path:
    """Return `seeds`, or the `corpus.jsonl` beside the gold, or the settings' seeds."""
    beside = gold.path.with_name("corpus.jsonl")
    return (seeds or (beside if beside.exists() else settings.seeds)).expanduser().resolve()


def code_digest(settings: Settings) -> str:
    """Return the digest of the library's files, of plug-ins' and of the versions of what it calls."""
    python = [*sys.version_info[:2], platform.machine()]
    return digest_of([_files("rag"), sorted(_versions()), dict(_plugins(settings)), python])


def _kept(source: Path, settings: Settings) -> Path:
    """Return the cache folder of a source's index."""
    name = f"{source.stem}-{digest_of(str(source))}"
    return cache_dir(settings) / "eval" / "indexes" / name


def _versions() -> Iterator[str]:
    for requirement in requires("seedrag") or ():
        name = _NAME.match(requirement)
        if name and ";" not in requirement:
            yield f"{name[0]} {_version(name[0])}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _plugins(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yield the plug-ins that the settings name, with the digests of their packages' files."""
    for group, spec in (("rag.backends", settings.backend), ("rag.encoders", settings.encoder)):
        for plugin in entry_points(group=group, name=spec.partition(":")[0]):
            yield plugin.value, _files(plugin.module.partition(".")[0])


def _files(package: str) -> dict[str, str]:
    """Return the digests of an importable package's files, or of its one module."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return {}
    if not spec.submodule_search_locations:
        return {package: _digest(Path(spec.origin))}
    return {
        path.relative_to(root).as_posix(): _digest(path)
        for root in map(Path, spec.submodule_search_locations)
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path != SHIPPED
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
