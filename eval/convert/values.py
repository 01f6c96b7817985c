"""What a conversion gives, and how it is gathered so that no id stands twice."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from eval.convert.read import problem
from eval.draft import Line
from eval.gold import GoldItem
from rag.corpus import Unreadable
from rag.corpus.readers import document_from
from rag.types import Document


@dataclass(frozen=True, slots=True)
class Failure:
    """A question, document or judgement that was left out, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Converted:
    """Gold lines and the documents that they are about."""

    items: Sequence[Line]
    documents: Sequence[Document]
    failures: Sequence[Failure]
    notes: Sequence[str]
    """What else a person should know, a sentence each."""


@dataclass(slots=True)
class Gathering:
    """What a converter has found so far; of two things with one id the first is kept."""

    items: list[Line] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _read_at: dict[str, str] = field(default_factory=dict)
    _asked_at: dict[str, str] = field(default_factory=dict)

    def document(self, where: str, value: Mapping[str, Any]) -> Document | None:
        """Take a document, its text as it will be indexed, or list why it cannot be one."""
        try:
            new = document_from(value)
        except Unreadable as news:
            self.fail(value.get("id") or where, f"the document at {where} cannot be used: {news}")
            return None
        known = self.documents.setdefault(new.id, new)
        first = self._read_at.setdefault(new.id, where)
        if known != new:
            self.fail(new.id, f"the documents at {first} and {where} have this id; the first is kept")
            return None
        return known

    def is_new(self, id: str, where: str) -> bool:
        """Tell whether no question has had this id so far, and list it if one had."""
        first = self._asked_at.setdefault(id, where)
        if first != where:
            self.fail(id, f"the questions at {first} and {where} have this id; the first is kept")
        return first == where

    def has_asked(self, id: str) -> bool:
        """Tell whether a question had this id, kept or not."""
        return id in self._asked_at

    def keep(self, line: Line) -> None:
        """Take a gold line, or list why it is none."""
        try:
            json.dumps(line, ensure_ascii=False).encode()
            GoldItem.model_validate(line)
        except ValidationError as error:
            self.fail(line["id"], problem(error))
        except UnicodeEncodeError:
            self.fail(line["id"], "it holds half of a surrogate pair, which is no character")
        else:
            self.items.append(line)

    def fail(self, id: str, reason: str) -> None:
        """List something that is left out."""
        self.failures.append(Failure(id, reason))

    def converted(self) -> Converted:
        """Return all that was found."""
        return Converted(self.items, [*self.documents.values()], self.failures, self.notes)
