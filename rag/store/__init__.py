"""Index generations on disk: written once, published by one rename, never changed after.

index/CURRENT             the name of the published generation; read first
index/gen-000001/         one generation; `manifest.json` says what every file must hold
index/.building-…/        a generation in the making, invisible to readers
index/.lock               held by the one writer
"""

from rag.store.directory import IndexDirectory
from rag.store.layout import ChunkRow, DocumentRow, Manifest
from rag.store.snapshot import Snapshot, open_snapshot, verify_generation
from rag.store.writer import GenerationWriter

__all__ = [
    "ChunkRow",
    "DocumentRow",
    "GenerationWriter",
    "IndexDirectory",
    "Manifest",
    "Snapshot",
    "open_snapshot",
    "verify_generation",
]
