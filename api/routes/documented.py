"""What the OpenAPI document says of the problems that each door may answer with."""

from typing import Any

from api.problems import CODES, MEDIA_TYPE
from api.schemas import Problem

_EVERYWHERE = (
    "malformed",
    "unauthorized",
    "wrong_host",
    "rate_limited",
    "header_too_large",
    "internal",
)
_WITH_BODY = ("forbidden", "slow_body", "too_large", "unsupported_type", "invalid")


def problems(*codes: str, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of an operation: those that every one has, and its own."""
    named = (*_EVERYWHERE, *(_WITH_BODY if body else ()), *codes)
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    told: dict[int | str, dict[str, Any]] = {}
    for status, title in sorted(CODES[code] for code in named):
        told.setdefault(status, {"description": title, "content": {MEDIA_TYPE: {"schema": schema}}})
    return told
