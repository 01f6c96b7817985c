"""The OpenAPI document: what the code says, with this service's own bounds and keys put in."""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.gate import HEALTH
from api.problems import MEDIA_TYPE
from api.schemas import Problem
from api.security.keys import Keys
from rag.config import Settings


def describe(app: FastAPI, settings: Settings) -> None:
    """Make `app.openapi()` tell of this service."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, settings)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def allowed_methods(app: FastAPI, path: str) -> list[str]:
    """Return what may be done at a path, over all routes that share it."""
    found = {
        method.upper()
        for template, operations in app.openapi()["paths"].items()
        for method in operations
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", ".+", re.escape(template)), path)
    }
    return sorted(found)


def _document(app: FastAPI, settings: Settings) -> dict[str, Any]:
    value = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = value["components"]["schemas"]
    schemas[Problem.__name__] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name in ("SearchBody", "AskBody"):
        fields = schemas[name]["properties"]
        fields["question"]["maxLength"] = settings.max_question_chars
        fields["history"]["maxItems"] = settings.max_history
        fields["top_k"]["anyOf"][0]["maximum"] = settings.max_top_k
    schemas["Turn"]["properties"]["content"]["maxLength"] = settings.max_question_chars
    _explain_invalid(value)
    if Keys(settings).needed:
        value["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        for path, operations in value["paths"].items():
            for operation in operations.values():
                operation["security"] = [] if path in HEALTH else [{"bearer": []}, {"header": []}]
    return value


def _explain_invalid(value: dict[str, Any]) -> None:
    """Put our problem document where FastAPI says how it would tell of an invalid request."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    for operations in value["paths"].values():
        for operation in operations.values():
            told = operation["responses"].get("422")
            if told is not None:
                told["content"] = {MEDIA_TYPE: {"schema": schema}}
