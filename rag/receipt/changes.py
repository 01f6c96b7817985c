"""What is recorded of two answers to one question, compared."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.receipt.form import Receipt, ReceiptEncoder, ReceiptIndex


@dataclass(frozen=True, slots=True)
class Change:
    """Something recorded that is not what it was; `code` is stable."""

    code: str
    message: str


_NAMED: Sequence[tuple[str, str, Callable[[Receipt], Any]]] = (
    ("searched", "The question as it was searched for", lambda receipt: receipt.searched),
    ("prompt", "The prompt template", lambda receipt: receipt.prompt),
    ("messages", "The rendered prompt", lambda receipt: receipt.messages_sha256[:12]),
    ("backend", "The backend that answered", lambda receipt: receipt.backend),
    ("model", "The model that answered", lambda receipt: receipt.model),
)
_NAMED_LAST: Sequence[tuple[str, str, Callable[[Receipt], Any]]] = (
    ("seedrag", "The version of seedrag", lambda receipt: receipt.seedrag),
    ("reader", "The reader of the passages", lambda receipt: receipt.reader),
    ("judge", "The judge of the sentences", lambda receipt: receipt.judge),
    ("calibration", "The calibration", lambda receipt: receipt.calibration),
    ("threshold", "The threshold of confidence", lambda receipt: receipt.threshold),
)


def changes(then: Receipt, now: Receipt) -> list[Change]:
    """Return what changed of all that is recorded, what may have caused the rest first."""
    return [
        *index_changes(then.index, now.index),
        *_named(_NAMED, then, now),
        *_options(then, now),
        *encoder_changes(then.encoder, now.encoder),
        *_named(_NAMED_LAST, then, now),
    ]


def index_changes(then: ReceiptIndex, now: ReceiptIndex) -> Iterator[Change]:
    """Yield a change where the index holds something else; a generation is but a name."""
    if then.digest != now.digest:
        yield _change("index", "The index", _index(then), _index(now))


def encoder_changes(then: ReceiptEncoder, now: ReceiptEncoder) -> Iterator[Change]:
    """Yield a change where vectors of the two do not compare."""
    if then.fingerprint != now.fingerprint:
        yield _change("encoder", "The encoder", _encoder(then), _encoder(now))


def differences(then: Receipt, now: Receipt) -> list[str]:
    """Return in what the answers themselves differ; nothing where they are the same.

    `answer` and `abstained` as they are named in the receipt; `verdicts` of sentences or of citations;
    `citations` in what they quote, or else `places` in where they say that it stands.
    """
    told = {
        "abstained": then.abstained != now.abstained,
        "answer": then.answer != now.answer,
        "verdicts": _verdicts(then) != _verdicts(now),
        "citations": _quotes(then) != _quotes(now),
    }
    told["places"] = not told["citations"] and _places(then) != _places(now)
    return [name for name, differs in told.items() if differs]


def _named(
    what: Sequence[tuple[str, str, Callable[[Receipt], Any]]], then: Receipt, now: Receipt
) -> Iterator[Change]:
    for code, name, value in what:
        if value(then) != value(now):
            yield _change(code, name, value(then), value(now))


def _options(then: Receipt, now: Receipt) -> Iterator[Change]:
    for name in dict.fromkeys((*then.options, *now.options)):
        values = then.options.get(name), now.options.get(name)
        if values[0] != values[1]:
            yield _change("options", f"The parameter {name}", *values)


def _change(code: str, name: str, then: Any, now: Any) -> Change:
    return Change(code, f"{name} is another: {then} then, {now} now.")


def _index(index: ReceiptIndex) -> str:
    return f"{index.generation} ({index.digest[:12]})"


def _encoder(encoder: ReceiptEncoder) -> str:
    return f"{encoder.name} ({encoder.fingerprint[:12]})"


def _verdicts(receipt: Receipt) -> tuple[list[str], list[str]]:
    return [each.verdict for each in receipt.sentences], [each.verdict for each in receipt.citations]


def _quotes(receipt: Receipt) -> tuple[object, ...]:
    used = [each.citations for each in receipt.sentences]
    return used, [(each.doc, each.quote) for each in receipt.citations]


def _places(receipt: Receipt) -> list[tuple[int | None, int | None]]:
    return [(each.start, each.end) for each in receipt.citations]
