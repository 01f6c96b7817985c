"""Encoders: text → unit vectors. `open_encoder` turns a spec such as `onnx:minilm` into one."""

from importlib.metadata import entry_points
from typing import cast

from rag.config import Settings, cache_dir
from rag.embed.around import EncoderAround
from rag.embed.remember import RememberingEncoder
from rag.errors import ConfigError
from rag.protocols import Encoder

__all__ = ["EncoderAround", "RememberingEncoder", "open_encoder"]


def open_encoder(settings: Settings) -> Encoder:
    """Return the encoder that `settings.encoder` names; it remembers the questions of late.

    `onnx:minilm` is the bundled all-MiniLM-L6-v2; `onnx:<path or hub name>` compiles any
    sentence-transformers model that exports; `st:<path or hub name>` runs one as it is;
    `http:<model>` asks a server that takes OpenAI's `/v1/embeddings`. Other kinds come from the
    entry-point group `rag.encoders`, called with the model and the settings.

    Raises `ConfigError` for a spec that names no encoder, `EncoderError` if it cannot be opened.
    """
    encoder = _opened(settings)
    return RememberingEncoder(encoder, settings.remembered) if settings.remembered else encoder


def _opened(settings: Settings) -> Encoder:
    kind, _, model = settings.encoder.partition(":")
    named = settings.encoder_languages
    languages = tuple(code.strip() for code in named.split(",")) if named else None
    if kind == "onnx" and model:
        from rag.embed.onnx import OnnxEncoder

        return OnnxEncoder.open(model, cache_dir(settings), settings.threads, languages)
    if kind == "st" and model:
        from rag.embed.st import SentenceTransformerEncoder

        return SentenceTransformerEncoder.open(model, languages)
    if kind == "http" and model:
        from rag.embed.http import HttpEncoder

        return HttpEncoder(model, settings, languages)
    for plugin in entry_points(group="rag.encoders", name=kind):
        return cast(Encoder, plugin.load()(model, settings))
    raise ConfigError(
        f"No encoder {settings.encoder!r}: use onnx:minilm, onnx:<model> or st:<model>, where "
        "<model> is a folder or the name of a model that was downloaded before, or http:<model> for "
        "one on a server."
    )
