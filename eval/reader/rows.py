"""The training data in one form, with a part of every source kept apart by article."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.errors import DataError

PARAGRAPHS = ("squad1_train_head", "squad1_train_emptycity", "squad1_train_cs224n_val")
"""SQuAD's own paragraphs; the same article may stand in several of these files."""
SENTENCES = ("squad1_train_sentences_reqa", "squad1_train_sentences_nqg")
"""Rows whose context is the sentence of the answer alone."""
TITLED = ("squad1_train_head", "squadshifts_newwiki", "qed", "nq_open_oracle", "timeqa_human")
"""Sources whose titles say what the text is about."""
STORIES = ("fairytaleqa", "friendsqa")
"""Sources whose titles only keep texts of one story together."""
SQUAD2 = "squad2"
CALIBRATED = ("1973_oil_crisis", "Scottish_Parliament")
"""SQuAD 2.0's training articles that confidence is fitted on, so that the reader must not know them."""
RELEVANCE = "selqa"
HELD = 0.06
"""Share of each source's articles that is kept for measuring."""


@dataclass(frozen=True, slots=True)
class Row:
    """A question beside a text. `context[start:start + len(answers[0])] == answers[0]`."""

    id: str
    source: str
    article: str
    """What must not be parted between training and measuring: a title, else the text itself."""
    title: str
    context: str
    question: str
    answers: Sequence[str]
    """Accepted wordings; none where the text does not answer."""
    start: int

    @property
    def end(self) -> int:
        """Where the first wording ends."""
        return self.start + len(self.answers[0]) if self.answers else -1


def read_rows(data: Path, squad2: Path) -> list[Row]:
    """Return the rows of all span files in `data` and those of SQuAD 2.0's training articles.

    Raises `DataError` for a folder without rows and for a row whose answer is not where it says.
    """
    test = set(_split(squad2)["test_articles"])
    files = sorted(path for path in data.glob("*.jsonl") if not path.name.endswith(".rel.jsonl"))
    if not files:
        raise DataError(f"{data} holds no training data (*.jsonl); name its folder with --data.")
    rows = [row for path in files for row in _of_file(path)]
    rows = [row for row in rows if row.title.replace(" ", "_") not in test]
    own = [row for row in squad2_rows(squad2, "train_articles") if row.article not in CALIBRATED]
    return [*rows, *own]


def squad2_rows(squad2: Path, part: str) -> list[Row]:
    """Return the questions of one part of SQuAD 2.0's articles, `train_articles` or `test_articles`."""
    wanted = set(_split(squad2)[part])
    documents = {value["id"]: value for value in _lines(squad2 / "corpus.jsonl")}
    rows = []
    for value in _lines(squad2 / "gold.jsonl"):
        doc = value["evidence"][0]["doc"] if value["answerable"] else value["near_doc"]
        article = doc.partition("#")[0]
        if article in wanted:
            rows.append(_of_gold(value, article, documents[doc]))
    return rows


def parted(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows to train on and those to measure on; no text stands in both.

    SQuAD 2.0's are all for training: what they are measured on is the other part of its articles.
    """
    learned: list[Row] = []
    held: list[Row] = []
    for row in rows:
        share = int(hashlib.sha256(row.article.encode()).hexdigest()[:8], 16) / 16**8
        (held if share < HELD and row.source != SQUAD2 else learned).append(row)
    texts = {row.context for row in held}
    questions = {row.question for row in held}
    kept = [row for row in learned if row.context not in texts and row.question not in questions]
    return kept, held


def sampled(rows: Sequence[Row], most: int | None) -> Sequence[Row]:
    """Return at most so many of the rows, the same ones in any order of them."""
    ranked = sorted(rows, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    return ranked[:most]


def relevance_rows(data: Path) -> list[tuple[str, str, Sequence[str]]]:
    """Return questions, each with a sentence that answers it and others of its section that do not."""
    found: list[tuple[str, str, Sequence[str]]] = []
    for path in sorted(data.glob("*.rel.jsonl")):
        for value in _lines(path):
            found.append((value["question"], value["positive"], tuple(value["negatives"])))
    return found


def _of_file(path: Path) -> Iterator[Row]:
    for value in _lines(path):
        title, answers = value["title"].replace("_", " "), tuple(value["answers"])
        named = path.stem.startswith(
            ("squad1_train_head", "squadshifts_newwiki", "qed", "nq", "timeqa")
        )
        row = Row(
            id=value["id"],
            source=path.stem,
            article=title if named or path.stem in STORIES else value["context"],
            title=title if named else "",
            context=value["context"],
            question=value["question"],
            answers=answers,
            start=value["start"],
        )
        if answers and row.context[row.start : row.end] != answers[0]:
            raise DataError(f"{path}: the answer of {row.id} is not at its place in the context.")
        yield row


def _of_gold(value: Mapping[str, Any], article: str, document: Mapping[str, Any]) -> Row:
    answers: tuple[str, ...] = ()
    start = -1
    if value["answerable"]:
        evidence = value["evidence"][0]
        start = evidence["start"]
        answer = value["answers"][0]
        answers = tuple(dict.fromkeys([evidence["quote"], answer["text"], *answer["aliases"]]))
    title = document["title"].replace("_", " ")
    return Row(value["id"], SQUAD2, article, title, document["text"], value["question"], answers, start)


def _split(squad2: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads((squad2 / "split.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{squad2 / 'split.json'} cannot be read ({error.strerror}); name the folder of SQuAD 2.0 "
            "with --squad2."
        ) from None
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
