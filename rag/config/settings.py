"""Settings: the only reader of the environment and of `rag.toml`.

An argument beats the environment (`RAG_*`), which beats `rag.toml` in the working folder, which
beats the default. An unknown name in either place is an error that names the nearest known one.
"""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from rag.config.service import ServiceSettings
from rag.errors import ConfigError
from rag.types import Policy

PREFIX = "RAG_"
FILE = Path("rag.toml")


class Settings(ServiceSettings):
    """Everything that can be set, with its default.

    Raises `ValidationError` when built directly; `load` turns that into a `ConfigError`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    index: Path = Field(Path("index"), description="Folder of the index.")
    seeds: Path = Field(Path("seeds"), description="Seeds of an index that has none yet.")
    prompts: Path | None = Field(None, description="Folder whose templates override ours.")
    cache_dir: Path | None = Field(
        None, description="Where compiled encoders are kept; the user's cache folder if unset."
    )
    encoder: str = Field(
        "onnx:minilm", description="`onnx:<model>`, `st:<model>`, or `http:<model>` on a server."
    )
    encoder_base_url: str = Field(
        "http://127.0.0.1:8080/v1", description="Server of `http:<model>`, with its `/v1`."
    )
    encoder_api_key: SecretStr | None = Field(None, description="Its key, from the environment only.")
    encoder_max_tokens: int = Field(
        256, ge=16, description="Longest text that it reads whole, in tokens."
    )
    encoder_query_prefix: str = Field("", description="What it wants before a question.")
    encoder_passage_prefix: str = Field("", description="What it wants before a passage.")
    encoder_languages: str | None = Field(
        None, description="Languages the encoder can read, as `en,de`; unset: what it declares."
    )
    backend: str = Field(
        "extractive",
        description="What writes the answer: `extractive`, `openai:<model>`, `ollama:<model>`, "
        "`anthropic:<model>`, `llamacpp:<file.gguf>`; in `a,b` each answers where those before fail.",
    )
    openai_base_url: str = Field(
        "http://127.0.0.1:8080/v1", description="Server of `openai:<model>`, with its `/v1`."
    )
    openai_api_key: SecretStr | None = Field(None, description="Its key, from the environment only.")
    ollama_base_url: str = Field("http://127.0.0.1:11434", description="Server of `ollama:<model>`.")
    anthropic_base_url: str = Field(
        "https://api.anthropic.com", description="Server of `anthropic:<model>`, without `/v1`."
    )
    anthropic_api_key: SecretStr | None = Field(None, description="Its key, from the environment only.")
    stream: bool = Field(
        True, description="Whether models are asked for their reply bit by bit, not in one piece."
    )
    model_context_tokens: int | None = Field(
        None,
        ge=256,
        description="Tokens that a model's prompt and reply may take together; unset: not known, but "
        "for Ollama, which tells.",
    )
    connect_seconds: float = Field(5, gt=0, description="Time to reach a backend's server.")
    first_token_seconds: float = Field(
        120, gt=0, description="Time within which a backend must begin its reply."
    )
    silence_seconds: float = Field(
        60, gt=0, description="Longest silence of a backend within its reply."
    )
    reply_seconds: float = Field(
        600, gt=0, description="Time for a whole reply of a backend, however often it is asked again."
    )
    retries: int = Field(
        2,
        ge=0,
        le=10,
        description="How often a backend is asked again that cannot answer, before it says anything.",
    )
    reply_tokens: int = Field(1024, ge=16, description="Longest reply of a model.")
    grounding: Policy = Field(
        "annotate",
        description="Sentences that nothing supports: `annotate` marks them, `strict` leaves them out, "
        "`repair` has the model mend them once first.",
    )
    judge: str = Field(
        "hybrid",
        description="What tells whether a text supports a claim: `hybrid`, `lexical` or `nli:<model>`.",
    )
    condense: bool = Field(
        True, description="Whether a model first makes a question of a conversation stand alone."
    )
    store: str = Field(
        "faiss",
        description="Where vectors and words are searched: `faiss`, in the index's own files, or "
        "`milvus:<uri>`.",
    )
    milvus_token: SecretStr | None = Field(None, description="Token, or `user:password`, of Milvus.")
    milvus_prefix: str = Field("seedrag", description="What names of our collections begin with.")
    top_k: int = Field(8, ge=1, le=1000, description="Passages that are retrieved.")
    alpha: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Usual weight of the dense signal where the encoder can read; each question moves "
        "it.",
    )
    alpha_blind: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Its weight where the encoder cannot read the language, whatever the question.",
    )
    candidates: int = Field(
        100, ge=1, le=10_000, description="Hits that each of the two searches brings to fusion."
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Confidence below which we abstain; unset: calibrated."
    )
    calibration: Path | None = Field(
        None, description="File of `python -m eval calibrate`; the shipped calibration if unset."
    )
    context_tokens: int = Field(
        3000, ge=100, description="Most tokens of passages that a prompt may carry."
    )
    llamacpp_context_tokens: int = Field(
        4096,
        ge=256,
        description="Most tokens that prompt and reply of `llamacpp:` may take; they cost memory.",
    )
    chunk_tokens: int = Field(
        200, ge=16, le=8192, description="Longest chunk, in the encoder's tokens."
    )
    overlap_tokens: int = Field(
        40, ge=0, description="Most tokens of whole sentences that two chunks share."
    )
    k1: float = Field(0.9, ge=0, le=10, description="BM25's saturation of repeated terms.")
    b: float = Field(0.6, ge=0, le=1, description="BM25's correction for length.")
    max_file_mb: float = Field(64, gt=0, description="Largest file that is read, in MB.")
    read_seconds: float = Field(
        60, gt=0, allow_inf_nan=False, description="Longest that reading one file may take."
    )
    read_memory_mb: int = Field(
        1024, ge=256, description="Most memory that reading one file may take, in MB."
    )
    keep_generations: int = Field(3, ge=1, description="Published generations that stay on disk.")
    remembered: int = Field(
        8192,
        ge=0,
        description="Questions and sentences whose vectors are kept in memory, 1.5 kB each; 0: none.",
    )
    reader: str = Field(
        "shipped",
        description="A small model that reads the passages: it orders them, and finds the words that "
        "answer where no language model writes. `shipped`, the folder of one's own, or `off`.",
    )
    rerank: bool = Field(
        True, description="Whether passages are ordered anew; `false` leaves that to the search."
    )
    reranker: str = Field(
        "reader",
        description="What orders them: `reader`, or `cross:<model>`, a cross-encoder in a folder or "
        "downloaded before.",
    )
    threads: int = Field(
        0,
        ge=0,
        description="Threads of the encoder, of searches and of `llamacpp:`; 0: one for each core.",
    )

    @model_validator(mode="after")
    def _overlap_below_chunk(self) -> "Settings":
        if self.overlap_tokens * 2 > self.chunk_tokens:
            raise ValueError("overlap_tokens must be at most half of chunk_tokens")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the file below the environment; read no `.env` and no secrets folder."""
        return (init_settings, env_settings, InitSettingsSource(settings_cls, _from_file()))

    @classmethod
    def load(cls, **arguments: Any) -> "Settings":
        """Return the settings in force; arguments that are None count as not given.

        Raises `ConfigError` for an unknown name, a malformed file or a value out of bounds.
        """
        _refuse_unknown(
            [name[len(PREFIX) :].lower() for name in os.environ if name.startswith(PREFIX)],
            "environment variable {PREFIX}{NAME}",
        )
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            said = first["msg"].removeprefix("Value error, ")
            if name:
                shown = "" if "key" in name else f" (given: {first['input']!r})"
                raise ConfigError(f"Setting {name!r}: {said}{shown}.") from None
            raise ConfigError(f"Settings: {said}.") from None
        except SettingsError as error:
            raise ConfigError(f"Settings: {error}; the value must be JSON.") from None


