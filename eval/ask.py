"""Gold questions → records: what the system answered, from the cache where nothing has changed."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from eval.cache import AnswerCache
from eval.gold import GoldItem
from eval.system import System
from rag.config import cache_dir
from rag.wire import answer_json

DEPTH = 40
"""Passages that are ranked so that ten documents are among them."""
_LEFT_OUT = ("question", "passages", "index", "timings_ms", "backend", "prompt", "calibration")
"""Parts of an answer that are told once for the run, or kept in a form of their own."""

Record = dict[str, Any]
"""What one question was answered: the answer's JSON with `passages` as places, `ranking` (the places
of the `DEPTH` best passages), `withheld`, `signals` and `timings_ms`."""
Progress = Callable[[int, int], None]


def ask_all(
    items: Sequence[GoldItem], system: System, progress: Progress, fresh: bool = False
) -> Iterator[tuple[Record, bool]]:
    """Yield for each item its record, and whether it was known already; `fresh` knows nothing."""
    folder = cache_dir(system.settings) / "eval" / "answers"
    with AnswerCache(folder, {**system.fingerprint, "recorder": _recorder()}) as cache:
        for done, item in enumerate(items, 1):
            asked = [item.question, [turn.model_dump() for turn in item.history], item.filter]
            known = None if fresh else cache.get(asked)
            record = known or ask(item, system)
            if known is None:
                cache.put(asked, record)
            yield record, known is not None
            progress(done, len(items))


def ask(item: GoldItem, system: System) -> Record:
    """Return what the system answers now."""
    found = system.answerer.consider(item.question, filter=item.filter, history=item.messages)
    deep = system.answerer.retriever.retrieve(item.question, DEPTH, item.filter, item.messages)
    value = answer_json(found.answer)
    record = {
        **{name: each for name, each in value.items() if name not in _LEFT_OUT},
        "withheld": found.said if found.answer.abstained else "",
        "signals": {name: round(each, 6) for name, each in sorted(found.signals.items())},
        "passages": [_place(hit) for hit in value["passages"]],
        "ranking": [[p.doc, p.start, p.end] for p in deep.passages],
        "timings_ms": dict(found.answer.timings_ms),
    }
    whole: Record = json.loads(json.dumps(record))  # as the cache gives it back: lists, no tuples
    return whole


def _place(hit: dict[str, Any]) -> dict[str, Any]:
    return {name: hit[name] for name in ("doc", "start", "end", "score")}


def _recorder() -> str:
    """Return the digest of this file, as another version of it may keep something else."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
