"""Where in the documents of today a user's words, or an answer's quotes, stand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eval.anchor import resolve
from eval.anchor.align import places, words
from eval.check.mend import CONTEXT
from eval.draft import Line, quoting
from eval.gold import Evidence
from eval.harvest.feedback import Place
from rag.text import content_stems, language, sentences, squeeze, stems
from rag.types import Span

_STOPS = ".!。！ "
_SHOWN = 80
"""Characters of a quote that people are shown."""

Texts = Mapping[str, str]


def shown(text: str) -> str:
    """Return a text in quotes for people, on one line and not too long."""
    line = squeeze(text)
    return f"“{line[:_SHOWN]}…”" if len(line) > _SHOWN else f"“{line}”"


def anchored(
    group: str, cited: Place, passages: Sequence[Place], texts: Texts, wording: str
) -> tuple[Line | None, str]:
    """Return the evidence row of a quote, or None and what a person must look at."""
    around = _surroundings(cited, passages)
    value: dict[str, Any] = {"group": group, "doc": cited.doc, "quote": cited.text, **around}
    row = Evidence(**value, start=cited.start, end=cited.end)
    now = resolve(row, texts, [wording])
    if now.settled and now.start is not None and now.end is not None:
        return quoting(group, now.doc, texts[now.doc], (now.start, now.end)), ""
    said = f": {now.note}" if now.note else ""
    return None, f"look for {shown(cited.text)} of {cited.doc}, which is {now.status}{said}"


def stating(wording: str, question: str, first: Sequence[str], texts: Texts) -> tuple[str, Span] | None:
    """Return the document and the sentence that hold a wording, or None.

    Of several it is the one that shares most with the question, in the documents `first` if they
    hold any; a sentence of another document must share something with it.
    """
    bare = wording.rstrip(_STOPS) or wording
    here = [doc for doc in dict.fromkeys(first) if doc in texts]
    of = language(question)
    asked = set(content_stems(question, of))

    def shared(found: tuple[str, Span]) -> int:
        doc, (start, end) = found
        return len(asked.intersection(stems(texts[doc][start:end], of)))

    known = [(doc, span) for doc in here for span in _sentences_with(bare, texts[doc])]
    if known:
        return max(known, key=shared)
    rest = [doc for doc in texts if doc not in here and _may_hold(bare, texts[doc])]
    other = [(doc, span) for doc in rest for span in _sentences_with(bare, texts[doc])]
    best = max(other, key=shared, default=None)
    return best if best and shared(best) else None


def _surroundings(cited: Place, passages: Sequence[Place]) -> Mapping[str, str]:
    """Return what stood around a quote, as far as a passage of its answer shows it."""
    for passage in passages:
        start, end = cited.start - passage.start, cited.end - passage.start
        if passage.doc == cited.doc and start >= 0 and passage.text[start:end] == cited.text:
            before = passage.text[max(0, start - CONTEXT) : start]
            return {"prefix": before, "suffix": passage.text[end : end + CONTEXT]}
    return {}


def _may_hold(wording: str, text: str) -> bool:
    """Tell quickly, for most texts, that they lack the longest word of a wording."""
    longest = max(words(wording).tokens, key=len, default="")
    return bool(longest) and longest in text.casefold()


def _sentences_with(wording: str, text: str) -> Iterator[Span]:
    """Yield the sentences, or the run of them, that hold the words of a wording."""
    found = places(wording, text)
    bounds = sentences(text) if found else []
    held = words(text)
    for place in found:
        start, end = held.span(place)
        within = [span for span in bounds if span[0] < end and span[1] > start]
        if within:
            yield within[0][0], within[-1][1]
