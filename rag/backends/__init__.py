"""Backends: a `Request` → a `Draft`. `open_backend` turns a spec such as `extractive` into one."""

from importlib.metadata import entry_points
from typing import cast

from rag.config import Settings
from rag.errors import ConfigError
from rag.protocols import Backend, Encoder

__all__ = ["open_backend"]


def open_backend(settings: Settings, encoder: Encoder) -> Backend:
    """Return the backend that `settings.backend` names; raises `ConfigError` for an unknown one.

    `extractive` needs no model; `openai:<model>` is any server that speaks OpenAI's chat
    completions at `RAG_OPENAI_BASE_URL`. Other kinds come from the entry-point group
    `rag.backends`, called with what follows the colon and the settings.
    """
    kind, _, model = settings.backend.partition(":")
    if kind == "extractive" and not model:
        from rag.backends.extractive import ExtractiveBackend

        return ExtractiveBackend(encoder)
    if kind == "openai" and model:
        from rag.backends.chat import ChatBackend
        from rag.backends.openai import OpenAIChat

        return ChatBackend(OpenAIChat.open(model, settings))
    for plugin in entry_points(group="rag.backends", name=kind):
        return cast(Backend, plugin.load()(model, settings))
    raise ConfigError(f"No backend {settings.backend!r}; use extractive or openai:<model>.")
