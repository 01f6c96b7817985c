"""What can be set of the service; the library and the harness have no use for it."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_KEY = re.compile(r"(?:read|admin):[0-9a-f]{64}")
_ORIGIN = re.compile(r"https?://[^/\s*?#]+/?")
_RATE = re.compile(r"\d+ ?(?:/|per) ?(?:\d+ ?)?(?:second|minute|hour|day)s?")

Listed = Annotated[tuple[str, ...], NoDecode]
"""Several values: an array in `rag.toml`, separated by commas in the environment."""


class CollectionPaths(BaseModel):
    """Where a named collection has its index and its seeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: Path
    seeds: Path | None = None


class ServiceSettings(BaseSettings):
    """The service's part of the settings."""

    host: str = Field("127.0.0.1", description="Address that the service binds to.")
    port: int = Field(8000, ge=0, le=65535, description="Its port; 0 takes a free one.")
    collections: dict[str, CollectionPaths] = Field(
        {},
        description="Further collections by name, each with `index` and perhaps `seeds`; JSON in the "
        "environment. The default one is made of `RAG_INDEX` and `RAG_SEEDS`.",
    )
    backends: Listed = Field(
        (), description="Backends that a request may choose, as `a,b`, besides `RAG_BACKEND`."
    )
    api_keys: Listed = Field(
        (),
        description="Who may ask: `read:<sha256>` or `admin:<sha256>` of each key, as `a,b`; "
        "`python -m api --new-key read` makes one.",
    )
    anonymous: Literal["loopback", "read", "admin", "none"] = Field(
        "loopback",
        description="What a caller without a key may do; `loopback`: everything if bound to loopback "
        "and no key is configured, else nothing.",
    )
    allowed_hosts: Listed = Field(
        (),
        description="Names that the service is reached by, as `a,b`, besides addresses and localhost.",
    )
    cors_origins: Listed = Field(
        (), description="Origins whose pages may call it, as `https://a,https://b`."
    )
    rate_limit: str | None = Field(
        None,
        description="Requests of one key or address, as `600/minute`; `none` for no limit. Unset: "
        "that where keys are needed, none on loopback.",
    )
    max_body_kb: int = Field(256, ge=1, le=100_000, description="Largest request body.")
    max_upload_mb: float = Field(
        16, gt=0, le=1024, description="Largest document that may be uploaded."
    )
    max_question_chars: int = Field(
        4000, ge=1, le=20_000, description="Longest question, and turn of a history."
    )
    max_history: int = Field(40, ge=0, le=1000, description="Most turns of a history.")
    max_top_k: int = Field(100, ge=1, le=1000, description="Most passages that a request may ask for.")
    max_requests: int = Field(
        128,
        ge=1,
        le=10_000,
        description="Requests in work and waiting at a time; more are told to come back.",
    )
    body_seconds: float = Field(
        10, gt=0, description="Time within which a request's body must be here."
    )
    send_seconds: float = Field(
        30, gt=0, description="Time within which a client must take each part of a response."
    )
    answer_seconds: float = Field(120, gt=0, description="Time within which an answer must be here.")
    drain_seconds: float = Field(20, gt=0, description="Time that running requests get at shutdown.")
    refresh_seconds: float = Field(1, gt=0, description="How often a new generation is looked for.")
    read_only: bool = Field(False, description="Refuse uploads and builds; for replicas on one index.")
    feedback: Path = Field(
        Path("feedback.jsonl"), description="File that users' feedback is appended to."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level of log lines of the service."
    )
    log_questions: bool = Field(False, description="Write questions into the log.")
    telemetry: bool = Field(
        False,
        description="Send OpenTelemetry traces as its own variables say; needs the extra `telemetry`.",
    )

    @field_validator("backends", "api_keys", "allowed_hosts", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys")
    @classmethod
    def _are_hashes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_KEY.fullmatch(each) for each in value):
            raise ValueError(
                "each must be read: or admin: and the sha256 of a key in 64 hexadecimal digits; "
                "`python -m api --new-key read` makes one"
            )
        return value

    @field_validator("collections")
    @classmethod
    def _are_names(cls, value: dict[str, CollectionPaths]) -> dict[str, CollectionPaths]:
        for name in value:
            if not NAME.fullmatch(name) or name == "default":
                raise ValueError(
                    f"{name!r} cannot name a collection; use small letters, digits, - and _, and not "
                    "`default`, which RAG_INDEX is"
                )
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin; write as https://host or https://host:port")
        return tuple(origin.rstrip("/").lower() for origin in value)

    @field_validator("rate_limit")
    @classmethod
    def _is_rate(cls, value: str | None) -> str | None:
        if value is not None and value != "none" and not _RATE.fullmatch(value):
            raise ValueError("it must be as 600/minute, 10/second or none")
        return value
