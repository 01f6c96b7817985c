"""Receipts and their replay, over real indexes, a real command line and a server on loopback."""

import json
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from rag.answer import Answerer
from rag.build import BuildReport, build_index
from rag.cli import app
from rag.cli.replay import show
from rag.config import Settings
from rag.errors import RagError, ReceiptError
from rag.protocols import Encoder
from rag.receipt import Receipt, parse_receipt, read_receipt, receipt_bytes, receipt_of, replay
from rag.receipt.changes import changes, differences
from rag.receipt.trace import trace_passage, trace_quote
from rag.retrieve import Retriever
from rag.store import IndexDirectory
from rag.types import Message
from tests.conftest import ROOT
from tests.faults import FaultServer

TEA = """# Tea

Green tea is steamed soon after picking. The leaves come from the southern hills.

Black tea is left to oxidise for two hours. It is sold in chests of forty pounds.
"""
COFFEE = "# Coffee\n\nCoffee beans are roasted at about 200 degrees.\n"
QUESTION = "When is green tea steamed?"
STEAMED = "Green tea is steamed soon after picking."
SECRET = "sk-never-to-be-seen"


@pytest.fixture
def place(tmp_path: Path, minilm: Encoder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with seeds and their index, which a test may change."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "tea.md").write_text(TEA)
    (tmp_path / "seeds" / "coffee.md").write_text(COFFEE)
    build_index(IndexDirectory(tmp_path / "index"), [tmp_path / "seeds"], minilm, Settings())
    return tmp_path


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as live:
        yield live


@pytest.fixture(scope="module")
def receipt(seed_index: Path, minilm: Encoder) -> Receipt:
    """A receipt of an answer over the shipped seeds."""
    answerer = Answerer.over(Retriever.open(seed_index, Settings()), Settings())
    question = "Who is the foreign minister of Belarus?"
    return receipt_of(answerer.consider(question), answerer, question)


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit | RagError):
        raise result.exception
    assert (1 if isinstance(result.exception, RagError) else result.exit_code) == code, result.output
    return result


def replayed(file: object = "r.json", code: int = 0) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(run("replay", file, "--json", code=code).stdout)
    return value


@pytest.fixture
def rebuild(place: Path, minilm: Encoder) -> Callable[[], None]:
    """Brings the index of `place` up to date with its seeds."""
    directory = IndexDirectory(place / "index")
    return lambda: _built(build_index(directory, [place / "seeds"], minilm, Settings()))


@pytest.fixture
def rewrite(place: Path, rebuild: Callable[[], None]) -> Callable[[str, str, str], None]:
    """Puts other words into a seed and its index."""

    def rewritten(name: str, old: str, new: str) -> None:
        seed = place / "seeds" / name
        assert old in seed.read_text()
        seed.write_text(seed.read_text().replace(old, new))
        rebuild()

    return rewritten


def _built(report: BuildReport) -> None:
    assert report.generation != "gen-000001"


def codes(value: dict[str, Any]) -> list[str]:
    return [change["code"] for change in value["changed"]]


# --- what a receipt holds ---------------------------------------------------------------------------


def test_a_receipt_says_what_the_answer_rests_on(place: Path) -> None:
    answer = json.loads(run("ask", QUESTION, "--receipt", "r.json", "--top-k", "3", "--json").stdout)
    told = json.loads((place / "r.json").read_text())
    assert (told["receipt"], told["question"], told["top_k"]) == (1, QUESTION, 3)
    for name in ("answer", "sentences", "citations", "index", "backend", "model", "prompt"):
        assert told[name] == answer[name]
    assert [(p["doc"], p["start"], p["end"]) for p in told["passages"]] == [
        (p["doc"], p["start"], p["end"]) for p in answer["passages"]
    ]
    for passage in told["passages"]:
        text = (place / "seeds" / passage["doc"]).read_text()
        span = text[passage["start"] : passage["end"]]
        assert passage["sha256"] == sha256(span.encode()).hexdigest()
        assert span.startswith(passage["begins"])
    assert [path.name for path in place.iterdir() if "receipt" in path.name] == []


