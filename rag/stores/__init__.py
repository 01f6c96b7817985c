"""Where vectors and words are searched: unit float32 rows, shape (n, d), → the nearest rows."""

from collections.abc import Collection
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from rag.config import Settings
from rag.errors import ConfigError
from rag.protocols import Indexed, Stores, VectorStore, WordSearch

__all__ = ["LocalStores", "open_stores"]


class LocalStores:
    """Each generation is searched in its own files."""

    def open(self, indexed: Indexed) -> tuple[VectorStore, WordSearch]:
        """Return what searches a generation."""
        from rag.stores.ivf import open_store

        store = open_store(indexed.vectors, indexed.folder, indexed.search, indexed.vectors_of)
        return store, indexed.words

    def put(self, indexed: Indexed, index: Path) -> None:
        """Do nothing: it is there."""

    def keep(self, digests: Collection[str], index: Path) -> None:
        """Do nothing: generations go with their files."""


def open_stores(settings: Settings) -> Stores:
    """Return what `settings.store` names: `faiss`, or `milvus:<uri>`.

    Other kinds come from the entry-point group `rag.stores`, called with what follows the colon and
    the settings. Raises `ConfigError` for a name that is none, `StoreError`.
    """
    kind, _, where = settings.store.partition(":")
    if kind == "faiss" and not where:
        return LocalStores()
    if kind == "milvus" and where:
        from rag.stores.milvus import MilvusStores

        return MilvusStores(where, settings)
    for plugin in entry_points(group="rag.stores", name=kind):
        return cast(Stores, plugin.load()(where, settings))
    raise ConfigError(
        f"No store {settings.store!r}: use faiss, or milvus:<uri> with the address of a server or the "
        "path of a Milvus Lite file."
    )
