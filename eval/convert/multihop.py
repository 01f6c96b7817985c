"""MultiHop-RAG (Tang and Yang 2024): questions over several news articles, each fact needed.

A fact is quoted in the article's own characters, also where it differs from them in white space,
case or quotes.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field

from eval.convert.read import Source, read_json
from eval.convert.values import Converted, Gathering
from eval.draft import Line, quoting
from rag.corpus import normalise
from rag.text import Folded, fold, squeeze
from rag.types import Document, Span

QUESTIONS = "MultiHopRAG.json"
FORM = f"MultiHop-RAG is a folder with {QUESTIONS} and corpus.json, each a JSON list"
_NULL = "null_query"
_INSUFFICIENT = "insufficient information"
_SHOWN = 80
"""Characters of a fact that a reason shows."""


class _Article(Source):
    title: str
    body: str
    url: str | None = None
    author: str | None = None
    source: str | None = None
    category: str | None = None
    published_at: str | None = None

    @property
    def id(self) -> str:
        return _id(self.url, self.title)

    @property
    def meta(self) -> dict[str, Any]:
        return self.model_dump(exclude={"title", "body"}, exclude_none=True)


class _Fact(Source):
    fact: str
    title: str = ""
    url: str | None = None


class _Question(Source):
    query: str
    answer: str
    question_type: str = ""
    facts: list[_Fact] = Field([], validation_alias="evidence_list")

    @property
    def answerable(self) -> bool:
        said = self.answer.strip().rstrip(".").casefold()
        return self.question_type != _NULL and said != _INSUFFICIENT


def convert_multihop(source: Path) -> Converted:
    """Convert the folder, or the file of questions beside its corpus; raises `EvalError`."""
    file = source / QUESTIONS if source.is_dir() else source
    questions = read_json(file, list[_Question], FORM)
    articles = read_json(file.with_name("corpus.json"), list[_Article], FORM)
    found = Gathering()
    for number, article in enumerate(articles):
        value = {"id": article.id, "title": article.title, "text": article.body, "meta": article.meta}
        found.document(f"corpus.json {number}", value)
    by_title = _by_title([*found.documents.values()])
    for number, question in enumerate(questions):
        _convert(found, f"multihop-{number}", question, by_title)
    return found.converted()


def _id(url: str | None, title: str) -> str:
    return url if url and url.strip() else title


def _by_title(documents: Sequence[Document]) -> Mapping[str, Document | None]:
    """Return the document of each title; None where several have it."""
    found: dict[str, Document | None] = {}
    for document in documents:
        found[document.title] = None if document.title in found else document
    return found


def _convert(
    found: Gathering, id: str, question: _Question, by_title: Mapping[str, Document | None]
) -> None:
    """Take one question, if every fact of it stands in its article."""
    tags = [question.question_type] if question.question_type.strip() else []
    line: Line = {"id": id, "question": question.query, "answerable": question.answerable}
    if not question.answerable:
        found.keep({**line, "answers": [], "evidence": [], "tags": tags})
        return
    if not question.answer.strip():
        found.fail(id, "it has no answer")
        return
    rows: dict[tuple[str, Span], Line] = {}
    for fact in question.facts:
        document = found.documents.get(fact.url or "") or by_title.get(normalise(fact.title))
        span = _stands(fact.fact, document.text) if document else None
        if document is None or span is None:
            found.fail(id, _lost(fact, document))
            return
        group = f"g{len(rows) + 1}"
        rows.setdefault((document.id, span), quoting(group, document.id, document.text, span))
    answers = [{"text": question.answer.strip(), "aliases": []}]
    found.keep({**line, "answers": answers, "evidence": [*rows.values()], "tags": tags})


def _stands(fact: str, text: str) -> Span | None:
    """Return where a fact stands, but for white space, case, quotes and dashes."""
    said = normalise(fact).strip()
    at = text.find(said) if said else -1
    return (at, at + len(said)) if at >= 0 else _folded(text).find(fold(said).text)


@lru_cache(maxsize=1024)
def _folded(text: str) -> Folded:
    return fold(text)


def _lost(fact: _Fact, document: Document | None) -> str:
    if document is None:
        return f"there is no article at {_id(fact.url, fact.title)!r}, nor just one with that title"
    return f"{document.id} does not hold the fact “{squeeze(fact.fact)[:_SHOWN]}”"
