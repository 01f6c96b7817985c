"""The one pipeline from question to checked answer: retrieve, prompt, write, cite, judge."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag import text
from rag.cite import Cited, Citer
from rag.confidence import Calibration
from rag.prompt import Prompter, fitting
from rag.protocols import Backend, Follower
from rag.retrieve import Retriever
from rag.stop import Stop
from rag.types import Answer, Draft, Filter, Message, Notice, Request, Retrieval

if TYPE_CHECKING:
    from rag.config import Settings

_FIGURE = re.compile(r"\d+")
_WORD = re.compile(r"\s*\S+")
_NAME = re.compile(r"(?<=\s)[A-Z][a-z]{2,}")
"""A capitalised word that does not begin the question."""


@dataclass(frozen=True, slots=True)
class Considered:
    """An answer with what stood behind it: what confidence is fitted on and judged by."""

    answer: Answer
    said: str
    """What was written, also where it was then withheld."""
    signals: Mapping[str, float]


class Answerer:
    """Answers questions over one index. Safe to share between threads."""

    def __init__(
        self,
        retriever: Retriever,
        backend: Backend,
        prompter: Prompter,
        calibration: Calibration,
        settings: "Settings",
    ) -> None:
        self.retriever = retriever
        self._backend = backend
        self._prompter = prompter
        self._calibration = calibration
        self._settings = settings
        self._notices = tuple(self._elsewhere())

    @classmethod
    def open(cls, index: str | Path | None = None, settings: "Settings | None" = None) -> "Answerer":
        """Open an index (by default the settings' own) with the settings' backend and prompts.

        Raises what `Retriever.open` does, and `PromptError`.
        """
        from rag.config import Settings

        settings = settings or Settings.load()
        return cls.over(Retriever.open(index, settings), settings)

    @classmethod
    def over(cls, retriever: Retriever, settings: "Settings | None" = None) -> "Answerer":
        """Answer over a retriever that is open already."""
        from rag.backends import open_backend
        from rag.config import Settings

        settings = settings or Settings.load()
        return cls(
            retriever,
            open_backend(settings, retriever.encoder),
            Prompter.open(settings.prompts),
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
    ) -> Answer:
        """Return an answer whose every sentence was checked, or an abstention.

        A `follower` is told of the passages and hears the answer bit by bit, markers numbered as in
        the answer; where the answer turns out too unsure to be given, it has heard it all the same.
        Raises `QuestionError`, `FilterError`, `BackendError`, and `StoppedError` if it stops the work.
        """
        return self.consider(question, top_k, filter, history, follower).answer

    def consider(
        self,
        question: str,
        top_k: int | None = None,
        filter: Filter | None = None,
        history: Sequence[Message] = (),
        follower: Follower | None = None,
    ) -> Considered:
        """Do as `ask` does, and tell what would have been said and how that was judged."""
        following = _Following(follower)
        began = time.perf_counter()
        retrieval = self._retrieved(question, top_k, filter, history)
        found = time.perf_counter()
        following.found(retrieval)
        draft, cited = self._written(retrieval, following)
        known = signals(retrieval, draft, cited)
        confidence, threshold = self._calibration.judge(known)
        if self._settings.threshold is not None:
            threshold = self._settings.threshold
        ended = time.perf_counter()
        timings = {"retrieve": found - began, "generate": ended - found, "total": ended - began}
        abstained = draft.abstained or confidence < threshold
        answer = self._answer(retrieval, draft, cited, confidence, abstained, timings)
        following.ended(answer)
        return Considered(answer, cited.answer, known)

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

    def _retrieved(
        self,
        question: str,
        top_k: int | None,
        filter: Filter | None,
        history: Sequence[Message],
    ) -> Retrieval:
        retrieval = self.retriever.retrieve(question, top_k, filter, history)
        passages, dropped = fitting(retrieval.passages, self._settings.context_tokens)
        return replace(retrieval, passages=passages, notices=(*retrieval.notices, *dropped))

    def _written(self, retrieval: Retrieval, following: "_Following") -> tuple[Draft, Cited]:
        messages = self._prompter.messages(retrieval.question, retrieval.passages)
        citer = Citer(retrieval.passages, retrieval.language)
        heard = False

        def say(written: str) -> None:
            nonlocal heard
            heard = True
            following.said(citer.add(written))

        request = Request(retrieval.question, retrieval, messages)
        draft = self._backend.generate(request, say, following.stop)
        if not heard:
            citer.add(draft.text)
        rest = citer.close()
        if heard and not draft.abstained:
            following.said(rest)
        return draft, citer.cited

    def _answer(
        self,
        retrieval: Retrieval,
        draft: Draft,
        cited: Cited,
        confidence: float,
        abstained: bool,
        seconds: Mapping[str, float],
    ) -> Answer:
        said = self._prompter.abstention(retrieval.question) if abstained else cited.answer
        return Answer(
            question=retrieval.question,
            answer=said,
            abstained=abstained,
            confidence=confidence,
            short=None,
            sentences=() if abstained else cited.sentences,
            citations=() if abstained else cited.citations,
            passages=retrieval.passages,
            backend=self._backend.name,
            model=draft.model,
            prompt=self._prompter.version,
            index=retrieval.index,
            usage=draft.usage,
            warnings=(*retrieval.notices, *self._notices),
            calibration=self._calibration.id,
            timings_ms={name: round(1000 * value, 2) for name, value in seconds.items()},
        )


class _Following:
    """Tells a follower, if there is one, what it has not heard yet."""

    def __init__(self, follower: Follower | None) -> None:
        self._follower = follower
        self._heard = False
        self.stop = follower.stop if follower else Stop()

    def found(self, retrieval: Retrieval) -> None:
        self.stop.check()
        if self._follower:
            self._follower.found(retrieval)

    def said(self, text: str) -> None:
        self.stop.check()
        if self._follower and text:
            self._heard = True
            self._follower.said(text)

    def ended(self, answer: Answer) -> None:
        """Say an answer that was written at one stroke, word by word, now that it may be given."""
        if self._follower and not self._heard and not answer.abstained:
            for word in _WORD.findall(answer.answer):
                self.said(word)


def signals(retrieval: Retrieval, draft: Draft, cited: Cited) -> dict[str, float]:
    """Return all that speaks for or against an answer, each 0..1, by name.

    Cosines are left out where the encoder cannot read the language: they mean nothing there.
    `figures` is 1 where what is quoted, with its neighbourhood, holds every number of the question,
    0 where it lacks one, and a half where the question has none; `names` is the same of capitalised
    words and the quotes with their headings alone.
    """
    found = {f"answer_{name}": value for name, value in draft.signals.items()}
    claims = [each for each in cited.sentences if each.verdict != "no_claim"]
    verified = sum(each.verdict == "verified" for each in claims)
    found["verified"] = verified / len(claims) if claims else 0.0
    found["known"] = 1 - len(retrieval.unknown) / max(1, len(retrieval.terms))
    passages = retrieval.passages
    found["passage_coverage"] = max((_coverage(retrieval, p.text) for p in passages), default=0.0)
    found["passage_cosine"] = max((p.signals.get("dense", 0.0) for p in passages), default=0.0)
    quoted = {citation.doc for citation in cited.citations}
    near = " ".join(f"{p.title} {p.text}" for p in passages if p.doc in quoted)
    figures = set(_FIGURE.findall(retrieval.question))
    found["figures"] = float(figures <= set(_FIGURE.findall(near))) if figures else 0.5
    names = set(_NAME.findall(retrieval.question))
    quotes = " ".join(f"{c.title} {c.locator} {c.quote}" for c in cited.citations).casefold()
    held = sum(name.casefold() in quotes for name in names)
    found["names"] = held / len(names) if names else 0.5
    if any(notice.code == "encoder_blind" for notice in retrieval.notices):
        found = {name: value for name, value in found.items() if "cosine" not in name}
    return found


def _coverage(retrieval: Retrieval, passage: str) -> float:
    """Return the share of the question's stems, by rarity, that a passage holds."""
    whole = sum(retrieval.terms.values())
    stems = set(text.stems(passage, retrieval.language))
    held = sum(rarity for term, rarity in retrieval.terms.items() if term in stems)
    return held / whole if whole else 0.0
