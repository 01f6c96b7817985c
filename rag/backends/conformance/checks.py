"""The promises of `ChatModel`, one check for each."""

import json
import threading
import time
from collections.abc import Callable, Mapping

from rag.backends.hear import Heard, hear
from rag.errors import BackendError
from rag.protocols import ChatModel
from rag.types import ChatOptions, Message, Notice

SOON = 2.0
"""Seconds within which a closed reply has to let go of who waits for it."""
_COUNT = [Message("user", "Count from one to a hundred, in words.")]
_TEA = [Message("user", "Write three sentences about tea.")]
_BRIEF = ChatOptions(max_tokens=16)


class Broken(Exception):  # noqa: N818 - what is broken is the model
    """A promise that the model does not keep."""


class Unclear(Exception):  # noqa: N818 - no error, but the lack of an answer
    """Why a check cannot tell."""


def _name(chat: ChatModel) -> str:
    _must(isinstance(chat.name, str) and bool(chat.name.strip()), f"its name is {chat.name!r}")
    return chat.name


def _counts(chat: ChatModel) -> str:
    text = "The boats lay at the quay, and nobody was there. " * 20
    tokens = chat.count(text)
    _must(isinstance(tokens, int), f"count gives {tokens!r}, no whole number")
    _must(tokens >= len(text) / 10, f"count gives {tokens} for {len(text)} letters: too few")
    _must(chat.count(text + text) > tokens, "count gives twice the text no more tokens")
    context = chat.context_tokens
    _must(context is None or (isinstance(context, int) and context > 0), f"context is {context!r}")
    return f"context {context or 'not known'}"


def _streams(chat: ChatModel) -> str:
    heard = hear(chat, _TEA, _BRIEF)
    _must(all(isinstance(bit, str) for bit in heard.bits), "a bit is no text")
    _must(bool(heard.text.strip()), "the reply is empty")
    _must(isinstance(heard.model, str) and bool(heard.model), f"model is {heard.model!r}")
    if len(heard.bits) == 1:
        raise Unclear("the reply came in one piece; that is allowed, but nobody sees it begin")
    return f"{len(heard.bits)} bits"


def _usage(chat: ChatModel) -> str:
    usage = hear(chat, _TEA, _BRIEF).usage
    if usage is None:
        raise Unclear("it tells no usage, so cut prompts cannot be noticed")
    _must(isinstance(usage, Mapping), f"usage is {usage!r}")
    for name in ("prompt_tokens", "completion_tokens"):
        _must(isinstance(usage.get(name), int) and usage[name] >= 0, f"usage lacks {name}")
    return f"{usage['prompt_tokens']} in, {usage['completion_tokens']} out"


def _notices(chat: ChatModel) -> str:
    stream = chat.stream(_TEA, _BRIEF)
    "".join(stream)
    notices = stream.notices
    stream.close()
    _must(all(isinstance(each, Notice) for each in notices), f"notices are {notices!r}")
    return ""


def _ends(chat: ChatModel) -> str:
    long, short = (hear(chat, _COUNT, ChatOptions(max_tokens=most)) for most in (24, 4))
    _must(all(isinstance(each.ended, str) and each.ended for each in (long, short)), "ended is empty")
    if len(long.text) <= len(short.text) and long.ended == "stop":
        raise Unclear("its reply is too short to be cut")
    _must(len(short.text) < len(long.text), "max_tokens is not heeded: 4 gave as much as 24")
    wrote = (short.usage or {}).get("completion_tokens", 0)
    _must(wrote <= 4, f"max_tokens is not heeded: 4 gave {wrote}")
    _must(short.ended == "length", f'a reply that was cut has ended {short.ended!r}, not "length"')
    return ""


def _same(chat: ChatModel) -> str:
    _must(_twice(chat), "the same messages at temperature 0 got another reply")
    return ""


