"""Passages that a question's own words lead to, and that do not hold its answer.

They are what the retriever will put beside the right passage, so they are found by that retriever:
over the paragraphs of encyclopaedias for the questions about such, over single sentences for those
that come with a sentence alone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from eval.metrics.words import contains, squad_tokens
from eval.reader.rows import PARAGRAPHS, SENTENCES, SQUAD2, Row
from rag import Retriever
from rag.config import Settings
from rag.types import Document

WHERE: Sequence[Sequence[str]] = (
    (*PARAGRAPHS, "squadshifts_newwiki", "qed", "nq_open_oracle", "timeqa_human", SQUAD2),
    SENTENCES,
)
"""Sources that are searched together."""
KEPT = 4
"""Passages that are kept for a question, the most alike first."""
_LONGEST = 1600
"""Code points of a text that can stand beside another's question."""
_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Beside:
    """A passage that does not answer, with the title of its article."""

    title: str
    text: str


def mined(rows: Sequence[Row], kept: Path) -> Mapping[str, Sequence[Beside]]:
    """Return for the id of each row what the retriever finds beside its text; kept in a file."""
    if not kept.exists():
        scratch = kept.with_suffix(".part")
        with scratch.open("w", encoding="utf-8") as file:
            for sources in WHERE:
                for row, found in _searched([row for row in rows if row.source in sources]):
                    value = {"id": row.id, "beside": [[each.title, each.text] for each in found]}
                    file.write(json.dumps(value, ensure_ascii=False) + "\n")
        scratch.rename(kept)
    with kept.open(encoding="utf-8") as file:
        values = [json.loads(line) for line in file]
    return {value["id"]: [Beside(*each) for each in value["beside"]] for value in values}


def _searched(rows: Sequence[Row]) -> Iterator[tuple[Row, Sequence[Beside]]]:
    texts: dict[str, str] = {}
    for row in rows:
        if len(row.context) <= _LONGEST:
            texts.setdefault(row.context, row.title)
    if not texts:
        return
    documents = [Document(str(at), context) for at, context in enumerate(texts)]
    titles = list(texts.values())
    settings = Settings.load(chunk_tokens=512, overlap_tokens=0)
    retriever = Retriever.from_documents(documents, settings)
    for row in tqdm([row for row in rows if row.answers], desc="mine"):
        found = retriever.search(row.question, _DEPTH)
        yield row, _beside(row, [Beside(titles[int(each.doc)], each.text) for each in found])


def _beside(row: Row, found: Sequence[Beside]) -> Sequence[Beside]:
    """Return those that lack every accepted wording of the answer, word for word."""
    accepted = [squad_tokens(answer) for answer in row.answers]
    kept = []
    for each in found:
        held = squad_tokens(each.text)
        same = each.text in row.context or row.context in each.text
        if not same and not any(contains(held, wording) for wording in accepted):
            kept.append(each)
    return kept[:KEPT]
