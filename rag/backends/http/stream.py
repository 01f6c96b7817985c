"""A reply in the making: asked for, asked for again where that may help, and read bit by bit."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import httpx

from rag.backends.http.complaint import Complaint
from rag.backends.http.events import events
from rag.backends.http.exchange import body_of, exchange, lost, refused, retry_after
from rag.backends.http.problems import BrokenOffError, PassingError, problem
from rag.backends.http.reading import Heard, Reading
from rag.backends.http.watch import FIRST, SILENCE, CutError, Watch
from rag.errors import BackendUnreachableError
from rag.types import ChatOptions, Message, Notice

if TYPE_CHECKING:
    from rag.backends.http.chat import HTTPChat

LONGEST_WAIT = 60.0
"""Seconds beyond which a server's wish to be left alone is not granted."""
_LINGER = 2.0
"""Seconds that a finished reply's token counts are waited for."""
_NAME = 200
_PATH = re.compile(r"^(?:/|[A-Za-z]:\\).*[/\\]", re.DOTALL)
"""The folder of a model that its server names by its file; that is nobody's business."""


class _LearnedError(Exception):
    """The server takes the request otherwise, and we know now how."""


class HTTPStream:
    """What a chat model replies over HTTP. It is iterated once."""

    def __init__(self, chat: "HTTPChat", messages: Sequence[Message], options: ChatOptions) -> None:
        self.model = chat.model
        self.usage: Mapping[str, int] | None = None
        self.ended = "stop"
        self.notices: Sequence[Notice] = ()
        self._chat = chat
        self._asked = messages, options
        self._watch = Watch(chat.server.limits.total)
        self._spoke = False

    def __iter__(self) -> Iterator[str]:
        """Yield the reply bit by bit; raises `BackendError`.

        A server that could not answer is asked again, but never once it has said something.
        """
        tries = 0
        with self._watch:
            while True:
                try:
                    yield from self._reply()
                    return
                except PassingError as passing:
                    if self._spoke or tries >= self._chat.server.limits.retries:
                        raise passing.error from None
                    self._wait(passing, tries)
                    tries += 1
                except _LearnedError:
                    continue

    def close(self) -> None:
        """Cut the connection; who waits for its next bit gets a `BackendError`."""
        self._watch.close()

    def _reply(self) -> Iterator[str]:
        chat, limits = self._chat, self._chat.server.limits
        body, dropped = chat.request(*self._asked)
        whole = not body.get("stream")
        self._watch.allow(limits.total if whole else limits.first_token, FIRST)
        with exchange(chat.server, chat.path, body, self._watch) as response:
            self._accept(response, body)
            yield from self._bits(response)
        self.notices = (*self.notices, *dropped)

    def _accept(self, response: httpx.Response, body: Mapping[str, Any]) -> None:
        complaint = refused(self._chat.server, response)
        if complaint is None:
            return
        learnable = complaint.status in (400, 422) and not complaint.too_long
        if learnable and self._chat.learn(body, complaint):
            raise _LearnedError
        raise problem(self._chat.server, complaint, retry_after(response))

    def _bits(self, response: httpx.Response) -> Iterator[str]:
        reading = Reading()
        try:
            for event in events(body_of(response)):
                self._watch.check()
                if event.value.get("error") or event.name == "error":
                    raise problem(self._chat.server, Complaint.within(event.value))
                yield from self._take(reading, self._chat.heard(event))
                if reading.last:
                    break
            self._watch.check()
        except (CutError, httpx.HTTPError, BrokenOffError):
            if not reading.whole or self._watch.closed:
                raise
        if not reading.whole:
            raise BrokenOffError
        yield from self._say(reading.rest())
        self.ended = (reading.ended or "stop")[:_NAME]
        reading.check(self._chat.name)

    def _take(self, reading: Reading, heard: Heard) -> Iterator[str]:
        if heard.model:
            self.model = _PATH.sub("", heard.model)[:_NAME].encode("utf-8", "replace").decode()
        if heard.usage:
            self.usage = {**(self.usage or {}), **heard.usage}
        known_whole = reading.whole
        said = reading.take(heard)
        if heard.text or heard.thought:
            self._watch.allow(self._chat.server.limits.silence, SILENCE)
        yield from self._say(said)
        if reading.whole and not known_whole:
            self._watch.allow(min(_LINGER, self._chat.server.limits.silence))

    def _say(self, text: str) -> Iterator[str]:
        """Yield a text that is one; the time that its reader takes is no silence of the server."""
        if text:
            self._spoke = True
            self._watch.allow()
            yield text
            self._watch.allow(self._chat.server.limits.silence, SILENCE)

    def _wait(self, passing: PassingError, tries: int) -> None:
        name, limits, left = self._chat.name, self._chat.server.limits, self._watch.left
        if passing.after is not None and passing.after > left:
            raise BackendUnreachableError(
                f"{name} wants to be left alone for {passing.after:.0f} seconds, more than are left of "
                "RAG_REPLY_SECONDS; ask again later."
            )
        seconds = limits.backoff * 2**tries * random.uniform(1, 1.5)
        if passing.after is not None:
            seconds = min(passing.after, LONGEST_WAIT)
        if seconds >= left:
            raise passing.error
        self.notices = (*self.notices, Notice("retried", f"{passing.error} It was asked again."))
        try:
            self._watch.wait(seconds)
        except CutError as error:
            raise lost(self._chat.server, self._watch, error) from None
