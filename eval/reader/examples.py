"""Rows → windows of tokens, with what each head shall say of them.

A window is what the reader sees at run time: `[CLS] question [SEP] title [SEP] text [SEP]`. The text
begins where a sentence does; the answer may stand anywhere in it, also at its very border.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from rag.bundled import bundled_folder
from rag.reader.windows import Windows

UNKNOWN = -1
"""What a head learns nothing from."""
NONE = 0
"""The place that start and end point to where the text does not answer: `[CLS]`."""

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One window. `start` and `end` are places in `ids`, both included."""

    ids: Ids
    text: int
    """Where the text's tokens begin; question and title are before it."""
    second: int
    """Where the second segment begins: the title, or the text."""
    start: int
    end: int
    relevant: int
    """1 where the text answers, 0 where it does not, `UNKNOWN` where that is not known."""


class Examples:
    """Cuts texts into windows, always the same for the same random numbers."""

    def __init__(self) -> None:
        tokenizer = Tokenizer.from_file(str(bundled_folder() / "tokenizer.json"))
        self._windows = Windows(tokenizer)
        self._ends = frozenset(tokenizer.token_to_id(mark) for mark in ".!?")
        self._known: dict[str, Encoding] = {}

    def learn(self, texts: Sequence[str]) -> None:
        """Tokenize texts ahead, all at once."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._windows.encoded(new), strict=True))

    def answering(
        self,
        question: str,
        title: str,
        text: str,
        span: tuple[int, int],
        room: int,
        rng: np.random.Generator,
    ) -> Example | None:
        """Return a window of at most `room` tokens of the text that holds the span.

        None where the span is too long for it.
        """
        first, last = _tokens_of(self._encoding(text).offsets, span)
        if last - first + 1 > room // 2:
            return None
        begin, end = self._place(text, (first, last), room, rng)
        example = self._example(question, title, text, (begin, end), NONE, 1)
        shift = example.text - begin
        return replace(example, start=first + shift, end=last + shift)

    def other(
        self,
        question: str,
        title: str,
        text: str,
        room: int,
        rng: np.random.Generator,
        relevant: int = 0,
        null: int = NONE,
    ) -> Example:
        """Return a window of a text that does not answer, or of which that is not known."""
        count = len(self._encoding(text).ids)
        anywhere = int(rng.integers(0, max(1, count)))
        place = self._place(text, (anywhere, anywhere), room, rng)
        return self._example(question, title, text, place, null, relevant)

    def _encoding(self, text: str) -> Encoding:
        if text not in self._known:
            self.learn([text])
        return self._known[text]

    def _place(
        self, text: str, held: tuple[int, int], room: int, rng: np.random.Generator
    ) -> tuple[int, int]:
        """Return the first token of a window and the one after its last; it holds what is `held`."""
        ids = self._encoding(text).ids
        if len(ids) <= room:
            return 0, len(ids)
        least, most = max(0, held[1] + 1 - room), held[0]
        starts = [at for at in range(least, most + 1) if at == 0 or ids[at - 1] in self._ends]
        begin = starts[int(rng.integers(len(starts)))] if starts else least
        return begin, min(len(ids), begin + room)

    def _example(
        self, question: str, title: str, text: str, place: tuple[int, int], answer: int, relevant: int
    ) -> Example:
        named = self._encoding(title) if title else None
        head = self._windows.head(self._encoding(question), named)
        window = self._windows.window(head, self._encoding(text), *place)
        ids = np.array(window.ids, np.int64)
        return Example(ids, window.text, window.second, answer, answer, relevant)


def _tokens_of(offsets: Sequence[tuple[int, int]], span: tuple[int, int]) -> tuple[int, int]:
    """Return the first and the last token that overlap a span of code points."""
    inside = [at for at, (start, end) in enumerate(offsets) if start < span[1] and span[0] < end]
    return (inside[0], inside[-1]) if inside else (0, len(offsets))
