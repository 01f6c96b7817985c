"""Writes one generation beside the published ones, and publishes it when it is whole."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xxhash

from rag.lexical import LexicalBuilder
from rag.store import layout
from rag.store.directory import STAGING, IndexDirectory
from rag.store.layout import ChunkRow, Manifest
from rag.types import Vectors

_ROOM = 1 << 18
"""Bytes of a file that are read at a time."""


class GenerationWriter:
    """Takes documents in the order of their ids, then their chunks' vectors in the same order.

    Everything streams to disk. Use it as a context: what is not published by then is removed.
    """

    def __init__(self, directory: IndexDirectory) -> None:
        self._directory = directory
        self._scratch = tempfile.TemporaryDirectory(
            dir=directory.path, prefix=STAGING, ignore_cleanup_errors=True
        )
        self.folder = Path(self._scratch.name, "generation")
        self.folder.mkdir()
        self.lexical = LexicalBuilder(self.folder / "postings.scratch")
        self._files: dict[str, BinaryIO] = {}
        self._sizes: dict[str, int] = {}
        self._documents: list[tuple[int, ...]] = []
        self.chunks = 0
        for name in (
            layout.DOCUMENTS,
            layout.TEXTS,
            layout.CHUNK_TABLE,
            layout.VECTORS,
            layout.HASHES,
        ):
            self._files[name] = (self.folder / name).open("wb")
            self._sizes[name] = 0

    def __enter__(self) -> "GenerationWriter":
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()
        self.lexical.close()
        self._scratch.cleanup()

    def scratch(self, name: str) -> BinaryIO:
        """Return a file of one's own that goes when the writer does."""
        return Path(self._scratch.name, name).open("w+b")

    def add_document(self, line: bytes, text: bytes, chunks: Iterable[ChunkRow], hashes: bytes) -> None:
        """Add a document by its line, with its chunks, whose byte offsets count from its start."""
        line_at = self._put(layout.DOCUMENTS, line)
        text_at = self._put(layout.TEXTS, text)
        first, number = self.chunks, len(self._documents)
        table = np.array(
            [
                (number, c.heading, c.start, c.end, text_at + c.text, text_at + c.text_end)
                for c in chunks
            ],
            layout.CHUNK_DTYPE,
        )
        self._put(layout.CHUNK_TABLE, table.tobytes())
        self._put(layout.HASHES, hashes)
        self.chunks += len(table)
        self._documents.append((line_at, line_at + len(line), text_at, text_at + len(text), first))

    def add_vectors(self, vectors: Vectors) -> None:
        """Add the next chunks' vectors, shape (n, d)."""
        self._put(layout.VECTORS, np.ascontiguousarray(vectors, "<f4").tobytes())

    def publish(
        self,
        sources: Sequence[Path],
        settings: Mapping[str, Any],
        encoder: Mapping[str, Any],
        languages: Mapping[str, int],
        time: Mapping[str, Any],
        searchable: Callable[[Path], Mapping[str, Any]] = lambda folder: {},
        ready: Callable[[Path, Manifest], None] = lambda folder, manifest: None,
    ) -> str:
        """Write the rest, wait for the disk, give the generation its name and make it current.

        `searchable` may add a file to the folder, which is complete by then but for the manifest, and
        returns how vectors are searched, with the file's name under `file` if there is one. `ready` is
        told of the generation before it is published.
        """
        for file in self._files.values():
            file.close()
        table = np.array(self._documents, layout.DOCUMENT_DTYPE)
        (self.folder / layout.DOCUMENT_TABLE).write_bytes(table.tobytes())
        self.lexical.write(self.folder, self.chunks, settings["k1"], settings["b"])
        search = dict(searchable(self.folder))
        derived = [name for name in [search.get("file")] if name]
        files = self._described([*layout.FILES, *derived])
        if derived:
            search["files"] = {name: files.pop(name) for name in derived}
        manifest = Manifest(
            format=layout.FORMAT,
            counts={"documents": len(self._documents), "chunks": self.chunks},
            settings=settings,
            encoder=encoder,
            languages=languages,
            files=files,
            search=search,
        )
        sealed = manifest.sealed({**time, "sources": self._directory.relative(sources)})
        self._directory.disk.write_file(self.folder / layout.MANIFEST, sealed)
        self._directory.disk.sync_folder(self.folder)
        ready(self.folder, Manifest.parse(sealed, layout.MANIFEST))
        name = self._directory.next_name()
        self._directory.disk.publish(self.folder, self._directory.folder(name))
        self._directory.point_to(name)
        return name

    def _described(self, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return what there is to know of files, which are on the disk by then."""
        paths = [self.folder / name for name in names]
        pool = ThreadPoolExecutor(2)
        try:
            described = pool.map(describe, paths)
            for path in paths:
                self._directory.disk.sync_file(path)
            return dict(zip(names, described, strict=True))
        finally:
            pool.shutdown(cancel_futures=True)

    def _put(self, name: str, data: bytes) -> int:
        at = self._sizes[name]
        self._files[name].write(data)
        self._sizes[name] += len(data)
        return at


def describe(path: Path) -> dict[str, Any]:
    """Return a file's size in bytes, its sha256, and the xxh3 of 128 bits, which is far faster."""
    return _digested(path, sha256=hashlib.sha256(), xxh3=xxhash.xxh3_128())


def checksum(path: Path) -> dict[str, Any]:
    """Return a file's size in bytes and its xxh3, which any accident changes."""
    return _digested(path, xxh3=xxhash.xxh3_128())


def _digested(path: Path, **digests: Any) -> dict[str, Any]:
    size, room = 0, memoryview(bytearray(_ROOM))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(room):
            size += count
            for digest in digests.values():
                digest.update(room[:count])
    return {"bytes": size, **{name: digest.hexdigest() for name, digest in digests.items()}}
