"""Fits the confidence that an answer carries, on gold with answerable and unanswerable items.

    python -m eval.calibrate DATA_FOLDER... --out rag/calibration.json

Each data folder holds `corpus.jsonl` and `gold.jsonl`. An item counts as right where the answer's
sentences contain a gold answer. Every question is asked a second time with its own article kept
from the passages: what is answered then is wrong. The logistic regression's threshold is the one
with the best balanced accuracy on folds it was not fitted on.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from rag.answer import signals
from rag.backends import open_backend
from rag.cite import cite
from rag.config import Settings
from rag.corpus import read_source
from rag.retrieve import Retriever
from rag.types import Passage, Request

FEATURES = (
    ("answer_coverage", "answer_cosine", "answer_kind", "passage_coverage", "passage_cosine"),
    ("answer_coverage", "answer_kind", "passage_coverage"),
)
"""The second model is for questions in languages that the encoder cannot read."""
SEED = 20260101


def main() -> None:
    """Fit on the named data and write the calibration file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--articles", help="key of split.json whose articles are used")
    parser.add_argument("--limit", type=int, default=600, help="items of each kind and set")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows: list[tuple[dict[str, float], bool, str]] = []
    for folder in arguments.data:
        rows += _rows(folder, arguments.articles, arguments.limit)
    models = [_fitted(rows, names) for names in FEATURES]
    names = "+".join(folder.name for folder in arguments.data)
    value = {
        "id": f"extractive-{names}-{len(rows)}",
        "fitted_on": {
            "data": [folder.name for folder in arguments.data],
            "articles": arguments.articles,
            "items": len(rows),
        },
        "models": models,
    }
    arguments.out.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(value, indent=2))


def _rows(
    folder: Path, articles: str | None, limit: int
) -> Iterator[tuple[dict[str, float], bool, str]]:
    settings = Settings.load()
    found = (item.document for item in read_source(folder / "corpus.jsonl", 1000))  # type: ignore[union-attr]
    retriever = Retriever.from_documents(found, settings)
    backend = open_backend(settings, retriever.encoder)
    gold = [json.loads(line) for line in (folder / "gold.jsonl").open(encoding="utf-8")]
    if articles:
        kept = set(json.loads((folder / "split.json").read_text())[articles])
        gold = [item for item in gold if _article(item) in kept]
    chosen = np.random.default_rng(SEED).permutation(len(gold))
    counts = {True: 0, False: 0}
    for at in chosen:
        item = gold[at]
        counts[item["answerable"]] += 1
        if counts[item["answerable"]] > limit:
            continue
        for kind in ("answerable", "elsewhere") if item["answerable"] else ("adversarial",):
            retrieval = retriever.retrieve(item["question"], 60)
            passages = _passages(retrieval.passages, _article(item) if kind == "elsewhere" else "")
            shown = replace(retrieval, passages=passages[: settings.top_k])
            draft = backend.generate(Request(item["question"], shown))
            cited = cite(draft.text, shown.passages, shown.language)
            right = kind == "answerable" and _contains(cited.answer, item["answers"])
            yield signals(shown, draft, cited), right, kind


def _article(item: dict[str, Any]) -> str:
    doc: str = item["evidence"][0]["doc"] if item["answerable"] else item["near_doc"]
    return doc.rsplit("#", 1)[0]


def _passages(passages: Sequence[Passage], without: str) -> list[Passage]:
    return [p for p in passages if not without or p.doc.rsplit("#", 1)[0] != without]


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
    unseen = cross_val_predict(LogisticRegression(C=10.0), x, y, cv=folds, method="predict_proba")[:, 1]
    model = LogisticRegression(C=10.0).fit(x, y)
    threshold = _threshold(unseen, kinds)
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


def _threshold(p: NDArray[Any], kinds: NDArray[Any]) -> float:
    """Return the threshold that best parts answerable questions from those without an article."""
    answerable, elsewhere = p[kinds == "answerable"], p[kinds == "elsewhere"]
    steps = np.linspace(0.02, 0.9, 177)
    scores = [(answerable >= t).mean() + (elsewhere < t).mean() for t in steps]
    return float(steps[int(np.argmax(scores))])


if __name__ == "__main__":
    main()
