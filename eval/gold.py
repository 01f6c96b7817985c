"""Gold: questions with the answers that are right and the quotes that prove it, one JSON line each.

The quote is the authority. Offsets are a hint, and chunk ids never appear, so gold outlives every
change of chunking. Keys that a reader does not know are left alone.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from eval.errors import GoldError
from rag.types import Message

DIGITS = 16
"""Hexadecimal digits of a digest in reports."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class GoldAnswer(_Value):
    """One thing that an answer must say, in any of its wordings."""

    text: str = Field(min_length=1)
    aliases: list[str] = []

    @property
    def accepted(self) -> list[str]:
        """All wordings, the main one first."""
        return [self.text, *self.aliases]


class Evidence(_Value):
    """Where an answer stands. Rows of one group are alternatives; every group is needed."""

    group: str = Field(description="Rows of one group are alternatives; every group is needed.")
    doc: str = Field(min_length=1, description="Id of the document.")
    quote: str | None = Field(None, min_length=1, description="Verbatim; without it the document.")
    start: NonNegativeInt | None = Field(None, description="Code points; a hint.")
    end: NonNegativeInt | None = None
    prefix: str = Field("", description="What stands right before the quote.")
    suffix: str = Field("", description="What stands right after it.")
    grade: PositiveInt = Field(1, description="How relevant the document is, for nDCG.")


class Turn(_Value):
    """What was said before the question."""

    role: str = Field(pattern="^(system|user|assistant)$")
    content: str


_SOME: dict[str, Any] = {"minItems": 1}
_ANSWERED_IF_ANSWERABLE: dict[str, Any] = {
    "if": {"properties": {"answerable": {"const": True}}},
    "then": {
        "anyOf": [
            {"required": ["answers"], "properties": {"answers": _SOME}},
            {"required": ["evidence"], "properties": {"evidence": _SOME}},
        ]
    },
    "else": {"properties": {"answers": {"maxItems": 0}}},
}
"""For the JSON Schema, what `GoldItem` checks of an item as a whole."""


class GoldItem(_Value):
    """One question. Every answer is required; what cannot be answered has none.

    An answerable question without answers measures retrieval alone.
    """

    model_config = ConfigDict(json_schema_extra=_ANSWERED_IF_ANSWERABLE)

    id: str = Field(min_length=1)
    question: str = Field(pattern=r"\S")
    answerable: bool
    answers: list[GoldAnswer] = []
    evidence: list[Evidence] = []
    tags: list[str] = []
    history: list[Turn] = []
    filter: dict[str, Any] | None = None
    near: str | None = Field(
        None,
        validation_alias=AliasChoices("near", "near_doc"),
        description="The document that an unanswerable question seems to be about.",
    )

    @model_validator(mode="after")
    def _answered_if_answerable(self) -> Self:
        if self.answerable and not (self.answers or self.evidence):
            raise ValueError("an answerable question needs an answer, or evidence to be found")
        if not self.answerable and self.answers:
            raise ValueError("an unanswerable question has no answers")
        return self

    @property
    def messages(self) -> list[Message]:
        """The history as the library takes it."""
        return [Message(turn.role, turn.content) for turn in self.history]  # type: ignore[arg-type]

    @property
    def groups(self) -> list[list[Evidence]]:
        """The evidence by group, in order of appearance."""
        found: dict[str, list[Evidence]] = {}
        for row in self.evidence:
            found.setdefault(row.group, []).append(row)
        return list(found.values())

    @property
    def digest(self) -> str:
        """Of all that the item asks and accepts; its tags are not part of that."""
        return digest_of(self.model_dump(mode="json", exclude={"tags"}))

    @property
    def cluster(self) -> str:
        """What it hangs on: items about one document are no independent witnesses."""
        return self.evidence[0].doc if self.evidence else self.near or f"item {self.id}"


@dataclass(frozen=True, slots=True)
class Gold:
    """A gold set as it was read."""

    name: str
    path: Path
    items: Sequence[GoldItem]

    @property
    def digest(self) -> str:
        """Of the items, whatever their order."""
        return digest_of(sorted(item.digest for item in self.items))


def read_gold(path: Path) -> Gold:
    """Read a gold file, or `gold.jsonl` in a folder.

    Raises `GoldError` that names the first line that cannot be used, or two with one id.
    """
    file = path / "gold.jsonl" if path.is_dir() else path
    name = file.resolve().parent.name if file.stem == "gold" else file.stem
    items: list[GoldItem] = []
    seen: dict[str, int] = {}
    for number, line in read_lines(file):
        item = _item(file, number, line)
        if item.id in seen:
            raise GoldError(f"{file} lines {seen[item.id]} and {number} both have the id {item.id!r}.")
        seen[item.id] = number
        items.append(item)
    return Gold(name, file, items)


def read_lines(file: Path) -> list[tuple[int, str]]:
    """Return a file's lines that are not blank, numbered from 1; raises `GoldError`."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise GoldError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise GoldError(f"{file} is not UTF-8 at byte {error.start}.") from None
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def write_lines(file: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    file.write_text("".join(lines), encoding="utf-8")


def gold_schema() -> dict[str, Any]:
    """Return the JSON Schema of a gold line; `eval/gold/gold.schema.json` holds it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **GoldItem.model_json_schema(by_alias=False),
        "title": "A gold item of seedrag",
    }


def digest_of(value: Any) -> str:
    """Return the start of the sha256 of a JSON value, keys sorted."""
    data = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def _item(file: Path, number: int, line: str) -> GoldItem:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise GoldError(f"{file} line {number} is no JSON: {error.msg}.") from None
    except ValueError:
        raise GoldError(f"{file} line {number} holds a number of too many digits.") from None
    except RecursionError:
        raise GoldError(f"{file} line {number} is nested too deeply.") from None
    if not isinstance(value, dict):
        raise GoldError(f"{file} line {number} is no JSON object.")
    try:
        return GoldItem.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise GoldError(f"{file} line {number}: {f'{where}: ' if where else ''}{said}.") from None