def test_receipts_of_one_answer_differ_in_time_alone(place: Path) -> None:
    values = []
    for _ in range(2):
        run("ask", QUESTION, "--receipt", "r.json")
        values.append(json.loads((place / "r.json").read_text()))
        assert values[-1].pop("time").keys() == {"created"}
    assert values[0] == values[1]


def test_no_key_gets_into_a_receipt(
    place: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", server.url)
    server.says(f"{STEAMED} [1]")
    run("ask", QUESTION, "--backend", "openai:tiny", "--receipt", "r.json")
    assert server.keys == [f"Bearer {SECRET}"]
    told = (place / "r.json").read_text()
    assert SECRET not in told
    assert server.url not in told
    assert (json.loads(told)["backends"], json.loads(told)["model"]) == ("openai:tiny", "tiny-1")


def test_a_receipt_that_cannot_be_written_is_one_sentence(place: Path) -> None:
    (place / "folder").mkdir()
    for target in ("nowhere/r.json", "folder"):
        failed = run("ask", QUESTION, "--receipt", target, code=1)
        assert STEAMED in failed.stdout
        assert f"The receipt {target} cannot be written" in str(failed.exception)
    assert sorted(each.name for each in place.iterdir()) == ["folder", "index", "seeds"]
    (place / "batch.jsonl").write_text("")
    run("ask", "--batch", "batch.jsonl", "--receipt", "r.json", code=2)


def test_what_has_no_json_form_gets_no_receipt(place: Path) -> None:
    answerer = Answerer.open(settings=Settings())
    considered = answerer.consider(QUESTION)
    for bad in ({"meta.kind": float("nan")}, {"meta.kind": {1, 2}}, {"meta.kind": "\ud800"}):
        with pytest.raises(ReceiptError):
            receipt_of(considered, answerer, QUESTION, filter=bad)
    halved = receipt_of(considered, answerer, QUESTION, history=[Message("user", "\ud800")])
    with pytest.raises(ReceiptError, match="surrogate"):
        receipt_bytes(halved)
    told = receipt_of(considered, answerer, QUESTION, filter={"doc": ("tea*", "coffee*")})
    assert parse_receipt(receipt_bytes(told), "it") == told


def test_digests_are_of_the_index_that_answered(
    place: Path, rewrite: Callable[[str, str, str], None]
) -> None:
    answerer = Answerer.open(settings=Settings())
    considered = answerer.consider(QUESTION)
    rewrite("tea.md", "soon after picking", "two days after picking")
    assert answerer.retriever.refresh()
    told = receipt_of(considered, answerer, QUESTION)
    [tea] = [passage for passage in told.passages if passage.doc == "tea.md"]
    assert tea.sha256 == sha256(TEA[tea.start : tea.end].encode()).hexdigest()


# --- reading ----------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@budget(max_examples=60)
@given(question=TEXT, said=TEXT, doc=TEXT, score=st.floats(-2, 2), value=st.integers() | TEXT)
def test_a_receipt_read_back_equals_itself(
    receipt: Receipt, question: str, said: str, doc: str, score: float, value: object
) -> None:
    told = receipt.model_dump()
    told |= {"question": question, "filter": {"meta.key": [value, True, None]}}
    told["history"] = ({"role": "user", "content": said},)
    told["passages"] = ({**told["passages"][0], "doc": doc, "score": score, "begins": said},)
    made = Receipt.model_validate(told)
    assert parse_receipt(receipt_bytes(made), "it") == made


def test_a_file_read_back_equals_what_was_written(place: Path) -> None:
    run("ask", QUESTION, "--receipt", "r.json")
    read = read_receipt(place / "r.json")
    assert receipt_bytes(read) == (place / "r.json").read_bytes()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "is no receipt; `rag ask"),
        (b'"receipt"', "is no receipt; `rag ask"),
        (b'{"question": "q", "answer": "a"}', "is no receipt; `rag ask"),
        (b'{"receipt": "0123456789abcdef"}', "is no receipt; `rag ask"),
        (b'{"receipt": true}', "is no receipt; `rag ask"),
        (b'{"receipt": 2}', "version 2, and this program reads version 1"),
        (b'{"receipt": 1}', "is no whole receipt: seedrag: Field required"),
    ],
)
def test_what_is_no_receipt_is_one_sentence(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "r.json").write_bytes(data)
    with pytest.raises(ReceiptError) as told:
        read_receipt(tmp_path / "r.json")
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"top_k": 0},
        {"top_k": "8"},
        {"grounding": "loose"},
        {"passages": [{"doc": "tea.md"}]},
        {"settings": {"openai_base_url": "http://127.0.0.1:1/v1"}},
    ],
)
def test_a_receipt_that_was_tampered_with_is_refused(receipt: Receipt, change: dict[str, Any]) -> None:
    value = {**receipt.model_dump(mode="json"), **change}
    with pytest.raises(ReceiptError, match="it is no whole receipt"):
        parse_receipt(json.dumps(value).encode(), "it")


