"""The JSON form of a replay."""

from dataclasses import asdict
from typing import Any

from rag.receipt.form import Receipt
from rag.receipt.replay import PassageNow, QuoteNow, Replay
from rag.types import Span

_ANSWERED = {
    *("answer", "abstained", "sentences", "citations", "confidence", "threshold", "backend", "model"),
    "index",
}


def replay_json(replay: Replay) -> dict[str, Any]:
    """Return a replay as JSON values, in the order that people read."""
    return {
        "question": replay.then.question,
        "same": replay.same,
        "differs": list(replay.differs),
        "changed": [asdict(each) for each in replay.changed],
        "passages": [_passage(each) for each in replay.passages],
        "citations": [_quote(each) for each in replay.quotes],
        "instead": [{"doc": each.doc, "start": each.start, "end": each.end} for each in replay.instead],
        "then": _answered(replay.then),
        "now": _answered(replay.now) if replay.now else None,
        "error": str(replay.error) if replay.error else None,
        "notes": list(replay.notes),
    }


def _passage(passage: PassageNow) -> dict[str, Any]:
    traced = passage.traced
    return {
        "doc": traced.doc,
        "start": traced.start,
        "end": traced.end,
        "state": traced.state,
        "now": _span(traced.now),
        "cited": passage.cited,
        "retrieved": passage.retrieved,
    }


def _quote(quote: QuoteNow) -> dict[str, Any]:
    traced, said = quote.traced, quote.citation.quote
    text = traced.text if traced.state == "changed" else said
    return {
        "n": quote.citation.n,
        "doc": traced.doc,
        "start": traced.start,
        "end": traced.end,
        "quote": said,
        "state": traced.state,
        "now": {**where, "text": text} if (where := _span(traced.now)) else None,
    }


def _span(span: Span | None) -> dict[str, int] | None:
    return {"start": span[0], "end": span[1]} if span else None


def _answered(receipt: Receipt) -> dict[str, Any]:
    return receipt.model_dump(mode="json", include=_ANSWERED)
