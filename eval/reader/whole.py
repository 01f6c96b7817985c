"""What a reader is worth at the end: a corpus is searched, the passages read, a question answered.

Beside it stand the ways that need no reader: the best sentence of the same passages by embedding, by
BM25 and by the mean of both.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.metrics.abstention import auroc
from eval.metrics.answers import f1, fact_recall
from eval.metrics.retrieval import ndcg_at
from eval.reader.measure import Score
from eval.reader.rows import Row
from eval.stats import interval, resampled
from rag import text
from rag.answer import Answerer
from rag.answer.answerer import Considered
from rag.corpus import Found, read_source
from rag.protocols import Encoder
from rag.types import Document, Passage

READ = 5
"""Passages whose sentences the ways without a reader choose from."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of known kind, and what was answered."""

    row: Row
    doc: str
    """The document that its text is; empty where that is not in the corpus."""
    considered: Considered
    best: Mapping[str, str]
    """What the ways without a reader answer."""


def documents(corpus: Path) -> list[Document]:
    """Return the documents of a corpus."""
    return [item.document for item in read_source(corpus, 1000) if isinstance(item, Found)]


def ask(
    answerer: Answerer, rows: Sequence[Row], docs: Mapping[str, str], progress: Callable[[], object]
) -> list[Asked]:
    """Return what comes of each question; `docs` gives the ids of the texts that are searched."""
    found = []
    for row in rows:
        considered = answerer.consider(row.question, top_k=10)
        passages = considered.answer.passages
        best = _sentences(row.question, passages[:READ], answerer.retriever.encoder)
        found.append(Asked(row, docs.get(row.context, ""), considered, best))
        progress()
    return found


def figures(asked: Sequence[Asked]) -> Iterator[tuple[str, Score | None]]:
    """Yield what was reached, by name."""
    answerable = [each for each in asked if each.row.answers and each.doc]
    yield "nDCG@10", _mean(answerable, lambda a: ndcg_at(_docs(a), {a.doc: 1}, 10))
    yield "first sentence holds the answer", _mean(answerable, lambda a: _holds(_first(a), a.row))
    for name in ("embedding", "BM25", "mean"):
        yield f"best sentence by {name}", _mean(answerable, _holding(name))
    yield "F1 of the short answer", _mean(answerable, lambda a: f1(_short(a), a.row.answers))
    for kind, others in (
        ("adversarial", [each for each in asked if not each.row.answers]),
        ("elsewhere", [each for each in asked if not each.doc]),
    ):
        both = [*answerable, *others]
        yes = [bool(each.row.answers and each.doc) for each in both]
        sure = [each.considered.answer.confidence for each in both]
        value = auroc(sure, yes)
        clusters = [each.row.article for each in both]
        spread = resampled(auroc, sure, yes, clusters) if value is not None else None
        yield f"AUROC of confidence, {kind}", None if value is None else Score(value, spread)
        yield f"abstained, {kind}", _mean(others, lambda a: float(a.considered.answer.abstained))
    yield "answered, answerable", _mean(answerable, lambda a: float(not a.considered.answer.abstained))


def told(asked: Sequence[Asked]) -> Iterator[str]:
    """Yield for each question, as JSON, what the reader said of its passages and what was answered."""
    for each in asked:
        answer = each.considered.answer
        yield json.dumps(
            {
                "id": each.row.id,
                "question": each.row.question,
                "answers": list(each.row.answers),
                "doc": each.doc,
                "first": _first(each),
                "short": _short(each),
                "confidence": answer.confidence,
                "abstained": answer.abstained,
                "signals": dict(each.considered.signals),
                "passages": [{"doc": p.doc, "score": p.score, **p.signals} for p in answer.passages],
            },
            ensure_ascii=False,
        )


def _sentences(question: str, passages: Sequence[Passage], encoder: Encoder) -> Mapping[str, str]:
    """Return the best sentence of passages by each of three ways."""
    said = [p.text[start:end] for p in passages for start, end in text.sentences(p.text)]
    if not said:
        return {}
    vectors = encoder.encode_queries([question, *said])
    cosine = vectors[1:] @ vectors[0]
    words = _bm25(text.stems(question, "en"), [text.stems(each, "en") for each in said])
    both = _unit(cosine) + _unit(words)
    scores = {"embedding": cosine, "BM25": words, "mean": both}
    return {name: said[int(np.argmax(values))] for name, values in scores.items()}


def _bm25(question: Sequence[str], said: Sequence[Sequence[str]]) -> np.ndarray:
    """Return BM25 of each sentence among these, with k1 = 1.2 and b = 0.75 (Robertson 2009)."""
    lengths = np.array([len(each) for each in said], float)
    scores = np.zeros(len(said))
    for stem in set(question):
        often = np.array([list(each).count(stem) for each in said], float)
        holding = float((often > 0).sum())
        rarity = np.log(1 + (len(said) - holding + 0.5) / (holding + 0.5))
        full = 1.2 * (0.25 + 0.75 * lengths / max(1.0, lengths.mean()))
        scores += rarity * often * 2.2 / (often + full)
    return scores


def _unit(values: np.ndarray) -> np.ndarray:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread else np.zeros_like(values)


def _docs(asked: Asked) -> list[str]:
    return list(dict.fromkeys(passage.doc for passage in asked.considered.answer.passages))


def _first(asked: Asked) -> str:
    sentences = asked.considered.written.cited.sentences
    return sentences[0].text if sentences else ""


def _short(asked: Asked) -> str:
    short = asked.considered.written.draft.short
    return short.text if short else ""


def _holds(said: str, row: Row) -> float:
    return fact_recall(said, [row.answers]) or 0.0


def _holding(name: str) -> Callable[[Asked], float]:
    return lambda asked: _holds(asked.best.get(name, ""), asked.row)


def _mean(asked: Sequence[Asked], score: Callable[[Asked], float | None]) -> Score | None:
    values = [(found, each.row.article) for each in asked if (found := score(each)) is not None]
    if not values:
        return None
    numbers = [value for value, _ in values]
    return Score(float(np.mean(numbers)), interval(numbers, [article for _, article in values]))
