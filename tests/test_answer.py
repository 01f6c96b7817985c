import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rag.answer import Answerer
from rag.confidence import SHIPPED, Calibration
from rag.config import Settings
from rag.errors import ConfigError, QuestionError
from rag.retrieve import Retriever
from rag.stop import Stop
from rag.types import Document, Draft, Message, Request
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+\?) \| ([^|]+) \|(?: ([^|]+) \|)?$", PAGE, re.MULTILINE)
ANSWERED = [(question, said) for question, _, said in ROWS if said]
ABSTAINED = [question for question, _, said in ROWS if not said]


@pytest.fixture(scope="module")
def answerer(seed_index: Path) -> Answerer:
    return Answerer.open(seed_index, Settings())


def test_the_page_has_enough_questions() -> None:
    assert len(ANSWERED) >= 11
    assert "Who won the 2018 World Cup?" in ABSTAINED


@pytest.mark.parametrize(("question", "said"), ANSWERED)
def test_shipped_seeds_answer_with_a_verified_quote(
    answerer: Answerer, question: str, said: str
) -> None:
    answer = answerer.ask(question)
    assert not answer.abstained
    assert said in answer.answer
    assert {sentence.verdict for sentence in answer.sentences} == {"verified"}
    for citation in answer.citations:
        seed = (ROOT / "seeds" / str(citation.doc)).read_text(encoding="utf-8")
        assert citation.verdict == "verified"
        assert seed[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize("question", ABSTAINED)
def test_what_the_seeds_do_not_say_is_not_answered(answerer: Answerer, question: str) -> None:
    answer = answerer.ask(question)
    assert answer.abstained
    assert answer.answer == "The documents do not answer this question."
    assert (answer.sentences, answer.citations) == ((), ())
    assert answer.passages
    assert 0 <= answer.confidence < 1


def test_several_sentences_state_nothing_twice(answerer: Answerer) -> None:
    answer = answerer.ask("What are the three causes of most Western sanctions against Belarus?")
    texts = [sentence.text for sentence in answer.sentences]
    assert len(texts) == len(set(texts))


def test_an_empty_question_is_refused(answerer: Answerer) -> None:
    with pytest.raises(QuestionError):
        answerer.ask(" \n ")


def test_history_reaches_the_search(answerer: Answerer) -> None:
    before = [Message("user", "What did Ryzhenkov say about the West?")]
    followed = answerer.retriever.retrieve("What is his office?", history=before)
    alone = answerer.retriever.retrieve("What is his office?")
    assert followed.passages[0].doc == "war-expectations.md"
    assert [p.start for p in followed.passages] != [p.start for p in alone.passages]


class Parrot:
    """A backend that says what it was told to."""

    name = "parrot"
    chat = None

    def __init__(self, text: str) -> None:
        self._text = text
        self.requests: list[Request] = []

    def generate(self, request: Request, say: Callable[[str], None], stop: Stop) -> Draft:
        self.requests.append(request)
        return Draft(self._text, model="parrot-1")


def _parrot(says: str, texts: Sequence[str], **settings: object) -> tuple[Answerer, Parrot]:
    chosen = Settings(**settings)  # type: ignore[arg-type]
    backend = Parrot(says)
    retriever = Retriever.from_documents(texts, chosen)
    return Answerer.over(retriever, chosen, [backend]), backend


def test_a_claim_that_no_passage_supports_is_marked(minilm: object) -> None:
    says = "The bridge is 120 metres long [1]. It was built in 1850 [1]. It is red [7]."
    answerer, _ = _parrot(says, ["The bridge is 120 metres long and was built in 1849."], threshold=0)
    answer = answerer.ask("How long is the bridge?")
    assert [s.verdict for s in answer.sentences] == ["verified", "unsupported", "not_found"]
    assert answer.citations[-1].doc is None
    assert answer.model == "parrot-1"


def test_passages_that_do_not_fit_are_dropped_with_a_warning(minilm: object) -> None:
    texts = [f"Harbour number {n} has {n} cranes. " * 12 for n in range(9)]
    answerer, backend = _parrot("Nine [1].", texts, context_tokens=300, threshold=0)
    answer = answerer.ask("How many cranes has the harbour?")
    assert [notice.code for notice in answer.warnings] == ["passages_dropped"]
    assert len(backend.requests[0].retrieval.passages) == len(answer.passages) < 8


def test_a_question_that_the_encoder_cannot_read_says_so(minilm: object) -> None:
    texts = ["大熊猫生活在四川的竹林里。", "长城建于明代。", "黄河流入渤海。"]
    answer = Answerer.over(Retriever.from_documents(texts)).ask("大熊猫生活在哪里？")
    assert "encoder_blind" in [notice.code for notice in answer.warnings]
    assert answer.passages[0].text == texts[0]


def test_a_calibration_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "calibration.json"
    broken.write_text(SHIPPED.read_text(encoding="utf-8").replace('"bias"', '"bais"'), encoding="utf-8")
    for text in (broken.read_text(encoding="utf-8"), "[1]", '{"id": "x", "models": [1]}', "nothing"):
        broken.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"calibration\.json is no calibration; set RAG_"):
            Calibration.load(broken)
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file or directory\); set RAG_"):
        Calibration.load(tmp_path / "nowhere.json")


def test_references_of_the_seeds_own_do_not_become_citations(minilm: object) -> None:
    text = "The Danube is 2850 kilometres long.[12] It flows through ten countries,[3] more than any."
    answer = Answerer.over(Retriever.from_documents([text])).ask("How long is the Danube?")
    assert answer.answer == "The Danube is 2850 kilometres long. [1]"
    assert [citation.verdict for citation in answer.citations] == ["verified"]


def test_a_short_corpus_gives_passages_and_not_the_whole_document(minilm: object) -> None:
    text = " ".join(f"Ship {n} carries {n * 7} barrels of oil to harbour {n % 5}." for n in range(400))
    found = Retriever.from_documents([text]).search("What does ship 17 carry?", top_k=3)
    assert max(len(passage.text) for passage in found) < len(text) / 3


def test_a_question_that_the_encoder_cannot_hold_is_said_to_be_cut(answerer: Answerer) -> None:
    answer = answerer.ask("Who was freed? " * 200)
    assert "question_truncated" in [notice.code for notice in answer.warnings]


@pytest.mark.parametrize("asked", ["How is green tea treated?", "¿Cómo se trata el té verde?"])
def test_a_question_that_stands_in_the_text_is_no_answer_to_itself(asked: str) -> None:
    text = f"{asked}\n\nIt is steamed soon after picking, as green tea and té verde must be."
    answerer = Answerer.over(Retriever.from_documents([Document("faq.md", text)]))
    said = answerer.consider(asked).said
    assert "steamed" in said
    assert asked not in said