def _from_file() -> dict[str, Any]:
    try:
        values = tomllib.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{FILE} cannot be read: {error}.") from None
    _refuse_unknown(list(values), "key {name!r} in rag.toml")
    for name, field in Settings.model_fields.items():
        if name in values and field.annotation == SecretStr | None:
            raise ConfigError(
                f"{FILE} holds {name}; a key does not belong in a file, set {PREFIX}{name.upper()}."
            )
    return values


def _refuse_unknown(names: list[str], how: str) -> None:
    for name in names:
        if name not in Settings.model_fields:
            plain = name.lower().removeprefix(PREFIX.lower())
            near = difflib.get_close_matches(plain, Settings.model_fields, n=1, cutoff=0.5)
            said = how.format(name=name, NAME=name.upper(), PREFIX=PREFIX)
            if not near:
                raise ConfigError(f"Unknown {said}; the README lists the settings.")
            hint = how.format(name=near[0], NAME=near[0].upper(), PREFIX=PREFIX)
            raise ConfigError(f"Unknown {said}; the nearest known is {hint}.")


def cache_dir(settings: Settings) -> Path:
    """Return the folder for what can be computed again, by the platform's custom."""
    if settings.cache_dir is not None:
        return settings.cache_dir.expanduser()
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "seedrag"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "seedrag"
