"""The answers given of late, by receipt, so that what users say of one can be kept with it."""

import json
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

KEPT = 1024
"""Answers that are remembered; about 3 kB each."""


class Receipts:
    """Remembers answers with their questions; only the event loop's thread uses it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._known: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, record: Mapping[str, Any]) -> str:
        """Remember a record; return the receipt it is found by."""
        receipt = secrets.token_hex(16)
        self._known[receipt] = zlib.compress(json.dumps(record, ensure_ascii=False).encode(), 1)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return receipt

    def find(self, receipt: str) -> dict[str, Any] | None:
        """Return the record, or None if it was not given of late by this process."""
        packed = self._known.get(receipt)
        if packed is None:
            return None
        record: dict[str, Any] = json.loads(zlib.decompress(packed))
        return record