def _stops(chat: ChatModel) -> str:
    whole = hear(chat, _TEA, _BRIEF).text
    words = whole.split()
    if len(words) < 3:
        raise Unclear("its reply has too few words")
    end = words[2]
    cut = hear(chat, _TEA, ChatOptions(max_tokens=_BRIEF.max_tokens, stop=(end,))).text
    _must(end not in cut, f"the stop text {end!r} stands in the reply")
    return ""


def _json(chat: ChatModel) -> str:
    asked = [Message("user", 'Reply with the JSON object {"ready": true} and nothing else.')]
    heard = hear(chat, asked, ChatOptions(max_tokens=64, json=True))
    try:
        _must(isinstance(json.loads(heard.text), dict), "with json=True the reply is no object")
    except ValueError:
        if heard.ended == "length" and heard.text.lstrip().startswith("{"):
            raise Unclear("its JSON was cut at 64 tokens") from None
        raise Broken("with json=True the reply is no JSON") from None
    return ""


def _wakes(chat: ChatModel) -> str:
    stream = chat.stream(_COUNT, ChatOptions(max_tokens=1000))
    heard: list[str] = []
    raised: list[Exception] = []
    begun, ended = threading.Event(), threading.Event()

    def listen() -> None:
        try:
            for bit in stream:
                heard.append(bit)
                begun.set()
        except Exception as error:  # looked at below, in the thread that judges
            raised.append(error)
        begun.set()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    begun.wait(60)
    early = not ended.is_set()
    closed = time.monotonic()
    stream.close()
    _must(ended.wait(SOON), f"{SOON:.0f} s after close() from another thread it still waits")
    stream.close()
    wrong = [error for error in raised if not isinstance(error, BackendError)]
    _must(not wrong, f"close() wakes by {wrong[:1]!r}; a BackendError was due")
    if not early:
        raise Unclear("the reply was over before it could be closed")
    return f"{1000 * (time.monotonic() - closed):.0f} ms after {len(heard)} bits"


def _threads(chat: ChatModel) -> str:
    alone = [hear(chat, messages, _BRIEF).text for messages in (_COUNT, _TEA)]
    together: dict[int, Heard | Exception] = {}

    def ask(n: int) -> None:
        try:
            together[n] = hear(chat, (_COUNT, _TEA)[n], _BRIEF)
        except Exception as error:  # looked at below
            together[n] = error

    threads = [threading.Thread(target=ask, args=(n,), daemon=True) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    replies = [together.get(n) for n in range(2)]
    for reply in replies:
        _must(isinstance(reply, Heard), f"of two threads one got {reply!r}")
    texts = [reply.text for reply in replies if isinstance(reply, Heard)]
    if texts != alone and not _twice(chat):
        raise Unclear("its replies differ each time")
    _must(texts == alone, "two threads got other replies than each alone")
    return ""


def _refuses(chat: ChatModel) -> str:
    context = chat.context_tokens
    if context is None:
        raise Unclear("its context is not known")
    word = "boat "
    words = 2 * context * 100 // max(1, chat.count(word * 100))
    try:
        hear(chat, [Message("user", word * words)], _BRIEF)
    except BackendError as error:
        _must(len(str(error)) > 10, "the error says nothing")
        return str(error)
    raise Broken(f"a prompt of twice its {context} tokens was taken without a word")


CHECKS: Mapping[str, Callable[[ChatModel], str]] = {
    "name": _name,
    "count": _counts,
    "bits": _streams,
    "usage": _usage,
    "notices": _notices,
    "max_tokens": _ends,
    "same": _same,
    "stop": _stops,
    "json": _json,
    "close": _wakes,
    "threads": _threads,
    "too long": _refuses,
}
"""Every check by its name: it returns a detail, or raises `Broken`, `Unclear` or what went wrong."""


def _twice(chat: ChatModel) -> bool:
    return hear(chat, _TEA, _BRIEF).text == hear(chat, _TEA, _BRIEF).text


def _must(kept: bool, otherwise: str) -> None:
    if not kept:
        raise Broken(otherwise)
