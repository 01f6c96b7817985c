"""An operation as a command line that one can paste."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

Json = Mapping[str, Any]
_STREAM = "text/event-stream"


def curl_lines(document: Json, base: str, method: str, path: str, told: Json) -> list[str]:
    """Return commands: one, and a second where the reply can be had as a stream."""
    content: Json = told.get("requestBody", {}).get("content", {})
    schema = _resolved(document, content.get("application/json", {}).get("schema", {}))
    body = _example(document, schema) if schema else None
    parts = [*_options(method, content, told), shlex.quote(base + _address(path, told))]
    if body is None:
        return [_command([], parts, None)]
    streams = _STREAM in told["responses"].get("200", {}).get("content", {})
    commands = [_command([], parts, body)]
    if streams and "stream" in schema.get("properties", {}):
        commands.append(_command(["-N"], parts, {**body, "stream": True}))
    return commands


def _options(method: str, content: Json, told: Json) -> Iterator[str]:
    if method not in ("get", "post") or (method == "post" and not content):
        yield f"-X {method.upper()}"
    if told.get("security"):
        yield '-H "Authorization: Bearer $KEY"'
    if content and "application/json" not in content:
        yield f"-H {shlex.quote(f'Content-Type: {next(iter(content))}')} --data-binary @file"


def _command(flags: list[str], parts: list[str], body: Json | None) -> str:
    lines = [" ".join(["curl", *flags, *parts])]
    if body is not None:
        told = shlex.quote(json.dumps(body, ensure_ascii=False))
        lines += ["  -H 'Content-Type: application/json'", f"  -d {told}"]
    return " \\\n".join(lines)


def _address(path: str, told: Json) -> str:
    query = {}
    for each in told.get("parameters", []):
        given = _first_example(each["schema"], each["name"].upper())
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", quote(str(given)))
        elif each["in"] == "query" and each.get("required"):
            query[each["name"]] = given
    return path + (f"?{urlencode(query)}" if query else "")


def _example(document: Json, schema: Json) -> dict[str, Any]:
    """Return what has to be given, and what is one of a few words."""
    properties = schema.get("properties", {})
    wanted = [
        name
        for name, told in properties.items()
        if name in schema.get("required", []) or _choices(told)
    ]
    return {name: _value(document, name, properties[name]) for name in wanted}


def _value(document: Json, name: str, told: Json) -> Any:
    told = _resolved(document, told)
    if choices := _choices(told):
        return choices[0]
    if "examples" in told or "default" in told:
        return _first_example(told, name)
    match told.get("type"):
        case "array":
            return [_value(document, name, told.get("items", {}))]
        case "object" if "properties" in told:
            return _example(document, told)
        case "integer" | "number":
            return told.get("minimum", 1)
        case "boolean":
            return True
    return f"<{name}>"


def _choices(told: Json) -> list[Any]:
    for each in (told, *told.get("anyOf", ())):
        if "enum" in each:
            return list(each["enum"])
    return []


def _first_example(schema: Json, otherwise: str) -> Any:
    return (schema.get("examples") or [schema.get("default", otherwise)])[0]


def _resolved(document: Json, schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    named: Json = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return named
