"""Fits the calibration that ships: which signals say that an answer is right, and how loudly.

    python -m eval.fit squad2_dev xquad_es xquad_zh --reader shipped --out rag/calibration.json

Each data folder holds `corpus.jsonl` and `gold.jsonl`, and where only some of its articles may be
fitted on, `split.json`. Every article is a corpus of its own, as a person's seeds are about one
thing: it is asked its own questions, questions that it was said not to answer (`adversarial`), and
as many that belong to other articles (`elsewhere`). An answer is right where it contains a gold
answer. The threshold is the one that parts right answers from `elsewhere` best.

All of it is asked without the reader. With it, only articles that it was not trained on are asked, as
one is surer of what one has seen before: alone, and among all articles that are not asked of.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from eval.reader.rows import CALIBRATED
from rag.answer import Answerer
from rag.config import Settings
from rag.corpus import Found, read_source
from rag.retrieve import Retriever

_WORDS = ("passage_coverage", "known", "figures")
_BOTH = ("answer_coverage", "answer_kind", "passage_cosine", "names", *_WORDS)
FEATURES = (
    (
        *("answer_span", "answer_relevance", "answer_coverage", "answer_kind"),
        *("passage_cosine", "names", "passage_coverage"),
    ),
    ("answer_cosine", *_BOTH),
    ("answer_coverage", "answer_kind", *_WORDS),
    _WORDS,
)
"""In order of preference: the first model is for what the reader answers, the second for what is
quoted without it, the third for languages that the encoder cannot read, the last for backends that
bring no signals of their own."""
TRUST = 2.1
"""Weight of the share of an answer's sentences that were verified, in the last model, where all of
them change nothing: quotes are always verified, so it cannot be fitted on them. It is what a logistic
regression over that share and the last model's own logit gives to 204 answers of SmolLM2-135M to the
shipped gold, by whether they hold the gold's answer; AUROC .76 against .60 without the share."""
SEED = 20260101
SPLIT = "split.json"
KEY = "train_articles"
"""What the split calls the articles that may be fitted on."""
HALF = 0.5
"""Weight of the adversarial questions, which are rarer in life than in the data."""

Row = tuple[dict[str, float], bool, str]
"""An answer's signals, whether it is right, and the kind of question."""