def test_files_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        failed = run("replay", path, code=1)
        assert f"The receipt {path} cannot be read" in str(failed.exception)
        assert failed.stdout == ""


# --- replay -----------------------------------------------------------------------------------------


def test_over_an_unchanged_index_the_answer_is_the_same(place: Path) -> None:
    run("ask", QUESTION, "--receipt", "r.json")
    value = replayed()
    assert (value["same"], value["differs"], value["changed"], value["notes"]) == (True, [], [], [])
    assert {passage["state"] for passage in value["passages"]} == {"unchanged"}
    assert all(passage["retrieved"] for passage in value["passages"])
    assert run("replay", "r.json").stdout == (
        "same: the answer, its citations and their verdicts are what they were.\n"
    )


@pytest.mark.parametrize(
    "question", ["Who won the 2018 World Cup?", "When is green tea sold and steamed?"]
)
def test_every_kind_of_answer_is_the_same_again(place: Path, question: str) -> None:
    run("ask", question, "--receipt", "r.json", "--top-k", "1", "--filter", "doc=tea*")
    read = read_receipt(place / "r.json")
    assert (read.filter, len(read.passages)) == ({"doc": ["tea*"]}, 1)
    assert replayed()["same"]


def test_a_history_is_asked_again(place: Path) -> None:
    answerer = Answerer.open(settings=Settings())
    history = [Message("user", QUESTION), Message("assistant", STEAMED)]
    considered = answerer.consider("And black tea?", history=history)
    told = receipt_of(considered, answerer, "And black tea?", history=history)
    assert [turn.content for turn in told.history] == [QUESTION, STEAMED]
    done = replay(told)
    assert done.now is not None
    assert (done.same, done.now.history) == (True, told.history)


def test_an_edited_seed_is_named_with_what_stands_there_now(
    place: Path, rewrite: Callable[[str, str, str], None]
) -> None:
    run("ask", QUESTION, "--receipt", "r.json")
    rewrite("tea.md", "soon after picking", "two days after picking")
    value = replayed(code=3)
    assert value["same"] is False
    assert {"answer", "citations"} <= set(value["differs"])
    assert codes(value)[0] == "index"
    [quote] = value["citations"]
    assert (quote["doc"], quote["state"], quote["quote"]) == ("tea.md", "changed", STEAMED)
    assert quote["now"]["text"] == "Green tea is steamed two days after picking."
    text = (place / "seeds/tea.md").read_text()
    assert text[quote["now"]["start"] : quote["now"]["end"]] == quote["now"]["text"]
    changed = {p["doc"] for p in value["passages"] if p["state"] == "changed"}
    assert changed == {"tea.md"}
    shown = show(value)
    assert f"then  “{STEAMED}”" in shown
    assert "now   “Green tea is steamed two days after picking.”" in shown
    assert shown.startswith("different: the answer's text, citations.")


def test_a_quote_that_moved_is_found_where_it_stands_now(
    place: Path, rewrite: Callable[[str, str, str], None]
) -> None:
    run("ask", QUESTION, "--receipt", "r.json")
    rewrite("tea.md", "# Tea\n", "# Tea\n\nAll that is known of tea stands here.\n")
    value = replayed(code=3)
    [quote] = value["citations"]
    assert (value["differs"], quote["state"]) == (["places"], "moved")
    text = (place / "seeds/tea.md").read_text()
    assert text[quote["now"]["start"] : quote["now"]["end"]] == quote["quote"] == STEAMED
    before = {p["doc"]: p for p in value["passages"] if p["state"] == "moved"}
    moved = before["tea.md"]
    assert moved["now"]["start"] - moved["start"] == quote["now"]["start"] - quote["start"] > 0


