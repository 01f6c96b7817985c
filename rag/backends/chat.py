"""Any `ChatModel` as a `Backend`: its reply is the draft, the abstaining token an abstention."""

from collections.abc import Callable
from dataclasses import replace

from rag.errors import BackendError
from rag.protocols import ChatModel
from rag.stop import Stop
from rag.types import ABSTAIN, Draft, Request

_AROUND = " \t\r\n\"'`*_.“”"
"""What models put around a token."""


class ChatBackend:
    """Hands on what a model replies, bit by bit."""

    def __init__(self, model: ChatModel) -> None:
        self.name = model.name
        self.chat = model

    def generate(self, request: Request, say: Callable[[str], None], stop: Stop) -> Draft:
        """Return the model's reply as a draft; raises `BackendError` and `StoppedError`."""
        stop.check()
        stream = self.chat.stream(request.messages, request.options)
        said = held = ""
        try:
            with stop.waking(stream.close):
                for bit in stream:
                    stop.check()
                    held += bit
                    if not said and _may_abstain(held):
                        continue
                    held = held.replace(ABSTAIN, "")
                    clear = len(held) - _begun(held)
                    if clear:
                        say(held[:clear])
                        said, held = said + held[:clear], held[clear:]
        except BackendError:
            stop.check()
            raise
        finally:
            stream.close()
        draft = Draft(
            said + held,
            model=stream.model,
            usage=stream.usage,
            ended=stream.ended,
            notices=stream.notices,
        )
        if not said and _abstains(held):
            return replace(draft, text="", abstained=True)
        if held:
            say(held)
        return draft


def _may_abstain(begun: str) -> bool:
    """Tell whether a reply that begins like this may yet abstain, however it was cut into bits."""
    bare = begun.strip(_AROUND)
    return ABSTAIN.startswith(bare) or bare.startswith(ABSTAIN)


def _begun(said: str) -> int:
    """Return how many characters at the end of a text may be the beginning of the abstaining token."""
    sizes = range(min(len(said), len(ABSTAIN) - 1), 0, -1)
    return next((size for size in sizes if said.endswith(ABSTAIN[:size])), 0)


def _abstains(reply: str) -> bool:
    """Tell whether a reply is or begins with the token, whatever quotes it, or is nothing at all."""
    bare = reply.strip(_AROUND)
    return not bare or bare.startswith(ABSTAIN)
