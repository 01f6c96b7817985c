"""A question beside a text as the reader sees them: `[CLS] question [SEP] title [SEP] text [SEP]`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from rag import text as language
from rag.errors import ReaderError
from rag.types import Span

LONGEST = 256
"""Tokens of a window that the reader was trained on, all told."""
QUESTION = 48
TITLE = 24


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens to read at once. Those from `text` on, but the last, are the text's."""

    ids: Sequence[int]
    second: int
    """Where the second segment begins: the title, or the text."""
    text: int
    offsets: Sequence[Span]
    """Of each token of the text, its span in code points of the whole text."""


class Windows:
    """Lays out windows by a tokenizer. Safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._cls, self._sep = (_special(tokenizer, name) for name in ("[CLS]", "[SEP]"))

    def encoded(self, texts: Sequence[str]) -> list[Encoding]:
        """Return the tokens of texts, special ones left out."""
        found: list[Encoding] = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return found

    def head(self, question: Encoding, title: Encoding | None) -> tuple[list[int], int]:
        """Return what stands before the text, and where its second segment begins."""
        ids = [self._cls, *question.ids[:QUESTION], self._sep]
        second = len(ids)
        if title is not None and title.ids:
            ids += [*title.ids[-TITLE:], self._sep]
        return ids, second

    def window(self, head: tuple[list[int], int], text: Encoding, first: int, last: int) -> Window:
        """Return the window over the text's tokens from `first` up to `last`."""
        before, second = head
        ids = [*before, *text.ids[first:last], self._sep]
        return Window(ids, second, len(before), text.offsets[first:last])

    def over(self, question: str, title: str, text: str) -> Iterator[Window]:
        """Yield windows that cover the whole text, each from the start of a sentence where it can.

        Neighbours share about half, so that an answer's surroundings are whole in one of them.
        """
        asked, named, encoding = self.encoded([question, title, text])
        head = self.head(asked, named)
        room = LONGEST - len(head[0]) - 1
        count = len(encoding.ids)
        if count <= room:
            yield self.window(head, encoding, 0, count)
            return
        starts = _sentence_starts(text, encoding)
        first = 0
        while first + room < count:
            yield self.window(head, encoding, first, first + room)
            near = [at for at in starts if first < at <= first + room // 2]
            first = near[-1] if near else first + room // 2
        yield self.window(head, encoding, first, count)


def _special(tokenizer: Tokenizer, name: str) -> int:
    found = tokenizer.token_to_id(name)
    if found is None:
        raise ReaderError(f"The reader's tokenizer has no {name}; reinstall seedrag.")
    return int(found)


def _sentence_starts(text: str, encoding: Encoding) -> list[int]:
    """Return the tokens that sentences begin with."""
    begins = [start for start, _ in language.sentences(text)]
    starts = []
    at = 0
    for token, (start, _) in enumerate(encoding.offsets):
        if at < len(begins) and start >= begins[at]:
            starts.append(token)
            while at < len(begins) and begins[at] <= start:
                at += 1
    return starts