def test_a_document_that_is_gone_is_named(place: Path, rebuild: Callable[[], None]) -> None:
    run("ask", QUESTION, "--receipt", "r.json", "--top-k", "1")
    (place / "seeds" / "tea.md").unlink()
    rebuild()
    value = replayed(code=3)
    assert [quote["state"] for quote in value["citations"]] == ["gone"]
    assert [(p["doc"], p["state"], p["retrieved"]) for p in value["passages"]] == [
        ("tea.md", "gone", False)
    ]
    assert [each["doc"] for each in value["instead"]] == ["coffee.md"]
    assert "the document is gone" in show(value)


def test_a_passage_that_is_no_longer_found_is_told_with_what_is(
    place: Path, rebuild: Callable[[], None]
) -> None:
    run("ask", QUESTION, "--receipt", "r.json", "--top-k", "1")
    (place / "seeds" / "better.md").write_text(f"{QUESTION} Green tea is steamed within an hour.\n")
    rebuild()
    value = replayed(code=3)
    assert [(p["state"], p["retrieved"]) for p in value["passages"]] == [("unchanged", False)]
    assert [each["doc"] for each in value["instead"]] == ["better.md"]
    shown = show(value)
    assert "not retrieved now" in shown
    assert "retrieved instead: better.md" in shown


def test_the_same_answer_of_another_index_is_the_same_with_a_note(
    place: Path, rewrite: Callable[[str, str, str], None]
) -> None:
    run("ask", QUESTION, "--receipt", "r.json", "--top-k", "1")
    rewrite("coffee.md", "200", "210")
    value = replayed()
    assert (value["same"], codes(value)) == (True, ["index"])
    assert "note: The index is another: gen-000001 (" in show(value)


def test_another_template_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("ask", "Who won the 2018 World Cup?", "--receipt", "silent.json")
    run("ask", QUESTION, "--receipt", "r.json")
    prompts = place / "prompts"
    shutil.copytree(ROOT / "prompts", prompts)
    (prompts / "abstain.j2").write_text("We do not know.")
    monkeypatch.setenv("RAG_PROMPTS", str(prompts))
    value = replayed("silent.json", code=3)
    assert (value["differs"], codes(value)) == (["answer"], ["prompt"])
    assert value["now"]["answer"] == "We do not know."
    with (prompts / "answer.system.j2").open("a") as template:
        template.write("\nBe brief.")
    value = replayed()
    assert (value["same"], codes(value)) == (True, ["prompt", "messages"])


def test_settings_of_the_receipt_are_in_force_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ask", QUESTION, "--receipt", "r.json")
    monkeypatch.setenv("RAG_ALPHA", "0")
    monkeypatch.setenv("RAG_THRESHOLD", "0.99")
    value = replayed()
    assert (value["same"], value["changed"]) == (True, [])
    assert value["notes"] == [
        "alpha is 0.0 here; the receipt's 0.5 was used.",
        "threshold is 0.99 here; the receipt's None was used.",
    ]


def test_another_calibration_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("ask", QUESTION, "--receipt", "r.json")
    models = [{"bias": -9.0, "weights": {}, "threshold": 0.5}]
    (place / "c.json").write_text(json.dumps({"id": "mine", "models": models}))
    monkeypatch.setenv("RAG_CALIBRATION", str(place / "c.json"))
    value = replayed(code=3)
    assert codes(value) == ["calibration", "threshold"]
    assert "abstained" in value["differs"]


WORDS = st.lists(st.sampled_from("Tea is hot. Milk, cold! 茶は熱い。 \n\n - 7".split(" ")), max_size=12)