def main() -> None:
    """Fit on the named data and write the calibration file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=640, help="questions of each kind and folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reader", required=True, help="folder of the reader")
    arguments = parser.parse_args()
    quoted, read = Settings.load(reader="off"), Settings.load(reader=arguments.reader)
    rows = [row for folder in arguments.data for row in _rows(folder, arguments.limit, quoted)]
    unseen = [
        row
        for folder in arguments.data
        if (folder / SPLIT).exists()
        for wide in (False, True)
        for row in _rows(folder, arguments.limit, read, CALIBRATED, wide)
    ]
    names = "+".join(folder.name for folder in arguments.data)
    value = {
        "id": f"extractive-{names}-{len(rows)}",
        "fitted_on": {
            "data": names,
            "articles": KEY,
            "questions": len(rows),
            "with_reader": len(unseen),
        },
        "models": [_fitted(unseen if "answer_span" in names else rows, names) for names in FEATURES],
    }
    arguments.out.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(value, indent=2))


def _rows(
    folder: Path,
    limit: int,
    settings: Settings,
    only: Sequence[str] | None = None,
    wide: bool = False,
) -> Iterator[Row]:
    """Yield what comes of the questions of each article; `wide` adds articles that none belongs to."""
    read = read_source(folder / "corpus.jsonl", 1000)
    documents = [item.document for item in read if isinstance(item, Found)]
    articles = sorted({_above(document.id) for document in documents})
    if (folder / SPLIT).exists():
        articles = json.loads((folder / SPLIT).read_text(encoding="utf-8"))[KEY]
    articles = [article for article in articles if only is None or article in only]
    gold = [json.loads(line) for line in (folder / "gold.jsonl").open(encoding="utf-8")]
    order = np.random.default_rng(SEED).permutation(len(gold))
    gold = [gold[at] for at in order if _article(gold[at]) in articles]
    each = -(-limit // len(articles))
    for article in articles:
        others = set(articles) - {article}
        own = [d for d in documents if _above(d.id) == article or (wide and _above(d.id) not in others)]
        answerer = Answerer.over(Retriever.from_documents(own, settings), settings)
        of = {
            "answerable": [g for g in gold if g["answerable"] and _article(g) == article],
            "adversarial": [g for g in gold if not g["answerable"] and _article(g) == article],
            "elsewhere": [g for g in gold if g["answerable"] and _article(g) != article],
        }
        for kind, items in of.items():
            for item in items[:each]:
                found = answerer.consider(item["question"])
                right = kind == "answerable" and _contains(found.said, item["answers"])
                yield dict(found.signals), right, kind


def _article(item: dict[str, Any]) -> str:
    return _above(item["evidence"][0]["doc"] if item["answerable"] else item["near_doc"])


def _above(doc: str) -> str:
    return doc.rsplit("#", 1)[0]


def _contains(answer: str, answers: list[dict[str, Any]]) -> bool:
    said = answer.casefold()
    return all(
        any(text.casefold() in said for text in (each["text"], *each["aliases"])) for each in answers
    )


def _fitted(rows: list[tuple[dict[str, float], bool, str]], names: Sequence[str]) -> dict[str, Any]:
    blind = "answer_cosine" not in names and "answer_kind" in names
    usable = [row for row in rows if blind != ("answer_cosine" in row[0])]
    x = np.array([[row[0][name] for name in names] for row in usable])
    y = np.array([row[1] for row in usable])
    kinds = np.array([row[2] for row in usable])
    folds = StratifiedKFold(10, shuffle=True, random_state=SEED)
    weight = np.where(kinds == "adversarial", HALF, 1.0)
    unseen = cross_val_predict(
        LogisticRegression(C=10.0),
        x,
        y,
        cv=folds,
        method="predict_proba",
        params={"sample_weight": weight},
    )[:, 1]
    model = LogisticRegression(C=10.0).fit(x, y, weight)
    threshold = _threshold(unseen, y, kinds)
    answerable = kinds == "answerable"
    measured = {
        f"auroc_{kind}": round(float(_auroc(unseen, answerable, kinds == kind)), 3)
        for kind in ("elsewhere", "adversarial")
        if (kinds == kind).any()
    }
    measured |= {
        f"{'answered' if kind == 'answerable' else 'abstained'}_{kind}": round(
            float(((unseen >= threshold) == (kind == "answerable"))[kinds == kind].mean()), 3
        )
        for kind in ("answerable", "elsewhere", "adversarial")
        if (kinds == kind).any()
    }
    weights = {name: round(float(w), 4) for name, w in zip(names, model.coef_[0], strict=True)}
    bias = float(model.intercept_[0])
    if names == _WORDS:
        weights, bias = {**weights, "verified": TRUST}, bias - TRUST
    return {
        "weights": weights,
        "bias": round(bias, 4),
        "threshold": round(threshold, 4),
        "measured_on_unseen_folds": measured,
    }


def _auroc(p: NDArray[Any], yes: NDArray[Any], no: NDArray[Any]) -> float:
    both = yes | no
    return float(roc_auc_score(yes[both], p[both]))


def _threshold(p: NDArray[Any], right: NDArray[Any], kinds: NDArray[Any]) -> float:
    """Return the highest threshold within a hundredth of the best parting.

    What is parted are right answers and questions of other articles; the two errors weigh alike.
    """
    steps = np.linspace(0.02, 0.9, 177)
    scores = np.array([(p[right] >= t).mean() + (p[kinds == "elsewhere"] < t).mean() for t in steps])
    return float(steps[np.flatnonzero(scores >= scores.max() - 0.01)[-1]])


if __name__ == "__main__":
    main()
