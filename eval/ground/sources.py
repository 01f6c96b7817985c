"""Claims that their passages support: where corruptions begin."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import regex

from eval.gold import Gold, GoldItem, read_gold
from eval.ground.labelled import Response, read_corpus
from eval.ground.questions import statements
from eval.ground.reworded import Rewording
from eval.ground.values import Stated
from rag.text import sentences

_WHOLE = regex.compile(r"\p{Lu}[^\n\"“”(){}\[\]]*\.")
"""A sentence without quotation and brackets, which cutting may have torn."""
_WORDS = range(6, 41)


def quotes(gold: Gold, texts: Mapping[str, str]) -> Iterator[Stated]:
    """Yield the gold's quotes that are whole sentences, with their documents."""
    seen = set()
    for item in gold.items:
        for row in item.evidence:
            key = (row.doc, row.quote)
            if row.quote and row.doc in texts and row.quote in texts[row.doc] and key not in seen:
                seen.add(key)
                yield Stated(row.quote, texts[row.doc], "quotes", row.doc)


def faithful(rewordings: Sequence[Rewording]) -> Iterator[Stated]:
    """Yield the faithful rewordings in English."""
    for each in rewordings:
        if each.faithful and each.language == "en":
            yield Stated(each.claim, each.passage, "rewordings", each.cluster)


def attributed(responses: Sequence[Response]) -> Iterator[Stated]:
    """Yield the responses that people found supported, each wording once."""
    seen = set()
    for each in responses:
        if each.supported and len(each.text.split()) in _WORDS and each.text not in seen:
            seen.add(each.text)
            yield Stated(each.text, each.passage, "begin", each.cluster)


def read_squad(folder: Path) -> Iterator[Stated]:
    """Yield what SQuAD's answers stand in: sentences of paragraphs, and questions made statements."""
    gold, texts = read_gold(folder), read_corpus(folder)
    asked: dict[str, list[GoldItem]] = {}
    for item in gold.items:
        if item.answerable and item.evidence:
            asked.setdefault(item.evidence[0].doc, []).append(item)
    for doc, items in asked.items():
        text = texts[doc]
        yield from statements(doc, text, items)
        places = [row.start for item in items for row in item.evidence if row.start is not None]
        for start, end in sentences(text):
            said = text[start:end]
            answers = any(start <= place < end for place in places)
            if answers and _WHOLE.fullmatch(said) and len(said.split()) in _WORDS:
                yield Stated(said, text, "squad", doc)
