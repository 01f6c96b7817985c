"""A receipt → the same question asked again, over the index as it is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.answer import Answerer
from rag.config import Settings
from rag.errors import RagError
from rag.receipt.changes import Change, changes, differences, encoder_changes, index_changes
from rag.receipt.form import Receipt, ReceiptCitation, ReceiptEncoder, ReceiptIndex
from rag.receipt.make import receipt_of
from rag.receipt.trace import Traced, trace_passage, trace_quote
from rag.retrieve import Retriever
from rag.store import Snapshot
from rag.types import Message, Passage

_NOT_REPEATED = Change(
    "not_repeated", "Nothing that is recorded changed: the model itself did not repeat its answer."
)


@dataclass(frozen=True, slots=True)
class PassageNow:
    """What became of a passage that the answer was written from."""

    traced: Traced
    cited: bool
    retrieved: bool
    """Whether what stands there is found for the question now."""


@dataclass(frozen=True, slots=True)
class QuoteNow:
    """What became of a quote."""

    citation: ReceiptCitation
    traced: Traced


@dataclass(frozen=True, slots=True)
class Replay:
    """Two answers to one question, in what they differ, and why."""

    then: Receipt
    now: Receipt | None
    """None where it could not be answered again, as `error` tells."""
    error: RagError | None
    differs: Sequence[str]
    """As `differences` names it."""
    changed: Sequence[Change]
    """What changed of all that is recorded, what may have caused the rest first."""
    passages: Sequence[PassageNow]
    quotes: Sequence[QuoteNow]
    instead: Sequence[Passage]
    """Passages that are found now and were not then."""
    notes: Sequence[str]

    @property
    def same(self) -> bool | None:
        """Whether the answer is what it was; None where it could not be answered again."""
        return None if self.now is None else not self.differs


def replay(receipt: Receipt, index: Path | None = None) -> Replay:
    """Ask a receipt's question again, with all that it records and can be put in force.

    That is question, history, filter, `top_k`, grounding, backends and settings. Index, templates,
    encoder, calibration and keys are those that are here. Where no answer can be had, the passages
    are compared all the same. Raises what `Settings.load` and `Retriever.open` do, and
    `FilterError` and `QuestionError` for a receipt that was tampered with.
    """
    settings, notes = _settings(receipt, index)
    retriever = Retriever.open(settings=settings)
    try:
        now, found = _again(receipt, Answerer.over(retriever, settings))
    except RagError as error:
        found = _found(receipt, retriever)
        return _compared(receipt, None, found, retriever, notes, error)
    return _compared(receipt, now, found, retriever, notes)


def _settings(receipt: Receipt, index: Path | None) -> tuple[Settings, list[str]]:
    """Return the settings that the receipt records put over those that are here."""
    recorded = receipt.settings.model_dump()
    here = Settings.load(index=index)
    settings = Settings.load(index=index, backend=receipt.backends, **recorded)
    unset = {name: None for name, value in recorded.items() if value is None}
    notes = [
        f"{name} is {getattr(here, name)} here; the receipt's {value} was used."
        for name, value in recorded.items()
        if getattr(here, name) != value
    ]
    return settings.model_copy(update=unset), notes


def _again(receipt: Receipt, answerer: Answerer) -> tuple[Receipt, Sequence[Passage]]:
    history = [Message(turn.role, turn.content) for turn in receipt.history]
    considered = answerer.consider(
        receipt.question, receipt.top_k, receipt.filter, history, grounding=receipt.grounding
    )
    now = receipt_of(considered, answerer, receipt.question, receipt.top_k, receipt.filter, history)
    return now, considered.answer.passages


def _found(receipt: Receipt, retriever: Retriever) -> Sequence[Passage]:
    """Return the passages that are found now, as many as were shown then."""
    history = [Message(turn.role, turn.content) for turn in receipt.history]
    asked = (receipt.searched, ()) if receipt.searched is not None else (receipt.question, history)
    found = retriever.retrieve(asked[0], receipt.top_k, receipt.filter, asked[1])
    return found.passages[: len(receipt.passages)]


def _compared(
    then: Receipt,
    now: Receipt | None,
    found: Sequence[Passage],
    retriever: Retriever,
    notes: Sequence[str],
    error: RagError | None = None,
) -> Replay:
    texts = _texts(then, retriever.snapshot)
    traced = [(each, trace_quote(each, texts.get(each.doc))) for each in then.citations]
    quotes = [QuoteNow(citation, where) for citation, where in traced if where is not None]
    passages = [trace_passage(each, texts.get(each.doc)) for each in then.passages]
    if now is None:
        reference, spec = retriever.index, retriever.encoder.spec
        index = ReceiptIndex(generation=reference.generation, digest=reference.digest)
        encoder = ReceiptEncoder(name=spec.name, fingerprint=spec.fingerprint)
        changed = [*index_changes(then.index, index), *encoder_changes(then.encoder, encoder)]
    else:
        changed = changes(then, now)
    differs = differences(then, now) if now else []
    return Replay(
        then,
        now,
        error,
        differs,
        changed or ([_NOT_REPEATED] if differs else []),
        [_passage_now(each, quotes, found) for each in passages],
        quotes,
        [each for each in found if not any(_meet(each, old) for old in passages)],
        notes,
    )


def _texts(receipt: Receipt, snapshot: Snapshot) -> Mapping[str | None, str]:
    """Return the texts, as they are now, of the documents that a receipt names and there still are."""
    named = {each.doc for each in receipt.passages} | {each.doc for each in receipt.citations}
    return {doc: snapshot.text(doc) for doc in named if doc and snapshot.find(doc) is not None}


def _passage_now(passage: Traced, quotes: Sequence[QuoteNow], found: Sequence[Passage]) -> PassageNow:
    cited = any(
        quote.traced.doc == passage.doc
        and quote.traced.start < passage.end
        and passage.start < quote.traced.end
        for quote in quotes
    )
    retrieved = passage.state != "gone" and any(_meet(each, passage) for each in found)
    return PassageNow(passage, cited, retrieved)


def _meet(found: Passage, old: Traced) -> bool:
    """Tell whether a passage that is found now overlaps the place that an old one has now."""
    start, end = old.now or (old.start, old.end)
    return found.doc == old.doc and found.start < end and start < found.end
