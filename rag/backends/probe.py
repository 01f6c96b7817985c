"""Finds out what a model's server does with what it is sent: whether it all arrives, above all.

Servers cut prompts that are too long, and many say nothing of it. A prompt of known length tells by
the tokens that the server says it read; where it says none, by code words at the prompt's start,
middle and end, which a model that gives them back from a short prompt has to give back from a long one.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.backends.hear import Heard, hear
from rag.backends.known import Known
from rag.errors import BackendError, BackendTimeoutError, BackendUnreachableError
from rag.protocols import ChatModel
from rag.types import ChatOptions, Message

_LINE = "The river was calm, and the boats lay at the quay until the evening."
_LINE_TOKENS = 9
"""Fewest tokens that any tokenizer makes of such a line with its number."""
_FEW = 6
"""Lines of the prompt that a longer one is measured by."""
_TRIES = 6
"""Most long prompts that are sent."""
_NEAR = 1.15
"""How near, as a quotient, what fits and what does not have to be for the search to end."""
_WHOLE = 0.98
"""The share of the expected tokens from which on a prompt counts as read whole."""
_BRIEF = ChatOptions(max_tokens=24)

_Fate = Literal["whole", "cut", "refused", "slow", "unknown"]


@dataclass(frozen=True, slots=True)
class Probed:
    """What probing found; `known` is what is worth remembering."""

    known: Known
    needed: int
    """Tokens that an answer by the settings may take."""
    slow: bool
    """Whether a long prompt took longer than the settings wait, so that its fate is not known."""
    words: int
    """How many of the three code words came back from the last of the long prompts."""
    repeats: bool
    """Whether all three came back from the short ones."""


def probe(chat: ChatModel, needed: int) -> Probed:
    """Ask a model a dozen things at most; raises `BackendError` where it does not reply at all."""
    short = hear(chat, prompt(0), _BRIEF)
    stops = _stops(chat, short)
    search = _Search(chat, short)
    if chat.context_tokens is None:
        search.run(needed)
    known = Known(
        model=search.latest.model,
        overflow=search.overflow,
        context_tokens=search.limit,
        whole_tokens=search.whole,
        streams=_streams(short),
        stop=stops,
        json=_json(chat),
        usage=short.read is not None,
        first_ms=round(1000 * short.seconds[0], 1) if short.seconds else None,
        tokens_per_second=round(short.rate, 1) if short.rate else None,
    )
    return Probed(known, needed, search.slow, _returned(search.latest), search.told)


def prompt(lines: int) -> list[Message]:
    """Return a prompt of so many lines with a code word at its start, middle and end.

    No two begin alike, as some servers do not count what they have read before.
    """
    first, second, third = _code_words()
    numbered = [f"{n}. {_LINE}" for n in range(1, lines + 1)]
    text = [
        f"Three code words and {lines} lines stand here. Reply with the three words and nothing else.",
        f"The first code word is {first}.",
        *numbered[: lines // 2],
        f"The second code word is {second}.",
        *numbered[lines // 2 :],
        f"The third code word is {third}.",
        "Which are the three code words?",
    ]
    return [Message("user", "\n".join(text))]


class _Search:
    """The search for the longest prompt that arrives."""

    def __init__(self, chat: ChatModel, short: Heard) -> None:
        self.latest = short
        self.overflow: Literal["cut", "refused"] | None = None
        self.limit: int | None = None
        self.whole: int | None = short.read
        self.slow = False
        self._chat = chat
        self._short = short
        self._per_line = 0.0
        self.told = False
        """Whether the model gave all code words back from the short prompts."""
        self._kept = 0
        """Most tokens that were left of a prompt that was cut."""

    def run(self, needed: int) -> None:
        """Try a prompt of so many tokens, and where it does not arrive, shorter ones."""
        few = hear(self._chat, prompt(_FEW), _BRIEF)
        self.latest = few
        self.told = _returned(self._short) == _returned(few) == 3
        self._measure(few)
        if self._by_usage and self._per_line < _LINE_TOKENS:
            self.overflow, self.limit = "cut", few.read
            return
        fits, fails = _FEW, max(_FEW + 1, self._lines(needed))
        trying = fails
        for _ in range(_TRIES):
            fate = self._try(trying)
            if fate == "whole":
                fits = trying
                self.whole = self._size(trying)
            elif fate in ("cut", "refused"):
                self.overflow = "cut" if fate == "cut" else self.overflow or "refused"
                fails = trying
            else:
                break
            if fits >= self._lines(needed) or self._size(fails) <= _NEAR * self._least(fits):
                break
            trying = self._between(fits, fails)
        if self.overflow:
            self.limit = self._least(fits)

    @property
    def _by_usage(self) -> bool:
        return self._short.read is not None

    def _measure(self, few: Heard) -> None:
        if self._short.read is not None and few.read is not None:
            self._per_line = (few.read - self._short.read) / _FEW
            self.whole = few.read
        else:
            self._per_line = (self._count(_FEW) - self._count(0)) / _FEW

    def _try(self, lines: int) -> _Fate:
        try:
            heard = hear(self._chat, prompt(lines), _BRIEF)
        except BackendTimeoutError:
            self.slow = True
            return "slow"
        except BackendUnreachableError:
            return "unknown"
        except BackendError:
            return "refused"
        self.latest = heard
        if self._by_usage and heard.read is not None:
            if heard.read >= _WHOLE * self._size(lines):
                return "whole"
            self._kept = max(self._kept, heard.read)
            return "cut"
        if not self.told:
            return "unknown"
        return "whole" if _returned(heard) == 3 else "cut"

    def _least(self, fits: int) -> int:
        """Return how many tokens are sure to arrive: what did, or what was left after cutting."""
        return max(self._size(fits), self._kept)

    def _between(self, fits: int, fails: int) -> int:
        """Return how many lines to try next: just above what was left, or the middle in proportion."""
        above = self._lines(round(self._kept * 1.1))
        trying = above if fits < above < fails else round((fits * fails) ** 0.5)
        return min(max(trying, fits + 1), fails - 1)

    def _size(self, lines: int) -> int:
        base = self._count(0) if self._short.read is None else self._short.read
        return round(base + self._per_line * lines)

    def _lines(self, tokens: int) -> int:
        return max(1, round((tokens - self._size(0)) / self._per_line))

    def _count(self, lines: int) -> int:
        return sum(self._chat.count(each.content) for each in prompt(lines))


def _code_words() -> list[str]:
    """Return three words that no text holds by chance, the same each time."""
    vowels, others = "aeiou", "bdfgklmnprstvz"
    words = []
    for n in range(3):
        drawn = hashlib.sha256(f"code word {n}".encode()).digest()
        pairs = zip(drawn[0:8:2], drawn[1:8:2], strict=True)
        words.append("".join(others[a % len(others)] + vowels[b % 5] for a, b in pairs))
    return words


def _returned(heard: Heard) -> int:
    return sum(word in heard.text.lower() for word in _code_words())


def _streams(heard: Heard) -> bool | None:
    return True if len(heard.bits) > 1 else None if len(heard.text) < 8 else False


def _stops(chat: ChatModel, short: Heard) -> bool | None:
    """Ask again, to stop before a word of the reply; a reply without two words cannot tell."""
    words = short.text.split()
    if len(words) < 2:
        return None
    options = ChatOptions(max_tokens=_BRIEF.max_tokens, stop=(words[1],))
    reply = _heard(chat, prompt(0), options)
    return None if reply is None else words[1] not in reply.text


def _json(chat: ChatModel) -> bool | None:
    asked = [Message("user", 'Reply with the JSON object {"ready": true} and nothing else.')]
    reply = _heard(chat, asked, ChatOptions(max_tokens=64, json=True))
    if reply is None:
        return False
    try:
        return isinstance(json.loads(reply.text), dict)
    except ValueError:
        return None if reply.ended == "length" and reply.text.lstrip().startswith("{") else False


def _heard(chat: ChatModel, messages: Sequence[Message], options: ChatOptions) -> Heard | None:
    try:
        return hear(chat, messages, options)
    except BackendError:
        return None
