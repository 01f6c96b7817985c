"""Whether a sentence that is called verified tells a number, date or name that its quotes lack."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import regex

from eval.ask import Progress
from eval.cache import AnswerCache
from eval.errors import NothingScoredError
from eval.gold import GoldItem
from eval.ground.told import untold
from eval.system import System
from rag.config import cache_dir

Record = dict[str, Any]
"""What one question was answered: `answered` and `sentences`, each with text, verdict and quotes."""
_SMALL = regex.compile(r"(?<![\p{L}\p{N}])\p{Ll}+")


def invented(
    items: Sequence[GoldItem], system: System, progress: Progress, fresh: bool = False
) -> dict[str, Any]:
    """Return how many sentences were verified, and those that tell what their quotes do not hold.

    Answers that were withheld count too. What was answered is kept, so a run that was cut off goes
    on where it was; `fresh` asks anew. Raises `NothingScoredError` without items.
    """
    if not items:
        raise NothingScoredError("There is no question to ask.")
    common = frozenset(word for text in system.texts.values() for word in _SMALL.findall(text))
    records = list(_answered(items, system, progress, fresh))
    sentences = [(item, each) for item, record in records for each in record["sentences"]]
    verified = [(item, each) for item, each in sentences if each["verdict"] == "verified"]
    violations = []
    for item, each in verified:
        lacks = untold(each["text"], each["quotes"], common)
        if lacks:
            told = {"question": item.question, "sentence": each["text"], "quotes": each["quotes"]}
            violations.append({"id": item.id, **told, "lacks": lacks})
    return {
        "backend": system.settings.backend,
        "questions": len(records),
        "answers": sum(record["answered"] for _, record in records),
        "sentences": len(sentences),
        "verified": len(verified),
        "violations": violations,
    }


def _answered(
    items: Sequence[GoldItem], system: System, progress: Progress, fresh: bool
) -> Iterator[tuple[GoldItem, Record]]:
    folder = cache_dir(system.settings) / "eval" / "ground"
    recorder = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    with AnswerCache(folder, {**system.fingerprint, "recorder": recorder}) as cache:
        for done, item in enumerate(items, 1):
            asked = [item.question, [turn.model_dump() for turn in item.history], item.filter]
            record = None if fresh else cache.get(asked)
            if record is None:
                record = _ask(item, system)
                cache.put(asked, record)
            yield item, record
            progress(done, len(items))


def _ask(item: GoldItem, system: System) -> Record:
    """Return what the backend said and what checking gave, whether or not it was then withheld."""
    found = system.answerer.consider(item.question, filter=item.filter, history=item.messages)
    cited = found.written.cited
    quotes = {citation.n: citation.quote for citation in cited.citations if citation.quote}
    return {
        "answered": not found.written.abstained,
        "sentences": [
            {
                "text": each.text,
                "verdict": each.verdict,
                "quotes": [quotes[n] for n in each.citations if n in quotes],
            }
            for each in (*cited.sentences, *cited.removed)
        ],
    }
