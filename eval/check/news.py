"""New sentences that may answer what the gold calls unanswerable.

A sentence is as near to a question as the share of the question's content stems that it holds, each
weighted by its inverse document frequency over today's sentences. Of 34 invented sentences that
answer unanswerable questions about the shipped seeds, `SHARE` finds 29, and none for another's
question; 13 invented ones about other things give no warning. Headings and neighbouring sentences
found no further answer, and warned of twice as many sentences that had merely been touched.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log

from eval.anchor import sentence_digest
from eval.check.values import Warned
from eval.gold import GoldItem
from rag.text import content_stems, language, sentences
from rag.types import Span

SHARE = 0.55
"""Share of a question's content from which a new sentence may be its answer."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    doc: str
    span: Span
    text: str


def warnings(
    items: Sequence[GoldItem], texts: Mapping[str, str], before: Mapping[str, Collection[str]]
) -> list[Warned]:
    """Return for each unanswerable item the new sentence that holds most of its question, if any.

    New is a sentence that no document had `before`.
    """
    asked = [item for item in items if not item.answerable]
    known = frozenset(chain.from_iterable(before.values()))
    held = [
        _Sentence(doc, span, text[slice(*span)])
        for doc, text in sorted(texts.items())
        for span in sentences(text)
    ]
    new = [each for each in held if sentence_digest(each.text) not in known]
    if not (asked and new):
        return []
    languages = {doc: language(text) for doc, text in texts.items()}
    weights = _weights([set(content_stems(each.text, languages[each.doc])) for each in held])
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, each in enumerate(new):
        of = languages[each.doc]
        for stem in set(content_stems(each.text, of)):
            index[of, stem].append(at)
    found: list[Warned] = []
    for item in asked:
        shares = _shares(item.question, sorted(set(languages.values())), index, weights)
        best = min(shares, key=lambda at: (-shares[at], at), default=None)
        if best is not None and shares[best] >= SHARE:
            each = new[best]
            found.append(Warned(item.id, item.question, each.doc, *each.span, each.text, shares[best]))
    return found


def _weights(held: Sequence[Collection[str]]) -> Mapping[str, float]:
    """Return each stem's inverse document frequency; a stem that no sentence has is the rarest."""
    counts = Counter(chain.from_iterable(held))
    rarest = log((len(held) + 1) / 0.5)
    weights = {stem: log((len(held) + 1) / (count + 0.5)) for stem, count in counts.items()}
    return defaultdict(lambda: rarest, weights)


def _shares(
    question: str,
    languages: Sequence[str],
    index: Mapping[tuple[str, str], Sequence[int]],
    weights: Mapping[str, float],
) -> dict[int, float]:
    """Return the share of the question that each new sentence holds, where it holds any."""
    shares: defaultdict[int, float] = defaultdict(float)
    for of in languages:
        wanted = sorted(set(content_stems(question, of)))
        total = sum(weights[stem] for stem in wanted)
        for stem in wanted:
            for at in index.get((of, stem), ()):
                shares[at] += weights[stem] / total
    return {at: round(share, 4) for at, share in shares.items()}
