"""The reference of the API, read out of the OpenAPI document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from api.page.curl import curl_lines
from api.problems import CODES, MEDIA_TYPE

Json = Mapping[str, Any]
_UNTAGGED = "others"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type in words, around the name of the schema that it is made of, if it is made of one."""

    before: str
    schema: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, or a field of a body."""

    name: str
    kind: Kind
    required: bool
    place: str
    about: str
    bounds: Sequence[str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back where all went well."""

    status: str
    media_type: str
    kind: Kind
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be done."""

    anchor: str
    tag: str
    method: str
    path: str
    summary: str
    about: Sequence[str]
    parameters: Sequence[Value]
    bodies: Sequence[tuple[str, Kind]]
    """Media types of the body, with their types."""
    fields: Sequence[Value]
    replies: Sequence[Reply]
    problems: Sequence[str]
    """Codes of `api.problems.CODES`."""
    curl: Sequence[str]


@dataclass(frozen=True, slots=True)
class Schema:
    """A named object."""

    name: str
    about: str
    fields: Sequence[Value]


def operations(document: Json, base: str) -> dict[str, list[Operation]]:
    """Return the operations by tag, in the document's order; `base` begins the examples' addresses."""
    found = [
        _operation(document, base, method, path, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]
    tags = list(dict.fromkeys(each.tag for each in found))
    ordered = sorted(found, key=lambda each: tags.index(each.tag))
    return {tag: list(same) for tag, same in groupby(ordered, lambda each: each.tag)}


def schemas(document: Json) -> list[Schema]:
    """Return all named objects, by name."""
    known: Mapping[str, Json] = document["components"]["schemas"]
    return [
        Schema(name, known[name].get("description", ""), list(_fields(known[name])))
        for name in sorted(known)
    ]


def kind_of(schema: Json) -> Kind:
    """Return a schema's type in words."""
    if "$ref" in schema:
        return Kind("", schema["$ref"].rpartition("/")[2])
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return _joined([kind_of(each) for each in choices])
    if "const" in schema or "enum" in schema:
        return Kind(" or ".join(f'"{each}"' for each in schema.get("enum", [schema.get("const")])))
    named = schema.get("type", "any")
    if named == "array":
        return _of("list of ", schema.get("items", {}))
    if named == "object" and isinstance(schema.get("additionalProperties"), dict):
        return _of("object of ", schema["additionalProperties"])
    return Kind(" or ".join(named) if isinstance(named, list) else named)


def _of(words: str, inner: Json) -> Kind:
    kind = kind_of(inner)
    return Kind(words + kind.before, kind.schema, kind.after)


def _joined(kinds: Sequence[Kind]) -> Kind:
    """Return the kinds joined by "or"; one schema among them stays a schema."""
    at = next((n for n, kind in enumerate(kinds) if kind.schema), None)
    if at is None:
        return Kind(" or ".join(dict.fromkeys(kind.before for kind in kinds)))
    before = "".join(f"{_words(kind)} or " for kind in kinds[:at])
    after = "".join(f" or {_words(kind)}" for kind in kinds[at + 1 :])
    return Kind(before + kinds[at].before, kinds[at].schema, kinds[at].after + after)


def _words(kind: Kind) -> str:
    return f"{kind.before}{kind.schema}{kind.after}"


def _operation(document: Json, base: str, method: str, path: str, told: Json) -> Operation:
    content: Json = told.get("requestBody", {}).get("content", {})
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        tag=(told.get("tags") or [_UNTAGGED])[0],
        method=method.upper(),
        path=path,
        summary=told.get("summary", path),
        about=[part for part in told.get("description", "").split("\n\n") if part],
        parameters=[_parameter(each) for each in told.get("parameters", [])],
        bodies=[(media, kind_of(each["schema"])) for media, each in content.items()],
        fields=list(_body_fields(document, content)),
        replies=list(_replies(told["responses"])),
        problems=list(_problems(told["responses"])),
        curl=curl_lines(document, base, method, path, told),
    )


def _parameter(told: Json) -> Value:
    schema = told["schema"]
    about = told.get("description", "")
    bounds = list(_bounds(schema))
    return Value(told["name"], kind_of(schema), told.get("required", False), told["in"], about, bounds)


def _body_fields(document: Json, content: Json) -> Iterator[Value]:
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    yield from _fields(schema)


def _fields(schema: Json) -> Iterator[Value]:
    required = schema.get("required", [])
    for name, told in schema.get("properties", {}).items():
        about = told.get("description", "")
        yield Value(name, kind_of(told), name in required, "body", about, list(_bounds(told)))


def _bounds(schema: Json) -> Iterator[str]:
    """Yield what a value has to keep to, and what it is if it is not given."""
    for each in (schema, *schema.get("anyOf", ())):
        least, most = each.get("minimum"), each.get("maximum")
        if least is not None and most is not None:
            yield f"{least:g} to {most:,g}" if most < 1e6 else f"at least {least:g}"
        elif least is not None or most is not None:
            yield f"at least {least:g}" if least is not None else f"at most {most:,g}"
        if "maxLength" in each:
            yield f"at most {each['maxLength']:,} characters"
        if "maxItems" in each:
            yield f"at most {each['maxItems']:,} items"
    if schema.get("default") not in (None, [], {}):
        yield f"default `{_shown(schema['default'])}`"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _replies(responses: Json) -> Iterator[Reply]:
    for status, told in responses.items():
        for media, content in told.get("content", {}).items():
            if media != MEDIA_TYPE:
                schema = content.get("schema", {})
                about = schema.get("description") or told.get("description", "")
                yield Reply(status, media, kind_of(schema), _plain(about))


def _plain(about: str) -> str:
    return "" if about == "Successful Response" else about


def _problems(responses: Json) -> Iterable[str]:
    told = {int(status) for status, each in responses.items() if MEDIA_TYPE in each.get("content", {})}
    return (code for code, (status, _) in CODES.items() if status in told)
