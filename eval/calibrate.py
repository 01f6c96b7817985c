"""Fits the confidence that an answer carries, on gold with answerable and unanswerable items.

    python -m eval.calibrate DATA_FOLDER --articles train_articles --out rag/calibration.json

The data folder holds `corpus.jsonl`, `gold.jsonl` and `split.json`. Every article is a corpus of its
own, as a person's seeds are about one thing: it is asked its own questions, questions that it was
said not to answer (`adversarial`), and as many that belong to other articles (`elsewhere`). An
answer is right where it contains a gold answer. The threshold is the one that parts right answers
from `elsewhere` best on folds that the regression was not fitted on.
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

from rag.answer import Answerer
from rag.corpus import Found, read_source
from rag.retrieve import Retriever

FEATURES = (
    (
        "answer_coverage",
        "answer_cosine",
        "answer_kind",
        "passage_coverage",
        "passage_cosine",
        "known",
        "figures",
    ),
    ("answer_coverage", "answer_kind", "passage_coverage", "known", "figures"),
)
"""The second model is for questions in languages that the encoder cannot read."""
SEED = 20260101
HALF = 0.5
"""Weight of the adversarial questions, which are rarer in life than in the data."""

Row = tuple[dict[str, float], bool, str]
"""An answer's signals, whether it is right, and the kind of question."""


def main() -> None:
    """Fit on the named data and write the calibration file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", required=True, help="key of split.json to fit on")
    parser.add_argument("--limit", type=int, default=80, help="questions of each kind and article")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = list(_rows(arguments.data, arguments.articles, arguments.limit))
    value = {
        "id": f"extractive-{arguments.data.name}-{arguments.articles}-{len(rows)}",
        "fitted_on": {
            "data": arguments.data.name,
            "articles": arguments.articles,
            "questions": len(rows),
        },
        "models": [_fitted(rows, names) for names in FEATURES],
    }
    arguments.out.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(value, indent=2))


def _rows(folder: Path, key: str, limit: int) -> Iterator[Row]:
    articles = json.loads((folder / "split.json").read_text())[key]
    documents = [
        item.document for item in read_source(folder / "corpus.jsonl", 1000) if isinstance(item, Found)
    ]
    gold = [json.loads(line) for line in (folder / "gold.jsonl").open(encoding="utf-8")]
    random = np.random.default_rng(SEED)
    gold = [gold[at] for at in random.permutation(len(gold)) if _article(gold[at]) in articles]
    for article in articles:
        own = [document for document in documents if _above(document.id) == article]
        answerer = Answerer.over(Retriever.from_documents(own))
        of = {
            "answerable": [g for g in gold if g["answerable"] and _article(g) == article],
            "adversarial": [g for g in gold if not g["answerable"] and _article(g) == article],
            "elsewhere": [g for g in gold if g["answerable"] and _article(g) != article],
        }
        for kind, items in of.items():
            for item in items[:limit]:
                answer, found = answerer.judge(item["question"])
                yield found, kind == "answerable" and _contains(answer, item["answers"]), kind


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
    usable = [row for row in rows if set(names) <= row[0].keys()]
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
    return {
        "weights": {name: round(float(w), 4) for name, w in zip(names, model.coef_[0], strict=True)},
        "bias": round(float(model.intercept_[0]), 4),
        "threshold": round(threshold, 4),
        "measured_on_unseen_folds": measured,
    }


def _auroc(p: NDArray[Any], yes: NDArray[Any], no: NDArray[Any]) -> float:
    both = yes | no
    return float(roc_auc_score(yes[both], p[both]))


def _threshold(p: NDArray[Any], right: NDArray[Any], kinds: NDArray[Any]) -> float:
    """Return the threshold that best parts right answers from questions asked of other articles."""
    steps = np.linspace(0.02, 0.9, 177)
    scores = [(p[right] >= t).mean() + (p[kinds == "elsewhere"] < t).mean() for t in steps]
    return float(steps[int(np.argmax(scores))])


if __name__ == "__main__":
    main()
