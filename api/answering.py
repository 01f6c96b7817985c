"""From a request to a checked answer: in a thread, followed bit by bit, ended when nobody waits."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from api.collections import Collection
from api.problems import ProblemError
from api.receipts import record_of
from api.security.body import ClientGoneError
from api.service import Service
from rag.errors import BackendError
from rag.receipt import Receipt, receipt_of
from rag.stop import Stop
from rag.types import Answer, Filter, Message, Policy, Retrieval
from rag.wire import answer_json, hits_json

Answered = tuple[Answer, Receipt]
Event = tuple[str, dict[str, Any]]
"""An event's name, `passages`, `token` or `answer`, and its data."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question with all that bears on its answer, checked against the service's bounds."""

    question: str
    collection: str
    backend: str
    top_k: int | None
    filter: Filter | None
    history: Sequence[Message]
    grounding: Policy | None = None

    @classmethod
    def checked(
        cls,
        service: Service,
        question: str,
        collection: str,
        backend: str | None = None,
        top_k: int | None = None,
        filter: Filter | None = None,
        history: Sequence[Message] = (),
        grounding: Policy | None = None,
    ) -> "Query":
        """Return the query; raises `ProblemError` where it is out of bounds."""
        bounds = service.settings
        most = bounds.max_question_chars
        if len(question) > most:
            raise ProblemError("invalid", f"A question may have at most {most:,} characters.")
        if any(len(turn.content) > most for turn in history):
            raise ProblemError("invalid", f"A turn may have at most {most:,} characters.")
        if len(history) > bounds.max_history:
            raise ProblemError("invalid", f"The history may have at most {bounds.max_history} turns.")
        if top_k is not None and top_k > bounds.max_top_k:
            raise ProblemError("invalid", f"top_k may be at most {bounds.max_top_k}.")
        service.collections.named(collection)
        named = service.collections.backend(backend)
        return cls(question, collection, named, top_k, filter or None, history, grounding)


class _Watcher:
    """Hands what an answer's thread tells over to the event loop."""

    def __init__(self, tell: Callable[[Event], None] | None) -> None:
        self.stop = Stop()
        self._loop = asyncio.get_running_loop()
        self._tell = tell

    def found(self, retrieval: Retrieval) -> None:
        if self._tell:
            event = "passages", {"hits": hits_json(retrieval.passages)}
            self._loop.call_soon_threadsafe(self._tell, event)

    def said(self, text: str) -> None:
        if self._tell:
            self._loop.call_soon_threadsafe(self._tell, ("token", {"text": text}))


async def answered(service: Service, query: Query, request: Request | None = None) -> dict[str, Any]:
    """Return the answer's JSON, its receipt included.

    Raises `RagError`, `ProblemError` after `answer_seconds`, `ClientGoneError` once the client of
    `request` hangs up.
    """
    watcher = _Watcher(None)
    work = asyncio.ensure_future(_work(service, query, watcher))
    gone = asyncio.ensure_future(_hangs_up(request)) if request else None
    try:
        done, _ = await asyncio.wait(
            {work, gone} if gone else {work},
            timeout=service.settings.answer_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if work in done:
            return _told(service, *work.result())
        raise ClientGoneError if done else _too_slow(service)
    finally:
        watcher.stop.set()
        if gone:
            gone.cancel()
        _forget(work)


async def streamed(service: Service, query: Query) -> AsyncGenerator[list[Event]]:
    """Yield what is known of the answer as it becomes known, several events where they come together.

    Closing the iterator ends the work. Raises as `answered` does.
    """
    queue: asyncio.Queue[Event | None] = asyncio.Queue()
    watcher = _Watcher(queue.put_nowait)
    work = asyncio.ensure_future(_work(service, query, watcher))
    work.add_done_callback(lambda _: queue.put_nowait(None))
    deadline = asyncio.get_running_loop().time() + service.settings.answer_seconds
    try:
        ended = False
        while not ended:
            async with asyncio.timeout_at(deadline):
                events = [await queue.get()]
            while not queue.empty():
                events.append(queue.get_nowait())
            ended = None in events
            told = [event for event in events if event is not None]
            if told:
                yield told
        yield [("answer", _told(service, *await work))]
    except TimeoutError:
        raise _too_slow(service) from None
    finally:
        watcher.stop.set()
        _forget(work)


async def _work(service: Service, query: Query, watcher: _Watcher) -> Answered:
    collection = service.collections[query.collection]
    run = service.workers.compute if query.backend == "extractive" else service.workers.wait
    try:
        return await run(_ask, collection, query, watcher)
    except BackendError as error:
        service.metrics.backend_errors.labels(query.backend, type(error).__name__).inc()
        raise


def _ask(collection: Collection, query: Query, watcher: _Watcher) -> Answered:
    watcher.stop.check()
    answerer = collection.answerer(query.backend)
    asked = query.question, query.top_k, query.filter, query.history
    considered = answerer.consider(*asked, watcher, query.grounding)
    return considered.answer, receipt_of(considered, answerer, *asked)


def _told(service: Service, answer: Answer, receipt: Receipt) -> dict[str, Any]:
    service.metrics.answered(answer)
    value = answer_json(answer)
    return {**value, "receipt": service.receipts.keep(record_of(receipt, value))}


def _too_slow(service: Service) -> ProblemError:
    return ProblemError("too_slow", f"There was no answer after {service.settings.answer_seconds:g} s.")


async def _hangs_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _forget(work: "asyncio.Future[Answered]") -> None:
    """Let a thread that was told to stop end by itself; what it ends with is of no interest."""
    work.add_done_callback(lambda done: None if done.cancelled() else done.exception())


def noted(request: Request, **values: Any) -> None:
    """Have the request's log line say more."""
    request.scope["state"].setdefault("noted", {}).update(values)
