"""How a generation's vectors will be searched: decided, and measured, when they are all there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rag import text
from rag.protocols import Encoder
from rag.store import Snapshot, layout
from rag.types import Rows, Vectors

_SAMPLE = 200
"""Sentences of the documents that stand in for questions when recall is measured."""


def make_searchable(
    encoder: Encoder, previous: Snapshot | None, moved: Rows, threads: int, folder: Path
) -> Mapping[str, Any]:
    """Write what the vectors in `folder` are searched by, if they are many; return how.

    `moved` says for each row of the previous generation which one it is now, or -1.
    """
    count = (folder / layout.HASHES).stat().st_size // layout.HASH_BYTES
    if count == 0:
        return {}
    from rag.stores import ivf

    if count <= ivf.EXACT:
        return ivf.Tuning().value()
    from rag.stores.faiss import limited

    shape = (count, encoder.spec.dimension)
    vectors: Vectors = np.memmap(folder / layout.VECTORS, "<f4", "r", shape=shape).view(np.ndarray)
    before = None
    if previous is not None and previous.manifest.search.get("file"):
        same = previous.manifest.encoder["fingerprint"] == encoder.spec.fingerprint
        before = (previous.folder, previous.manifest.search, moved) if same else None
    queries = encoder.encode_queries(_sentences(folder))
    with limited(threads):
        return ivf.write(vectors, folder, queries, before).value()


def _sentences(folder: Path) -> list[str]:
    """Return a sentence of each of some chunks."""
    chunks = np.memmap(folder / layout.CHUNK_TABLE, layout.CHUNK_DTYPE, "r")
    texts = np.memmap(folder / layout.TEXTS, "u1", "r")
    found = []
    for at in np.sort(np.random.default_rng(1).permutation(len(chunks))[:_SAMPLE]):
        said = bytes(texts[chunks[at]["text"] : chunks[at]["text_end"]]).decode()
        spans = text.sentences(said)
        start, end = spans[len(spans) // 2] if spans else (0, len(said))
        found.append(said[start:end])
    return found
