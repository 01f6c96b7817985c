"""SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016, 2018): a document for each paragraph.

What the annotators marked are wordings of one answer, and each place that they marked is one of the
alternatives of one evidence group. Offsets are moved to the text as it will be indexed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.anchor.align import cuts
from eval.convert.read import Source, read_json
from eval.convert.values import Converted, Gathering
from eval.draft import Line, quoting, trimmed
from rag.corpus import normalise
from rag.text import fold, squeeze
from rag.types import Document, Span

FORM = "SQuAD is a JSON file that reads {“data”: [{“title”, “paragraphs”: [{“context”, “qas”}]}]}"
_SHOWN = 60
"""Characters of an answer that a reason shows."""


class _Answer(Source):
    text: str
    answer_start: int


class _Question(Source):
    id: str
    question: str
    answers: Sequence[_Answer] = ()
    is_impossible: bool = False


class _Paragraph(Source):
    context: str
    qas: list[_Question]


class _Article(Source):
    title: str = ""
    paragraphs: list[_Paragraph]


class _Squad(Source):
    data: list[_Article]


def convert_squad(source: Path) -> Converted:
    """Convert a SQuAD file; raises `EvalError` where it is none."""
    found = Gathering()
    repaired = 0
    for name, title, paragraph in _paragraphs(read_json(source, _Squad, FORM)):
        document = found.document(name, {"id": name, "title": title, "text": paragraph.context})
        for number, question in enumerate(paragraph.qas):
            if not found.is_new(question.id, f"{name} question {number}"):
                continue
            if document is None:
                found.fail(question.id, f"its paragraph {name} was left out")
            else:
                repaired += _convert(found, question, paragraph.context, document)
    if repaired:
        found.notes.append(f"Offsets of answers that were wrong and are put right: {repaired}.")
    return found.converted()


def _paragraphs(squad: _Squad) -> Iterator[tuple[str, str, _Paragraph]]:
    """Yield each paragraph with its document's id and title; articles of one title count on."""
    numbers: Counter[str] = Counter()
    for article in squad.data:
        title = article.title if article.title.strip() else "untitled"
        for paragraph in article.paragraphs:
            yield f"{title}#{numbers[title]}", article.title, paragraph
            numbers[title] += 1


def _convert(found: Gathering, question: _Question, context: str, document: Document) -> int:
    """Take one question, and return how many of its offsets were put right."""
    line: Line = {"id": question.id, "question": question.question}
    if question.is_impossible and question.answers:
        found.fail(question.id, "it is called impossible, and yet it has answers")
        return 0
    if question.is_impossible:
        found.keep({**line, "answerable": False, "answers": [], "evidence": [], "near": document.id})
        return 0
    if not question.answers:
        found.fail(question.id, "it has no answers, and yet is_impossible is not true")
        return 0
    spans, repaired, lost = _located(question.answers, context, document.text)
    if lost:
        kept = "; its other answers are kept" if spans else ""
        found.fail(question.id, f"{'; '.join(dict.fromkeys(lost))}{kept}")
    if spans:
        found.keep({**line, "answerable": True, **_answered(document, spans)})
    return repaired


def _located(answers: Sequence[_Answer], context: str, text: str) -> tuple[list[Span], int, list[str]]:
    """Return where the answers stand in the indexed text, how many were put right, what is lost."""
    spans: list[Span] = []
    lost: list[str] = []
    repaired = 0
    for answer in answers:
        marked = _as_marked(answer, context, text)
        span = marked or _only_place(answer, text)
        if span is None:
            shown = squeeze(answer.text)[:_SHOWN]
            lost.append(f"“{shown}” stands neither at {answer.answer_start} nor just once elsewhere")
        else:
            spans.append(trimmed(text, span))
            repaired += marked is None
    return spans, repaired, lost


def _as_marked(answer: _Answer, context: str, text: str) -> Span | None:
    """Return the place in the indexed text that the offset names, if the answer stands there."""
    start = answer.answer_start
    if start < 0 or not answer.text.strip():
        return None
    before = normalise(context[:start])
    if text != context and before + normalise(context[start:]) != text:
        return None  # the offset parts what is one character as it is indexed
    said = normalise(answer.text)
    return (len(before), len(before) + len(said)) if text.startswith(said, len(before)) else None


def _only_place(answer: _Answer, text: str) -> Span | None:
    """Return the one place where the answer stands and cuts no word, or None."""
    said = normalise(answer.text).strip()
    places: list[Span] = []
    at = text.find(said) if said else -1
    while at >= 0:
        end = at + len(said)
        if not (cuts(text, at) or cuts(text, end)):
            places.append((at, end))
        at = text.find(said, at + 1)
    return places[0] if len(places) == 1 else None


def _answered(document: Document, spans: Sequence[Span]) -> Line:
    """Return answers and evidence: what most annotators marked is the answer's main wording."""
    counts: Counter[str] = Counter()
    wordings: dict[str, str] = {}
    for start, end in spans:
        said = document.text[start:end]
        counts[fold(said).text] += 1
        wordings.setdefault(fold(said).text, said)
    main, *aliases = [wordings[folded] for folded, _ in counts.most_common()]
    rows = [quoting("g1", document.id, document.text, span) for span in dict.fromkeys(spans)]
    return {"answers": [{"text": main, "aliases": aliases}], "evidence": rows}
