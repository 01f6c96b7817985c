"""Settings: the only reader of the environment and of `rag.toml`."""

from rag.config.service import CollectionPaths, ServiceSettings
from rag.config.settings import FILE, PREFIX, Settings, cache_dir

__all__ = ["FILE", "PREFIX", "CollectionPaths", "ServiceSettings", "Settings", "cache_dir"]