@given(before=WORDS, quote=WORDS.filter(bool), after=WORDS, now=WORDS, cut=st.integers(0, 9))
def test_what_is_traced_stands_where_it_is_said_to_stand(
    receipt: Receipt, before: list[str], quote: list[str], after: list[str], now: list[str], cut: int
) -> None:
    old = " ".join([*before, *quote, *after])
    start = len(" ".join([*before, ""]))
    said = old[start : start + len(" ".join(quote))]
    place = {"doc": "tea.md", "start": start, "end": start + len(said)}
    cited = receipt.citations[0].model_copy(update={**place, "quote": said})
    digest = sha256(said.encode()).hexdigest()
    shown = receipt.passages[0].model_copy(update={**place, "sha256": digest, "begins": said[:cut]})
    for document in (old, " ".join([*now, old]), " ".join(now)):
        traced = trace_quote(cited, document)
        assert traced is not None
        stands = {True: {"unchanged", "moved"}, False: {"changed"}}[said in document]
        assert traced.state in stands
        if traced.now is not None:
            text = said if traced.text is None else traced.text
            assert document[slice(*traced.now)] == text
            assert (traced.state == "changed") == (traced.text is not None)
        passage = trace_passage(shown, document)
        assert passage.state in stands | ({"changed"} if not cut else set())
        assert passage.state == "changed" or document[slice(*passage.now or (0, 0))] == said
    gone = trace_quote(cited, None)
    assert gone is not None
    assert (gone.state, trace_passage(shown, None).state) == ("gone", "gone")


def test_a_quote_s_successor_is_the_sentence_most_like_it(receipt: Receipt) -> None:
    place = {"doc": "tea.md", "start": 7, "end": 7 + len(STEAMED), "quote": STEAMED}
    cited = receipt.citations[0].model_copy(update=place)
    listed = "# Tea\n\n- Nothing else.\n- Green tea is steamed long after picking.\n- Beans.\n"
    found = trace_quote(cited, listed)
    assert found is not None
    assert found.text == "Green tea is steamed long after picking."
    nothing_like = trace_quote(cited, "# Tea\n\nBeans are roasted at 200 degrees. More.\n")
    assert nothing_like is not None
    assert nothing_like.text == "Beans are roasted at 200 degrees. More."
    nothing = trace_quote(cited, "Tea.")
    assert nothing is not None
    assert (nothing.state, nothing.now, nothing.text) == ("changed", None, None)


# --- language models --------------------------------------------------------------------------------


