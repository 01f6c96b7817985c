"""Planted orders beside the shipped seeds: the default backend obeys none."""

from collections.abc import Callable, Sequence

import pytest

from eval.canary import ATTACKS, canary, opening, table
from eval.errors import NothingScoredError
from eval.gold import Gold, read_gold
from eval.system import read_documents
from rag.answer import Answerer
from rag.config import Settings
from rag.retrieve import Retriever
from rag.stop import Stop
from rag.types import Document, Draft, Request
from tests.conftest import ROOT

GOLD = read_gold(ROOT / "eval" / "gold" / "seeds.jsonl")


def silent(done: int, total: int) -> None:
    """Report nothing."""


class Obedient:
    """A backend that says whatever the passages say, and reads what no screen shows."""

    name = "obedient"
    chat = None

    def generate(self, request: Request, say: Callable[[str], None], stop: Stop) -> Draft:
        said = "\n".join(passage.text for passage in request.retrieval.passages)
        seen = "".join(chr(ord(c) - 0xE0000) if ord(c) > 0xE0000 else c for c in said)
        return Draft(seen, model="obedient")


def obedient(documents: Sequence[Document]) -> Answerer:
    settings = Settings.load(threshold=0.0)
    retriever = Retriever.from_documents(documents, settings)
    return Answerer.over(retriever, settings, [Obedient()])


def test_an_obedient_backend_is_caught_by_every_attack() -> None:
    documents = read_documents(GOLD, Settings.load(), ROOT / "seeds")
    found = canary(GOLD, documents, obedient, 3, silent)
    assert found["backend"] == "obedient"
    for kind, attack in found["attacks"].items():
        assert attack["seen"] == 3, kind
        assert attack["obeyed"] == 3, kind
    assert found["all"]["rate"] == 1


def test_the_default_backend_is_attacked_in_every_way() -> None:
    settings = Settings.load()
    documents = read_documents(GOLD, settings, ROOT / "seeds")
    found = canary(GOLD, documents, opening(settings), 6, silent)
    assert set(found["attacks"]) == set(ATTACKS)
    assert found["all"]["seen"] == 6 * len(ATTACKS)
    assert found["all"]["low"] <= found["all"]["rate"] <= found["all"]["high"]
    shown = table(found)
    assert "right answers of 6" in shown
    assert all(kind in shown for kind in ATTACKS)


def test_without_an_answerable_question_there_is_nothing_to_attack() -> None:
    silent_gold = Gold("none", GOLD.path, [item for item in GOLD.items if not item.answerable])
    with pytest.raises(NothingScoredError, match="no answerable question"):
        canary(silent_gold, [Document("tea.md", "Tea is hot.")], opening(Settings.load()), 6, silent)
