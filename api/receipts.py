"""The answers given of late, by receipt: what each rests on, and what users may say something of."""

import json
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.problems import ProblemError
from rag.receipt import Receipt

KEPT = 1024
"""Answers that are remembered, some 4 kB each."""
BYTES = 16_000_000
"""All of them together take no more; long conversations make for fewer."""
SAID = 4
"""How often something may be said of one answer."""


@dataclass(slots=True)
class _Kept:
    packed: bytes
    said: int = 0


class Receipts:
    """Remembers answers with their questions; only the event loop's thread uses it."""

    def __init__(self, kept: int = KEPT, most_bytes: int = BYTES) -> None:
        self._kept = kept
        self._most_bytes = most_bytes
        self._bytes = 0
        self._known: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, record: Mapping[str, Any]) -> str:
        """Remember a record; return the receipt it is found by."""
        receipt = secrets.token_hex(16)
        packed = zlib.compress(json.dumps(record, ensure_ascii=False).encode(), 1)
        self._known[receipt] = _Kept(packed)
        self._bytes += len(packed)
        while len(self._known) > self._kept or self._bytes > self._most_bytes:
            _, oldest = self._known.popitem(last=False)
            self._bytes -= len(oldest.packed)
        return receipt

    def take(self, receipt: str) -> dict[str, Any]:
        """Return the record, so that something can be said of it.

        Raises `ProblemError` where it was not given of late by this process, or was spoken of often.
        """
        known = self._found(receipt)
        if known.said == SAID:
            raise ProblemError("conflict", f"Of one answer something can be said {SAID} times.")
        known.said += 1
        return _unpacked(known)

    def read(self, receipt: str) -> dict[str, Any]:
        """Return the record; raises `ProblemError` where it was not given of late by this process."""
        return _unpacked(self._found(receipt))

    def _found(self, receipt: str) -> _Kept:
        known = self._known.get(receipt)
        if known is None:
            raise ProblemError(
                "not_found", "There is no such receipt, or too many answers were given since."
            )
        return known


def record_of(receipt: Receipt, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer's JSON and of its receipt what does not stand there already."""
    told = receipt.model_dump(mode="json")
    more = {name: value for name, value in told.items() if answer.get(name, ...) != value}
    return {"answer": answer, "more": more}


def receipt_in(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the receipt's JSON that a record was made of."""
    told = {**record["answer"], **record["more"]}
    return {name: told[name] for name in Receipt.model_fields}


def spoken_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a line of feedback keeps of a record."""
    receipt = receipt_in(record)
    asked = {name: receipt[name] for name in ("question", "history", "filter")}
    return {**asked, "answer": record["answer"]}


def _unpacked(known: _Kept) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(zlib.decompress(known.packed))
    return record
