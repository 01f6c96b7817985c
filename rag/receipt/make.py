"""An answer with what stood behind it → its receipt."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from rag import __version__
from rag.answer import Answerer, Considered
from rag.answer.write import Written
from rag.errors import ReceiptError
from rag.reader import reader_digest
from rag.receipt.form import VERSION, Receipt, ReceiptSettings
from rag.types import Filter, Message, Retrieval

BEGINS = 60
"""Characters of a passage that are kept to find it by."""


def receipt_of(
    considered: Considered,
    answerer: Answerer,
    question: str,
    top_k: int | None = None,
    filter: Filter | None = None,
    history: Sequence[Message] = (),
) -> Receipt:
    """Return the receipt of what `answerer.consider` gave for the same arguments.

    It holds no key: of the settings only those that `ReceiptSettings` names. Raises `ReceiptError`
    where the filter or the history has no JSON form.
    """
    answer, written, settings = considered.answer, considered.written, answerer.settings
    spec = answerer.retriever.encoder.spec
    try:
        return Receipt.model_validate(
            {
                "receipt": VERSION,
                "seedrag": __version__,
                "time": {"created": _now()},
                "question": question,
                "history": tuple(asdict(turn) for turn in history),
                "filter": _as_json(filter) if filter else None,
                "top_k": settings.top_k if top_k is None else top_k,
                "grounding": considered.grounding,
                "searched": _searched(considered),
                "index": asdict(answer.index),
                "encoder": {"name": spec.name, "fingerprint": spec.fingerprint},
                "settings": {name: getattr(settings, name) for name in ReceiptSettings.model_fields},
                "passages": tuple(_passages(written.retrieval)),
                "prompt": answer.prompt,
                "messages_sha256": _messages_sha256(written),
                "backends": settings.backend,
                "backend": answer.backend,
                "model": answer.model,
                "options": _options(asdict(written.options)),
                "reader": reader_digest(settings),
                "judge": answerer.judge,
                "answer": answer.answer,
                "abstained": answer.abstained,
                "sentences": tuple(
                    {**asdict(each), "citations": tuple(each.citations)} for each in answer.sentences
                ),
                "citations": tuple(asdict(each) for each in answer.citations),
                "confidence": answer.confidence,
                "threshold": considered.threshold,
                "calibration": answer.calibration,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ReceiptError(
            f"No receipt can be given of this answer: {where}: {first['msg']}."
        ) from None


def _as_json(filter: Filter) -> Any:
    """Return the filter as reading its JSON gives it; raises `ReceiptError` where it has none."""
    try:
        data = json.dumps(dict(filter), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise ReceiptError("No receipt can be given of this answer: its filter is no JSON.") from None
    return json.loads(data)


def sha256(text: str) -> str:
    """Return the digest of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _searched(considered: Considered) -> str | None:
    made = any(notice.code == "condensed" for notice in considered.answer.warnings)
    return considered.written.retrieval.question if made else None


def _passages(retrieval: Retrieval) -> list[dict[str, Any]]:
    return [
        {
            "doc": passage.doc,
            "start": passage.start,
            "end": passage.end,
            "score": round(passage.score, 6),
            "sha256": sha256(passage.text),
            "begins": passage.text[:BEGINS],
        }
        for passage in retrieval.passages
    ]


def _messages_sha256(written: Written) -> str:
    """Return the digest of the prompt; what a model said and was told of it is none of that."""
    repaired = any(notice.code == "repaired" for notice in written.notices)
    asked = written.messages[:-2] if repaired else written.messages
    said = [asdict(message) for message in asked]
    return sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")))


def _options(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options but for what is only a guess of the prompt's length, as JSON has them."""
    listed = {name: list(v) if isinstance(v, tuple) else v for name, v in told.items()}
    return {name: value for name, value in listed.items() if name != "prompt_tokens"}
