"""Backends: a `Request` → a `Draft`. `open_backends` turns specs such as `extractive` into them."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from rag.backends.chat import ChatBackend
from rag.backends.known import KnownChat, recall
from rag.config import Settings
from rag.errors import ConfigError, RagError
from rag.protocols import Backend, ChatModel, Encoder, SpanReader

__all__ = ["open_backends", "open_chat"]


_CHATS = {
    "openai": ("rag.backends.openai", "OpenAIChat"),
    "ollama": ("rag.backends.ollama", "OllamaChat"),
    "anthropic": ("rag.backends.anthropic", "AnthropicChat"),
    "llamacpp": ("rag.backends.llamacpp", "LlamaChat"),
}
"""Where the models of each kind are: their modules are loaded when they are asked for."""


def open_backends(
    settings: Settings, encoder: Encoder, reader: SpanReader | None = None
) -> Sequence[Backend]:
    """Return the backends that `settings.backend` names, `openai:big,extractive`, in that order.

    A later one answers where those before it fail. Raises `ConfigError` for an unknown one.
    """
    specs = [spec.strip() for spec in settings.backend.split(",")]
    return [_heeding(_open(spec, settings, encoder, reader), spec, settings) for spec in specs]


def open_chat(spec: str, settings: Settings) -> ChatModel | None:
    """Return the model of one spec as it is, or None for a backend that reads no prompts.

    Raises `ConfigError` for an unknown one.
    """
    return None if spec == "extractive" else _open(spec, settings, None, None).chat


def _heeding(backend: Backend, spec: str, settings: Settings) -> Backend:
    """Return a backend that heeds what `rag doctor --backend` found of it, if that limits it."""
    known = recall(spec, settings)
    if not isinstance(backend, ChatBackend) or known is None or known.context_tokens is None:
        return backend
    return ChatBackend(KnownChat(backend.chat, known))


def _open(spec: str, settings: Settings, encoder: Encoder | None, reader: SpanReader | None) -> Backend:
    """Return one backend: `extractive`, or `<kind>:<model>`.

    Other kinds come from the entry-point group `rag.backends`, called with what follows the colon
    and the settings; they give a `Backend`, or a `ChatModel`.
    """
    kind, _, model = spec.partition(":")
    if kind == "extractive" and not model and encoder is not None:
        from rag.backends.extractive import ExtractiveBackend

        return ExtractiveBackend(encoder, reader)
    if kind in _CHATS and model:
        module, name = _CHATS[kind]
        return ChatBackend(getattr(import_module(module), name).open(model, settings))
    for plugin in entry_points(group="rag.backends", name=kind):
        return _plugged(plugin, model, settings)
    raise ConfigError(
        f"No backend {spec!r}; use extractive, openai:<model>, ollama:<model>, anthropic:<model> or "
        "llamacpp:<file.gguf>."
    )


def _plugged(plugin: EntryPoint, model: str, settings: Settings) -> Backend:
    """Return the backend of another package; raises `ConfigError` where that package fails."""
    try:
        opened = plugin.load()(model, settings)
    except RagError:
        raise
    except Exception as error:  # whatever another package raises, its user gets a sentence
        raise ConfigError(
            f"The package behind {plugin.name}: ({plugin.value}) fails: {error!r}."
        ) from None
    return cast(Backend, opened) if hasattr(opened, "generate") else ChatBackend(opened)
