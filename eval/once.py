"""A backend that is asked once for each prompt, so that one draft is checked in several ways."""

from collections.abc import Callable

from rag.protocols import Backend, ChatModel
from rag.stop import Stop
from rag.types import Draft, Message, Request


class Once:
    """Writes what the backend within wrote when it was first asked the same."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self._known: dict[tuple[Message, ...], Draft] = {}
        self.name = inner.name

    @property
    def chat(self) -> ChatModel | None:
        """The model that reads the prompts, if there is one."""
        return self._inner.chat

    def generate(self, request: Request, say: Callable[[str], None], stop: Stop) -> Draft:
        """Return the draft, at one stroke; raises what the backend within does."""
        asked = tuple(request.messages)
        if asked not in self._known:
            self._known[asked] = self._inner.generate(request, lambda bit: None, stop)
        return self._known[asked]