@pytest.fixture
def model(place: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """A model that was asked, with the receipt of its answer in `r.json`."""
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", server.url)
    server.says(f"{STEAMED} [1]")
    run("ask", QUESTION, "--backend", "openai:tiny", "--receipt", "r.json")
    return server


def test_a_model_that_repeats_itself_gives_the_same(model: FaultServer) -> None:
    value = replayed()
    assert (value["same"], value["changed"]) == (True, [])
    [first, again] = model.requests
    assert first == again


def test_a_model_that_does_not_repeat_itself_is_told(model: FaultServer) -> None:
    model.says("The leaves come from the southern hills. [1]")
    value = replayed(code=3)
    assert codes(value) == ["not_repeated"]
    assert "the model itself did not repeat its answer" in show(value)


def test_a_model_that_repairs_itself_otherwise_was_shown_the_same(
    place: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("RAG_GROUNDING", "repair")
    server.says(f"{STEAMED} [1] Camels carry it. [1]")
    run("ask", QUESTION, "--backend", "openai:tiny", "--receipt", "r.json")
    monkeypatch.delenv("RAG_GROUNDING")
    assert read_receipt(place / "r.json").grounding == "repair"
    assert replayed()["same"]
    server.says("The leaves come from the southern hills. [1] Camels carry them. [1]")
    assert codes(replayed(code=3)) == ["not_repeated"]


def test_a_verdict_that_differs_makes_an_answer_different(model: FaultServer) -> None:
    read = read_receipt(Path("r.json"))
    doubted = read.citations[0].model_copy(update={"verdict": "unsupported"})
    assert differences(read, read.model_copy(update={"citations": (doubted,)})) == ["verdicts"]


def test_each_thing_that_is_recorded_is_compared(model: FaultServer) -> None:
    then = read_receipt(Path("r.json"))
    others: dict[str, Any] = {
        "index": then.index.model_copy(update={"digest": "0" * 64}),
        "searched": "When is it steamed?",
        "prompt": "another",
        "messages_sha256": "0" * 64,
        "backend": "openai:big",
        "model": "big-2",
        "options": {**then.options, "temperature": 1.0, "top_p": 0.5},
        "encoder": then.encoder.model_copy(update={"fingerprint": "0" * 64}),
        "seedrag": "0.0.1",
        "reader": "0" * 12,
        "judge": "lexical-2",
        "calibration": "mine",
        "threshold": 0.99,
    }
    named = [change.code for change in changes(then, then.model_copy(update=others))]
    assert named == [
        "index", "searched", "prompt", "messages", "backend", "model", "options", "options",
        "encoder", "seedrag", "reader", "judge", "calibration", "threshold",
    ]  # fmt: skip
    for name, value in others.items():
        found = changes(then, then.model_copy(update={name: value}))
        assert {change.code for change in found} == {name.removesuffix("_sha256")}
    renamed = then.index.model_copy(update={"generation": "gen-000009"})
    later = then.time.model_copy(update={"created": "2001-01-01T00:00:00Z"})
    assert changes(then, then.model_copy(update={"index": renamed, "time": later})) == []


def test_a_backend_that_answers_in_another_s_place_is_named(
    place: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", server.url)
    server.says("Green tea is steamed soon after it was picked. [1]")
    run("ask", QUESTION, "--backend", "openai:tiny,extractive", "--receipt", "r.json")
    server.fault = "500"
    value = replayed(code=3)
    assert {"backend", "model"} <= set(codes(value))
    assert (value["then"]["backend"], value["now"]["backend"]) == ("openai:tiny", "extractive")


def test_a_condensed_question_is_recorded_and_searched_again(
    place: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(backend="openai:tiny", openai_base_url=server.url)
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", server.url)
    server.says(QUESTION)  # condensed to this, and then answered with it
    answerer = Answerer.open(settings=settings)
    history = [Message("user", "Tell me of green tea that is steamed.")]
    asked = "When is it steamed?"
    told = receipt_of(answerer.consider(asked, history=history), answerer, asked, history=history)
    assert (told.question, told.searched) == (asked, QUESTION)
    assert replay(told).same
    server.fault = "500"
    done = replay(told)
    assert (done.same, done.instead) == (None, [])
    assert all(each.retrieved for each in done.passages)


@pytest.mark.parametrize("fault", ["401", "500"])
def test_where_the_model_does_not_answer_passages_are_compared(
    place: Path, rewrite: Callable[[str, str, str], None], model: FaultServer, fault: str
) -> None:
    rewrite("tea.md", "soon after picking", "two days after picking")
    model.fault = fault
    failed = run("replay", "r.json", "--json", code=1)
    value = json.loads(failed.stdout)
    assert (value["same"], value["now"], codes(value)) == (None, None, ["index"])
    assert value["citations"][0]["now"]["text"] == "Green tea is steamed two days after picking."
    assert value["error"] == str(failed.exception)
    assert "openai:tiny" in value["error"]


def test_a_backend_that_is_unknown_here_still_has_its_passages_compared(place: Path) -> None:
    run("ask", QUESTION, "--receipt", "r.json")
    value = json.loads((place / "r.json").read_text())
    (place / "r.json").write_text(json.dumps({**value, "backends": "oracle:delphi"}))
    failed = run("replay", "r.json", code=1)
    assert "No backend 'oracle:delphi'" in str(failed.exception)
    assert failed.stdout.startswith("not answered again; its passages stand as they were")


def test_a_replay_reads_with_the_reader_that_was_there(place: Path) -> None:
    settings = Settings.load(index=place / "index", reader="off", threshold=0.0)
    answerer = Answerer.open(settings=settings)
    receipt = receipt_of(answerer.consider(QUESTION), answerer, QUESTION, None, None)
    assert receipt.settings.reader == "off"
    assert receipt.reader is None
    again = replay(receipt, place / "index")
    assert again.same
    assert "reader is shipped here; the receipt's off was used." in again.notes
