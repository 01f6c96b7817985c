"""A question that leans on the turns before it → one that can be searched by itself."""

import re
from collections.abc import Sequence

from rag import text
from rag.errors import BackendError, BackendTimeoutError, BackendUnreachableError
from rag.prompt import Prompter
from rag.protocols import ChatModel
from rag.stop import Stop
from rag.types import ChatOptions, Message, Notice

_FIGURE = re.compile(r"\d+")
_LONGEST = 400
"""Characters beyond which a reply is no question."""
TOKENS = 96


def condensed(
    model: ChatModel, prompter: Prompter, question: str, history: Sequence[Message], stop: Stop
) -> tuple[str, Notice]:
    """Return the question as it stands alone, or as it was where the model's reply is of no use.

    It is of use where it holds the question's figures and no content word that the conversation
    lacks: condensing moves words, it does not find any. A model that cannot do it, as one that reasons
    at length or one whose context the conversation overflows, may answer all the same. Raises
    `BackendUnreachableError`, `BackendTimeoutError` and `StoppedError`.
    """
    messages = prompter.condense(question, history)
    stream = model.stream(messages, ChatOptions(max_tokens=TOKENS))
    try:
        with stop.waking(stream.close):
            reply = "".join(stream)
    except BackendError as error:
        stop.check()
        if isinstance(error, BackendUnreachableError | BackendTimeoutError):
            raise
        reply = ""
    finally:
        stream.close()
    alone = text.squeeze(reply.strip().strip("\"'“”`*"))
    if not _usable(alone, question, history):
        said = f"{model.name} made no usable question of the conversation; it was searched as it is."
        return question, Notice("not_condensed", said)
    return alone, Notice("condensed", f"Searched for: {alone}")


def _usable(alone: str, question: str, history: Sequence[Message]) -> bool:
    spoken = " ".join([question, *(turn.content for turn in history)])
    of = text.language(spoken)
    known = set(text.stems(spoken, of))
    return (
        0 < len(alone) <= _LONGEST
        and bool(text.content_stems(alone, of))
        and set(text.content_stems(alone, of)) <= known
        and set(_FIGURE.findall(question)) <= set(_FIGURE.findall(alone))
    )
