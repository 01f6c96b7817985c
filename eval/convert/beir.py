"""BEIR (Thakur et al. 2021): a folder of documents, queries and judgements, or TREC's judgements.

Judgements name documents, so the gold quotes nothing; all that is judged relevant to a query is one
evidence group. A score of 0 or less is no evidence.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field

from eval.convert.read import Source, read_bytes, read_jsonl
from eval.convert.values import Converted, Gathering
from eval.errors import EvalError

FORM = "BEIR is a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv"
_CORPUS = "a line of it reads {“_id”, “title”?, “text”}"
_QUERIES = "a line of it reads {“_id”, “text”}"
_QRELS = "a line of it reads query-id, corpus-id, score (or TREC's query, 0, document, score)"
_SPLITS = ("test", "dev", "train")
"""Which judgements are taken where there are several."""
_SHOWN = 3
"""Documents that a reason names."""
_SUFFIXES = (".tsv", ".txt", ".qrels", ".trec")

Judged = Mapping[str, Mapping[str, int]]


class _Query(Source):
    id: str = Field(validation_alias=AliasChoices("_id", "id"))
    text: str


class _Document(Source):
    id: str = Field(validation_alias=AliasChoices("_id", "id"))
    title: str | None = None
    text: str | None = None
    metadata: dict[str, Any] | None = None


def convert_beir(source: Path) -> Converted:
    """Convert a BEIR folder, or the split of it that a judgements file names; raises `EvalError`."""
    folder, qrels = _parts(source)
    judged = _judgements(qrels)
    found = Gathering()
    _read_corpus(found, folder / "corpus.jsonl")
    left = 0
    for number, query in read_jsonl(folder / "queries.jsonl", _Query, _QUERIES):
        if query.id not in judged:
            left += 1
        elif found.is_new(query.id, f"queries.jsonl line {number}"):
            _convert(found, query, judged[query.id], qrels.name)
    for id in judged:
        if not found.has_asked(id):
            found.fail(id, f"{qrels.name} judges it, but queries.jsonl does not hold it")
    found.notes.append(f"The judgements are those of {qrels.relative_to(folder)}.")
    if left:
        found.notes.append(f"Queries that have none there and are no gold: {left}.")
    return found.converted()


def _parts(source: Path) -> tuple[Path, Path]:
    """Return the folder and its file of judgements."""
    if source.is_file() and source.suffix in _SUFFIXES:
        parent = source.parent
        return (parent.parent if parent.name == "qrels" else parent), source
    if not source.exists():
        raise EvalError(f"There is no {source}; {FORM}.")
    if not source.is_dir():
        raise EvalError(f"{source} is neither a folder nor judgements; {FORM}.")
    for name in ("corpus.jsonl", "queries.jsonl"):
        if not (source / name).is_file():
            raise EvalError(f"{source} has no {name}; {FORM}.")
    files = [file for file in source.glob("qrels/*") if file.suffix in _SUFFIXES]
    files += [file for file in source.glob("qrels.*") if file.suffix in _SUFFIXES]
    if not files:
        raise EvalError(f"{source} has no judgements; {FORM}.")
    return source, _preferred(sorted(files))


def _preferred(files: Sequence[Path]) -> Path:
    for split in _SPLITS:
        for file in files:
            if file.stem == split:
                return file
    if len(files) > 1:
        names = ", ".join(map(str, files))
        raise EvalError(
            f"There are several judgements, none of them {', '.join(_SPLITS)}; name one: {names}."
        )
    return files[0]


def _read_corpus(found: Gathering, file: Path) -> None:
    """Take the documents; what has nothing but a title has that for its text."""
    for number, document in read_jsonl(file, _Document, _CORPUS):
        title, text = document.title or "", document.text or ""
        text = text if text.strip() else title
        value = {"id": document.id, "title": title, "text": text, "meta": document.metadata}
        found.document(f"{file.name} line {number}", value)


def _judgements(file: Path) -> Judged:
    """Return each query's judged documents; of several scores of one document the last counts."""
    try:
        lines = read_bytes(file, FORM).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise EvalError(f"{file} is not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    judged: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines, 1):
        cells = _cells(line)
        score = _whole(cells[-1]) if len(cells) == 3 else None
        if score is not None:
            judged.setdefault(cells[0], {})[cells[1]] = score
        elif line.strip() and number > 1:  # the first line may be a header
            raise EvalError(f"{file} line {number} is no judgement; {_QRELS}, in whole numbers.")
    if not judged:
        raise EvalError(f"{file} holds no judgement; {_QRELS}.")
    return judged


def _cells(line: str) -> list[str]:
    """Return query, document and score, without the second column that TREC has."""
    cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
    return [cells[0], *cells[2:]] if len(cells) == 4 else cells


def _whole(score: str) -> int | None:
    try:
        value = float(score)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _convert(found: Gathering, query: _Query, judged: Mapping[str, int], file: str) -> None:
    """Take one query with the documents that are judged relevant."""
    grades = {doc: score for doc, score in judged.items() if score > 0}
    absent = [doc for doc in grades if doc not in found.documents]
    rows = [
        {"group": "g1", "doc": doc, "grade": grade}
        for doc, grade in grades.items()
        if doc in found.documents
    ]
    if absent:
        kept = "the others are kept" if rows else "nothing is left to be found"
        found.fail(query.id, f"{file} judges what corpus.jsonl does not hold: {_some(absent)}; {kept}")
    elif not rows:
        found.fail(query.id, f"{file} judges no document relevant to it")
    if rows:
        line = {"id": query.id, "question": query.text, "answerable": True}
        found.keep({**line, "answers": [], "evidence": rows})
