"""Backends: a `Request` → a `Draft`. `open_backends` turns specs such as `extractive` into them."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import cast

from rag.backends.chat import ChatBackend
from rag.config import Settings
from rag.errors import ConfigError
from rag.protocols import Backend, Encoder

__all__ = ["open_backends"]


def open_backends(settings: Settings, encoder: Encoder) -> Sequence[Backend]:
    """Return the backends that `settings.backend` names, `openai:big,extractive`, in that order.

    A later one answers where those before it fail. Raises `ConfigError` for an unknown one.
    """
    specs = [spec.strip() for spec in settings.backend.split(",")]
    return [_open(spec, settings, encoder) for spec in specs]


def _open(spec: str, settings: Settings, encoder: Encoder) -> Backend:
    """Return one backend: `extractive`, or `<kind>:<model>`.

    Other kinds come from the entry-point group `rag.backends`, called with what follows the colon
    and the settings; they give a `Backend`, or a `ChatModel`.
    """
    kind, _, model = spec.partition(":")
    if kind == "extractive" and not model:
        from rag.backends.extractive import ExtractiveBackend

        return ExtractiveBackend(encoder)
    if kind == "openai" and model:
        from rag.backends.openai import OpenAIChat

        return ChatBackend(OpenAIChat.open(model, settings))
    if kind == "ollama" and model:
        from rag.backends.ollama import OllamaChat

        return ChatBackend(OllamaChat.open(model, settings))
    if kind == "anthropic" and model:
        from rag.backends.anthropic import AnthropicChat

        return ChatBackend(AnthropicChat.open(model, settings))
    for plugin in entry_points(group="rag.backends", name=kind):
        opened = plugin.load()(model, settings)
        return cast(Backend, opened) if hasattr(opened, "generate") else ChatBackend(opened)
    raise ConfigError(
        f"No backend {spec!r}; use extractive, openai:<model>, ollama:<model> or anthropic:<model>."
    )
