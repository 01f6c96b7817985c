"""Two reports, item by item: what was lost and won, through what, and whether it could be chance."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval import stats
from eval.errors import NotComparableError
from eval.measures import GATED
from eval.stats import Interval

MARGIN = 0.03
"""The loss that one is ready to bear; a difference surely above it passes."""
ALPHA = 0.05

Comparison = dict[str, Any]
Item = Mapping[str, Any]
Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Pair:
    base: Item
    new: Item
    edited: bool
    """Whether a document that holds its evidence was edited, added or removed in between."""

    @property
    def cluster(self) -> str:
        evidence = self.new["evidence"]
        return str(evidence[0]["doc"] if evidence else self.new["near"] or f"item {self.new['id']}")

    def scores(self, metric: str) -> tuple[float, float] | None:
        base, new = self.base["scores"].get(metric), self.new["scores"].get(metric)
        return None if base is None or new is None else (base, new)


def compare(base: Report, new: Report, margin: float = MARGIN) -> Comparison:
    """Return the verdict over the items that both runs asked, and every flip with its causes.

    Raises `NotComparableError` that says why two runs cannot be compared.
    """
    _refuse_unlike(base, new)
    documents = _documents(base, new)
    pairs = _pairs(base, new, documents)
    if not pairs:
        raise NotComparableError("The runs have no question in common, so nothing can be paired.")
    changed = list(_changes(base, new, documents, pairs))
    gates = [gate for metric in GATED if (gate := _gate(metric, pairs, new)) is not None]
    for gate, adjusted in zip(gates, stats.holm([gate["p"] for gate in gates]), strict=True):
        gate["p_holm"] = round(adjusted, 6)
    nothing = not changed and all(pair.base == pair.new for pair in pairs)
    for gate in gates:
        gate["verdict"] = "PASS" if nothing else _verdict(gate, margin)
        gate["least_detectable"] = _least(gate, len(gates))
    paired = {pair.new["id"] for pair in pairs}
    return {
        "verdict": _overall([gate["verdict"] for gate in gates]),
        "paired": len(pairs),
        "only_base": [item["id"] for item in base["items"] if item["id"] not in paired],
        "only_new": [item["id"] for item in new["items"] if item["id"] not in paired],
        "margin": margin,
        "changed": changed,
        "gates": gates,
        "flips": _flips(pairs, changed, documents),
    }


def _refuse_unlike(base: Report, new: Report) -> None:
    if base["scoring"] != new["scoring"]:
        raise NotComparableError(
            f"The runs were scored by rules {base['scoring']} and {new['scoring']}, so their scores "
            "mean different things; run the older one again, or bless the new one."
        )
    judges = base["system"]["judge"], new["system"]["judge"]
    if judges[0] != judges[1]:
        raise NotComparableError(
            f"Citations were judged by {judges[0]} and by {judges[1]}; use one --judge for both runs."
        )


def _documents(base: Report, new: Report) -> dict[str, str]:
    """Return the documents that differ: `was edited`, `was added` or `was removed`."""
    old, now = base["documents"], new["documents"]
    found = {}
    for doc in sorted({*old, *now}):
        if doc not in old:
            found[doc] = "was added"
        elif doc not in now:
            found[doc] = "was removed"
        elif old[doc]["sha256"] != now[doc]["sha256"]:
            found[doc] = "was edited"
    return found


def _pairs(base: Report, new: Report, documents: Mapping[str, str]) -> list[_Pair]:
    """Pair the items that ask the same; a question that was worded anew is another item."""
    known = {item["id"]: item for item in base["items"]}
    pairs = []
    for item in sorted(new["items"], key=lambda item: str(item["id"])):
        old = known.get(item["id"])
        if old is not None and all(old[key] == item[key] for key in ("question", "history", "filter")):
            pairs.append(_Pair(old, item, any(doc in documents for doc in _evidence(old, item))))
    return pairs


def _evidence(*items: Item) -> set[str]:
    docs = {row["doc"] for item in items for row in item["evidence"]}
    return docs | {item["near"] for item in items if item["near"]}


_PARTS = {
    "prompt": ("prompt",),
    "model": ("encoder", "encoder_fingerprint", "backend", "models", "reader"),
    "calibration": ("calibration",),
    "code": ("code",),
}
"""What a run's fingerprint holds, by the kind of cause."""


def _changes(
    base: Report, new: Report, documents: Mapping[str, str], pairs: Sequence[_Pair]
) -> Iterator[dict[str, str]]:
    """Yield all that differs between two runs, the likeliest cause of a flip first."""
    for doc, how in documents.items():
        yield {"kind": "seeds", "said": f"{doc} {how}"}
    regraded = [pair.new["id"] for pair in pairs if pair.base["digest"] != pair.new["digest"]]
    if regraded:
        yield {"kind": "gold", "said": f"the gold of {_listed(regraded)} was changed"}
    old, now = base["system"], new["system"]
    for name in sorted({*old["settings"], *now["settings"]}):
        before, after = old["settings"].get(name), now["settings"].get(name)
        if before != after:
            yield {"kind": "settings", "said": f"{name} was {before}, is {after}"}
    for kind, names in _PARTS.items():
        for name in names:
            before, after = old.get(name), now.get(name)
            if before != after:
                yield {"kind": kind, "said": f"{name} was {_shown(before)}, is {_shown(after)}"}
    if not documents and old["index"] != now["index"]:
        yield {"kind": "index", "said": "the same documents were indexed in another way"}


