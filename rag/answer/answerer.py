"""Question → retrieve → write → judge → `Answer`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag import text
from rag.answer.condense import condensed
from rag.answer.following import Following
from rag.answer.orders import orders
from rag.answer.signals import signals
from rag.answer.write import Writer, Written
from rag.cite import Checker, Cited
from rag.confidence import Calibration
from rag.errors import BackendError
from rag.prompt import Prompter
from rag.protocols import Backend, Follower
from rag.retrieve import Retriever
from rag.types import Answer, Filter, Message, Notice, Policy, Retrieval, Short

if TYPE_CHECKING:
    from rag.config import Settings


@dataclass(frozen=True, slots=True)
class Considered:
    """An answer with what stood behind it: what confidence is fitted on, and receipts tell."""

    answer: Answer
    said: str
    """What was written, also where it was then withheld."""
    signals: Mapping[str, float]
    threshold: float
    """The confidence below which it would have been withheld."""
    grounding: Policy
    written: Written


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is searched for, and who may answer."""

    question: str
    history: Sequence[Message]
    writers: Sequence[Writer]
    notices: Sequence[Notice] = ()


class Answerer:
    """Answers questions over one index. Safe to share between threads."""

    def __init__(
        self,
        retriever: Retriever,
        backends: Sequence[Backend],
        prompter: Prompter,
        checker: Checker,
        calibration: Calibration,
        settings: "Settings",
    ) -> None:
        self.retriever = retriever
        self._writers = [
            Writer(backend, prompter, checker, settings.context_tokens, settings.reply_tokens)
            for backend in backends
        ]
        self._prompter = prompter
        self._calibration = calibration
        self._settings = settings
        self._notices = tuple(self._elsewhere())

    @property
    def settings(self) -> "Settings":
        """The settings that it answers by."""
        return self._settings

    @property
    def judge(self) -> str:
        """What tells whether quotes support sentences, with its version."""
        return self._writers[0].checker.name

    @classmethod
    def open(cls, index: str | Path | None = None, settings: "Settings | None" = None) -> "Answerer":
        """Open an index (by default the settings' own) with the settings' backends and prompts.

        Raises what `Retriever.open` does, and `PromptError`.
        """
        from rag.config import Settings

        settings = settings or Settings.load()
        return cls.over(Retriever.open(index, settings), settings)

    @classmethod
    def over(
        cls,
        retriever: Retriever,
        settings: "Settings | None" = None,
        backends: Sequence[Backend] | None = None,
    ) -> "Answerer":
        """Answer over a retriever that is open already, with the settings' backends or with others.

        Raises `ConfigError`, `PromptError` and `ReaderError`.
        """
        from rag.backends import open_backends
        from rag.cite import open_judge
        from rag.config import Settings
        from rag.reader import open_reader

        settings = settings or Settings.load()
        if backends is None:
            backends = open_backends(settings, retriever.encoder, open_reader(settings))
        return cls(
            retriever,
            backends,
            Prompter.open(settings.prompts),
            Checker(open_judge(settings.judge, retriever.encoder)),
            Calibration.load(settings.calibration),
            settings,
        )

    def ask(
        self,
        question: str,
        top_k: int | None = None,
        filter: Filter | None = None,
        history: Sequence[Message] = (),
        follower: Follower | None = None,
        grounding: Policy | None = None,
    ) -> Answer:
        """Return an answer whose every sentence was checked, or an abstention.

        A `follower` is told of the passages and hears the answer bit by bit, markers numbered as in
        the answer; where the answer turns out too unsure to be given, it has heard it all the same.
        Raises `QuestionError`, `FilterError`, `BackendError`, and `StoppedError` if it stops the work.
        """
        return self.consider(question, top_k, filter, history, follower, grounding).answer

    def consider(
        self,
        question: str,
        top_k: int | None = None,
        filter: Filter | None = None,
        history: Sequence[Message] = (),
        follower: Follower | None = None,
        grounding: Policy | None = None,
    ) -> Considered:
        """Do as `ask` does, and tell what would have been said and how that was judged."""
        grounding = grounding or self._settings.grounding
        following = Following(follower)
        began = time.perf_counter()
        asked = self._asked(question, history, following)
        retrieval = self.retriever.retrieve(asked.question, top_k, filter, asked.history)
        found = time.perf_counter()
        following.found(retrieval)
        written, fallen = _written(asked.writers, retrieval, following, grounding)
        known = signals(written.retrieval, written.draft, written.cited)
        confidence, threshold = self._calibration.judge(known)
        if self._settings.threshold is not None:
            threshold = self._settings.threshold
        ended = time.perf_counter()
        timings = {"retrieve": found - began, "generate": ended - found, "total": ended - began}
        told = orders(written.retrieval.passages)
        notices = (*asked.notices, *fallen, *written.notices, *told, *self._notices)
        abstained = written.abstained or confidence < threshold
        answer = self._answer(question, written, confidence, abstained, notices, timings)
        following.ended(answer)
        return Considered(answer, written.cited.answer, known, threshold, grounding, written)

    def _elsewhere(self) -> Iterator[Notice]:
        """Yield what the calibration was not fitted for."""
        known = self._calibration.holds_for
        here = {
            "backend": self._settings.backend,
            "encoder_fingerprint": self.retriever.encoder.spec.fingerprint,
            "prompt": self._prompter.version,
        }
        for name, value in here.items():
            if name in known and not value.startswith(known[name]):
                said = f"The calibration {self._calibration.id} was fitted with another {name}."
                yield Notice("calibration_elsewhere", said)

    def _asked(self, question: str, history: Sequence[Message], following: Following) -> _Asked:
        """Return what to search for: where a model can, the question made to stand alone."""
        asked = _Asked(question, history, self._writers)
        model = self._writers[0].backend.chat
        if not (history and question.strip() and model and self._settings.condense):
            return asked
        try:
            alone, notice = condensed(model, self._prompter, question, history, following.stop)
        except BackendError as error:
            if len(self._writers) == 1:
                raise
            return replace(asked, writers=self._writers[1:], notices=(_fell_back(error),))
        left = () if notice.code == "condensed" else history
        return replace(asked, question=alone, history=left, notices=(notice,))

    def _answer(
        self,
        question: str,
        written: Written,
        confidence: float,
        abstained: bool,
        notices: Sequence[Notice],
        seconds: Mapping[str, float],
    ) -> Answer:
        question = text.squeeze(question)
        cited = written.cited
        return Answer(
            question=question,
            answer=self._prompter.abstention(question) if abstained else cited.answer,
            abstained=abstained,
            confidence=confidence,
            short=None if abstained else _stands(written.draft.short, cited),
            sentences=() if abstained else cited.sentences,
            citations=() if abstained else cited.citations,
            passages=written.retrieval.passages,
            backend=written.backend,
            model=written.draft.model,
            prompt=self._prompter.version,
            index=written.retrieval.index,
            usage=written.draft.usage,
            warnings=(*written.retrieval.notices, *notices),
            calibration=self._calibration.id,
            timings_ms={name: round(1000 * value, 2) for name, value in seconds.items()},
        )


def _written(
    writers: Sequence[Writer], retrieval: Retrieval, following: Following, grounding: Policy
) -> tuple[Written, Sequence[Notice]]:
    """Return what the first backend that can wrote; none takes over once something was heard."""
    fallen: list[Notice] = []
    for writer in writers[:-1]:
        try:
            return writer.write(retrieval, following, grounding), fallen
        except BackendError as error:
            if following.heard:
                raise
            fallen.append(_fell_back(error))
    return writers[-1].write(retrieval, following, grounding), fallen


def _stands(short: Short | None, cited: Cited) -> Short | None:
    """Return the words that answer where a verified quote, still shown, holds them."""
    if short is None:
        return None
    for each in cited.citations:
        if each.verdict != "verified" or each.doc != short.doc:
            continue
        if (each.start or 0) <= short.start and short.end <= (each.end or 0):
            return short
    return None


def _fell_back(error: BackendError) -> Notice:
    return Notice("fell_back", f"{error} The next backend answered.")
