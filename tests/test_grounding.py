"""What becomes of sentences that nothing supports: in the library, and on every door of the service."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer import Answerer
from rag.backends.chat import ChatBackend
from rag.cite import Checker, Citer
from rag.cite.judge import HybridJudge, LexicalJudge, open_judge
from rag.config import Settings
from rag.errors import BackendError, BackendUnreachableError, ConfigError
from rag.protocols import Encoder
from rag.retrieve import Retriever
from rag.stop import Stop
from rag.types import DEFAULT_OPTIONS, ChatOptions, Message, Notice, Passage, Policy, Retrieval
from tests.faults import FaultServer
from tests.serving import events, served

TEA = ["Green tea is steamed soon after picking.", "Black tea is left to oxidise for 3 hours."]
HALF = (
    "Here is what I found:\n\nGreen tea is steamed. [1] Green tea was invented in 1850. [1] "
    "Black tea is left to oxidise. [2]"
)
KEPT = ["Here is what I found:", "Green tea is steamed.", "Black tea is left to oxidise."]


class Scripted:
    """A model that gives its replies one after the other, word by word."""

    name = "scripted"
    model = "scripted-1"
    usage = None
    ended = "stop"
    notices: Sequence[Notice] = ()

    def __init__(self, *replies: str, context: int | None = None) -> None:
        self.replies = list(replies)
        self.asked: list[Sequence[Message]] = []
        self.options: list[ChatOptions] = []
        self.context_tokens = context
        self._reply = ""

    def count(self, text: str) -> int:
        return len(text.split())

    def stream(self, messages: Sequence[Message], options: ChatOptions = DEFAULT_OPTIONS) -> "Scripted":
        self.asked.append(messages)
        self.options.append(options)
        self._reply = self.replies.pop(0)
        return self

    def __iter__(self) -> Iterator[str]:
        return iter(self._reply.replace(" ", "\0 ").split("\0"))

    def close(self) -> None:
        """Have nothing to let go of."""


class Listening:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.stop = Stop()
        self.texts: list[str] = []

    def found(self, retrieval: Retrieval) -> None:
        """Take no note of passages."""

    def said(self, text: str) -> None:
        self.texts.append(text)


@cache
def retriever(*texts: str) -> Retriever:
    return Retriever.from_documents(texts, Settings())


def answerer(model: Scripted, texts: Sequence[str] = TEA, **chosen: object) -> Answerer:
    settings = Settings(**{"threshold": 0, **chosen})  # type: ignore[arg-type]
    return Answerer.over(retriever(*texts), settings, [ChatBackend(model)])


def test_annotating_shows_all_and_marks_what_nothing_supports(minilm: object) -> None:
    answer = answerer(Scripted(HALF)).ask("How is green tea treated?")
    assert [s.verdict for s in answer.sentences] == ["no_claim", "verified", "unsupported", "verified"]
    assert "1850" in answer.answer


def test_under_strict_only_what_has_passed_is_heard_and_shown(minilm: object) -> None:
    heard = Listening()
    answer = answerer(Scripted(HALF)).ask(
        "How is green tea treated?", follower=heard, grounding="strict"
    )
    assert "".join(heard.texts) == answer.answer
    assert [s.text for s in answer.sentences] == KEPT
    assert {s.verdict for s in answer.sentences} == {"no_claim", "verified"}
    assert "1850" not in answer.answer
    assert [c.n for c in answer.citations] == [1, 2]
    assert "sentences_removed" in [notice.code for notice in answer.warnings]


@pytest.mark.parametrize("grounding", ["strict", "repair"])
def test_where_nothing_is_left_the_answer_abstains(minilm: object, grounding: Policy) -> None:
    heard = Listening()
    wrong = "Green tea was invented in 1850 by Robert Fortune. [1]"
    answer = answerer(Scripted(wrong, wrong)).ask("Who?", follower=heard, grounding=grounding)
    assert answer.abstained
    assert heard.texts == []
    assert not answer.sentences


def test_repairing_shows_the_model_what_failed_and_takes_its_second_answer(minilm: object) -> None:
    heard = Listening()
    model = Scripted(HALF, "Green tea is steamed. [1] Black tea is left to oxidise for 3 hours. [2]")
    answer = answerer(model).ask("How is green tea treated?", follower=heard, grounding="repair")
    assert [s.verdict for s in answer.sentences] == ["verified", "verified"]
    assert "".join(heard.texts) == answer.answer
    first, second = model.asked
    assert list(second[: len(first)]) == list(first)
    assert second[-2] == Message("assistant", HALF)
    assert "- Green tea was invented in 1850." in second[-1].content
    assert "- Green tea is steamed." not in second[-1].content
    assert [n.code for n in answer.warnings if n.code == "repaired"] == ["repaired"]


def test_what_needs_no_repair_is_asked_for_once(minilm: object) -> None:
    heard = Listening()
    model = Scripted("Green tea is steamed. [1]")
    answer = answerer(model).ask("How is green tea treated?", follower=heard, grounding="repair")
    assert "".join(heard.texts) == answer.answer == "Green tea is steamed. [1]"
    assert len(model.asked) == 1


def test_what_stays_wrong_after_repair_is_left_out(minilm: object) -> None:
    answer = answerer(Scripted(HALF, HALF)).ask("How is green tea treated?", grounding="repair")
    assert [s.text for s in answer.sentences] == KEPT


def test_a_model_is_told_how_long_the_prompt_is_that_asks_for_a_repair(minilm: object) -> None:
    model = Scripted(HALF, HALF, context=4000)
    answerer(model, reply_tokens=64).ask("How is green tea treated?", grounding="repair")
    told = [options.prompt_tokens or 0 for options in model.options]
    sizes = [sum(model.count(each.content) + 8 for each in asked) for asked in model.asked]
    assert told == sizes
    assert told[0] < told[1]


def test_what_only_announces_is_no_answer(minilm: object) -> None:
    answer = answerer(Scripted("Here is what I found:")).ask(
        "How is green tea treated?", grounding="strict"
    )
    assert answer.abstained
    assert answer.answer


class Failing(Scripted):
    """A model whose second reply breaks off."""

    def __iter__(self) -> Iterator[str]:
        if len(self.asked) > 1:
            raise BackendUnreachableError("scripted broke off.")
        yield from super().__iter__()


def test_where_the_model_fails_at_repairing_what_had_passed_stays(minilm: object) -> None:
    heard = Listening()
    answer = answerer(Failing(HALF, "")).ask("How?", follower=heard, grounding="repair")
    assert [s.text for s in answer.sentences] == KEPT
    assert "".join(heard.texts) == answer.answer
    assert "not_repaired" in [notice.code for notice in answer.warnings]


@pytest.mark.parametrize("grounding", ["annotate", "strict", "repair"])
def test_the_abstaining_token_is_shown_nowhere(minilm: object, grounding: Policy) -> None:
    said = "Green tea is steamed. [1] NOT_IN_DOCUMENTS"
    heard = Listening()
    answer = answerer(Scripted(said, said)).ask("How?", follower=heard, grounding=grounding)
    assert "NOT_IN" not in answer.answer
    assert answer.answer.strip() == "Green tea is steamed. [1]"
    assert "".join(heard.texts) == answer.answer


PIECES = st.sampled_from(
    ["Green tea is steamed.", " [1]", "[2]", "[9]", " It was invented in 1850.", "\n\n", "Here:",
     " (x)", " Black tea is left to oxidise.", " Why?", "\n1. ", "[", "]", "Yes.", "NOT", "。"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=10).map("".join), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_a_strict_citer_never_lets_out_what_has_not_passed(draft: str, sizes: list[int]) -> None:
    passages = [Passage(str(n), 0, len(text), text, 1.0) for n, text in enumerate(TEA)]
    citer = Citer(passages, Checker(LexicalJudge()), "en", strict=True)
    out, at, turn = "", 0, 0
    while at < len(draft):
        size = sizes[turn % len(sizes)]
        out += citer.add(draft[at : at + size])
        assert "1850" not in out
        at, turn = at + size, turn + 1
    out += citer.close()
    cited = citer.cited
    assert out == cited.answer
    assert {s.verdict for s in cited.sentences} <= {"verified", "no_claim"}
    assert {c.verdict for c in cited.citations} <= {"verified", "unsupported", "not_found"}
    assert all(s.verdict in ("unsupported", "not_found") for s in cited.removed)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("draft", "kept"),
    [
        (
            "I found:\n\n- Green tea is steamed. [1]",
            "I found:\n\n- Green tea is steamed. [1]",
        ),
        ("Invented in 1850. [1]\n\nGreen tea is steamed. [1]", "Green tea is steamed. [1]"),
    ],
)
def test_a_strict_citer_keeps_lines_however_the_reply_comes(draft: str, kept: str, size: int) -> None:
    citer = Citer(
        [Passage("0", 0, len(TEA[0]), TEA[0], 1.0)], Checker(LexicalJudge()), "en", strict=True
    )
    heard = [citer.add(draft[at : at + size]) for at in range(0, len(draft), size)]
    assert "".join([*heard, citer.close()]) == citer.cited.answer == kept


def test_two_passages_support_together_what_neither_does_alone() -> None:
    passages = [Passage(str(n), 0, len(text), text, 1.0) for n, text in enumerate(TEA)]
    citer = Citer(passages, Checker(LexicalJudge()), "en")
    citer.add(
        "Green tea is steamed soon after picking and black tea is left to oxidise for 3 hours. [1][2]"
    )
    citer.close()
    assert [s.verdict for s in citer.cited.sentences] == ["verified"]
    assert [c.quote for c in citer.cited.citations] == TEA


def test_passages_that_do_not_fit_the_context_are_left_out(minilm: object) -> None:
    texts = [f"Harbour {n} has cranes and docks and {n} gates. " * 8 for n in range(6)]
    model = Scripted("Harbour 3 has cranes. [1]", context=700)
    answer = answerer(model, texts).ask("Which harbour has cranes?")
    assert 0 < len(answer.passages) < 6
    assert "passages_dropped" in [notice.code for notice in answer.warnings]
    sent = sum(model.count(message.content) for message in model.asked[0])
    assert sent + model.options[0].max_tokens <= 700


def test_a_context_that_holds_no_passage_is_refused(minilm: object) -> None:
    with pytest.raises(BackendError, match=r"takes 256 tokens.*larger context"):
        answerer(Scripted("Nothing.", context=256), ["Cranes and docks. " * 60]).ask("Which cranes?")


ASKED = [Message("user", "How is green tea treated?"), Message("assistant", "It is steamed.")]


def test_a_question_is_made_to_stand_alone_before_it_is_searched(minilm: object) -> None:
    model = Scripted("When is green tea steamed?", "Soon after picking. [1]")
    answer = answerer(model).ask("When?", history=ASKED)
    assert answer.question == "When?"
    assert [n.message for n in answer.warnings if n.code == "condensed"] == [
        "Searched for: When is green tea steamed?"
    ]
    assert "Question: When is green tea steamed?" in model.asked[1][-1].content


@pytest.mark.parametrize("reply", ["", "Who won the 2018 World Cup?", "x " * 300, "tea?" * 200])
def test_a_reply_that_is_no_rewording_is_not_searched_for(minilm: object, reply: str) -> None:
    answer = answerer(Scripted(reply, "Soon after picking. [1]")).ask("When is it?", history=ASKED)
    assert "not_condensed" in [notice.code for notice in answer.warnings]


def test_a_model_that_cannot_condense_answers_all_the_same(minilm: object) -> None:
    class Reasoning(Scripted):
        def __iter__(self) -> Iterator[str]:
            if self.options[-1].max_tokens < 100:
                raise BackendError("scripted reasoned and gave no answer.")
            return super().__iter__()

    model = Reasoning("", "Green tea is steamed soon after picking. [1]")
    answer = answerer(model).ask("When is it?", history=ASKED)
    assert "not_condensed" in [notice.code for notice in answer.warnings]
    assert answer.sentences


def test_condensing_can_be_switched_off(minilm: object) -> None:
    model = Scripted("Soon after picking. [1]")
    answerer(model, condense=False).ask("When?", history=ASKED)
    assert len(model.asked) == 1


@pytest.fixture
def service(minilm: object, tmp_path: object) -> Iterator[tuple[str, FaultServer]]:
    with FaultServer() as model:
        model.says(*HALF.replace(" ", "\0 ").split("\0"))
        chosen = Settings(
            backend="openai:tiny", openai_base_url=model.url, threshold=0, index=f"{tmp_path}/index",
            seeds=f"{tmp_path}/seeds", grounding="strict",
        )  # fmt: skip
        from pathlib import Path

        from rag.build import build_index
        from rag.embed import open_encoder
        from rag.store import IndexDirectory

        for n, text in enumerate(TEA):
            Path(f"{tmp_path}/seeds").mkdir(exist_ok=True)
            Path(f"{tmp_path}/seeds/{n}.txt").write_text(text)
        build_index(IndexDirectory(chosen.index), [chosen.seeds], open_encoder(chosen), chosen)
        with served(chosen) as url:
            yield url, model


def test_on_no_door_is_heard_what_has_not_passed(service: tuple[str, FaultServer]) -> None:
    url, _ = service
    ask = {"question": "How is green tea treated?"}
    chat = {"model": "seedrag", "messages": [{"role": "user", "content": "How is green tea treated?"}]}
    whole = httpx.post(f"{url}/v1/ask", json=ask)
    streamed = httpx.post(f"{url}/v1/ask", json={**ask, "stream": True})
    repaired = httpx.post(f"{url}/v1/ask", json={**ask, "stream": True, "grounding": "repair"})
    openai = httpx.post(f"{url}/v1/chat/completions", json=chat)
    chunks = httpx.post(f"{url}/v1/chat/completions", json={**chat, "stream": True})
    for response in (whole, streamed, repaired, openai, chunks):
        assert response.status_code == 200
        assert "1850" not in response.text.replace("It was", "")
        assert "steamed" in response.text
    marked = httpx.post(f"{url}/v1/ask", json={**ask, "grounding": "annotate"}).json()
    assert "1850" in marked["answer"]
    for response in (streamed, repaired):
        told = events(response)
        tokens = "".join(data["text"] for name, data in told if name == "token")
        assert tokens == told[-1][1]["answer"]


def test_a_policy_that_is_none_is_refused(service: tuple[str, FaultServer]) -> None:
    url, _ = service
    refused = httpx.post(f"{url}/v1/ask", json={"question": "Why?", "grounding": "lax"})
    assert refused.status_code == 422


def test_a_cut_reply_says_so_on_the_openai_door(service: tuple[str, FaultServer]) -> None:
    url, model = service
    model.fault = "stops_at_length"
    chat = {"model": "seedrag", "messages": [{"role": "user", "content": "How is green tea treated?"}]}
    told = httpx.post(f"{url}/v1/chat/completions", json=chat).json()
    assert told["choices"][0]["finish_reason"] == "length"
    assert "reply_cut" in json.dumps(told["seedrag"])


def test_judges_are_named(minilm: object) -> None:
    from rag.embed import open_encoder

    encoder = open_encoder(Settings())
    assert isinstance(open_judge("hybrid", encoder), HybridJudge)
    with pytest.raises(ConfigError, match="use hybrid, lexical or nli:<model>"):
        open_judge("oracle", encoder)


def test_a_judge_without_its_model_is_named_before_anything_is_asked(
    minilm: Encoder, tmp_path: Path
) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ConfigError, match=r"^There is no model in .*; set RAG_JUDGE"):
            open_judge(f"nli:{folder}", minilm)