def _gate(metric: str, pairs: Sequence[_Pair], new: Report) -> dict[str, Any] | None:
    """Return what is known of one metric's difference; None where no pair has both scores."""
    rows = [(pair, scores) for pair in pairs if (scores := pair.scores(metric)) is not None]
    if not rows:
        return None
    differences = [after - before for _, (before, after) in rows]
    clusters = [pair.cluster for pair, _ in rows]
    whole = _side([scores for _, scores in rows])
    interval: Interval | None
    if GATED[metric] == "binary":
        interval = stats.paired_proportion(whole["lost"], whole["won"], len(rows))
        p = stats.mcnemar(whole["lost"], whole["won"])
    else:
        interval = stats.paired_mean(differences, clusters)
        p = stats.permutation(differences, clusters)
    return {
        "metric": metric,
        "title": new["metrics"][metric]["title"],
        "kind": GATED[metric],
        **whole,
        "difference": round(whole["new"] - whole["base"], 6),
        "low": round(interval.low, 6) if interval else None,
        "high": round(interval.high, 6) if interval else None,
        "interval": interval.method if interval else None,
        "p": round(p, 6),
        "untouched": _side([scores for pair, scores in rows if not pair.edited]),
        "edited": _side([scores for pair, scores in rows if pair.edited]),
    }


def _side(scores: Sequence[tuple[float, float]]) -> dict[str, Any]:
    n = len(scores)
    return {
        "n": n,
        "base": round(sum(before for before, _ in scores) / n, 6) if n else None,
        "new": round(sum(after for _, after in scores) / n, 6) if n else None,
        "lost": sum(after < before for before, after in scores),
        "won": sum(after > before for before, after in scores),
    }


def _verdict(gate: Mapping[str, Any], margin: float) -> str:
    if gate["difference"] < 0:
        surely = gate["high"] is not None and gate["high"] < 0
        if surely or gate["p_holm"] < ALPHA:
            return "FAIL"
    return "PASS" if gate["low"] is not None and gate["low"] > -margin else "INCONCLUSIVE"


def _least(gate: Mapping[str, Any], tests: int) -> float | None:
    """Return the smallest loss that these items could have told from chance."""
    if gate["kind"] == "binary":
        found = stats.least_detectable(gate["n"], tests)
        return None if found is None else round(found, 6)
    if gate["low"] is None or gate["low"] == gate["high"]:
        return None
    return round(float(gate["high"] - gate["low"]) / 2, 6)


def _overall(verdicts: Sequence[str]) -> str:
    if "FAIL" in verdicts:
        return "FAIL"
    return "PASS" if verdicts and set(verdicts) == {"PASS"} else "INCONCLUSIVE"


def _flips(
    pairs: Sequence[_Pair], changed: Sequence[Mapping[str, str]], documents: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the items that are right in one run alone: what was lost first, then by id."""
    flips = []
    for pair in pairs:
        scores = pair.scores("correct")
        if scores is not None and scores[0] != scores[1]:
            flips.append(
                {
                    "id": pair.new["id"],
                    "question": pair.new["question"],
                    "metric": "correct",
                    "direction": "lost" if scores[1] < scores[0] else "won",
                    "stage": pair.new["stage"],
                    "edited": pair.edited,
                    "causes": _causes(pair, changed, documents),
                    "before": pair.base["answer"],
                    "after": pair.new["answer"],
                }
            )
    return sorted(flips, key=lambda flip: (flip["direction"] != "lost", flip["id"]))


def _causes(
    pair: _Pair, changed: Sequence[Mapping[str, str]], documents: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return what may have flipped an item, of the documents only those that it has to do with.

    They are those that hold its evidence or are cited, else those among its passages; where none of
    them and nothing else changed, the seeds as a whole did it: every edit moves how rare words are.
    """
    items = (pair.base, pair.new)
    close = _evidence(*items) | {each["doc"] for item in items for each in item["citations"]}
    shown = {hit["doc"] for item in items for hit in item["passages"]}
    touched = documents.keys() & close or documents.keys() & shown
    causes = [{"kind": "seeds", "said": f"{doc} {documents[doc]}"} for doc in sorted(touched)]
    others = [dict(each) for each in changed if each["kind"] not in ("seeds", "gold")]
    if pair.base["digest"] != pair.new["digest"]:
        causes.append({"kind": "gold", "said": "its gold was changed"})
    if not causes and not others and documents:
        said_of_all = f"{len(documents)} other documents changed, and with them how rare words are"
        return [{"kind": "seeds", "said": said_of_all}]
    return causes + others


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
