"""What a run leaves, made by hand so that each part can be checked in the head."""

import copy
import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from eval.compare import compare
from eval.errors import ReportError
from eval.gold import read_gold
from eval.measures import GATED, HEADLINE, MEASURES
from eval.metrics.grounding import LexicalJudge
from eval.report import digest, dump, files, newest, read_report, summary, write
from eval.report.junit import junit
from eval.report.markdown import escaped, markdown
from eval.report.page.context import AROUND, utf16, windows
from eval.report.page.data import page_data
from eval.report.schemas import SCHEMAS, text_of
from eval.report.shape import SCHEMA
from eval.report.shown import one_line, rivals
from eval.run import SCHEMA as RUN_SCHEMA
from eval.run import run
from eval.stages import STAGES
from eval.system import open_system
from rag.config import Settings
from tests.conftest import ROOT

Report = dict[str, Any]

SALT = "🧂🧂 Salt is mined. " * 20
TEXTS = {
    "salt.md": f"{SALT}The mine is 327 metres deep, they say. {SALT}",
    "tea.md": "Green tea is steamed. It is hot.",
}
QUOTE = "The mine is 327 metres deep, they say."
START = len(SALT)
HOSTILE = '</script><img src="x" onerror="window.hacked=1"><b>|`[x](http://y)` @you \x1b[31m'
TIMINGS: Report = {
    "commit": "1a2b3c4",
    "started": "2026-03-04T05:06:07+00:00",
    "seconds": 1.5,
    "cached": 1,
    "answered": 2,
    "latency_ms": {
        "total": {"n": 3, "p50": 12.0, "p95": 20.0, "p99": None},
        "retrieve": {"n": 3, "p50": 2.0, "p95": 3.0, "p99": None},
    },
    "items": {},
}


def item(name: str, **parts: Any) -> Report:
    """An item that is right and cites its evidence, unless `parts` say otherwise."""
    place = {"doc": "salt.md", "start": START, "end": START + len(QUOTE)}
    return {
        "id": name,
        "question": f"How deep is the mine of {name}?",
        "answerable": True,
        "tags": ["number"],
        "digest": "d",
        "history": [],
        "filter": None,
        "answers": [["327 metres", "327 m"]],
        "evidence": [{"group": "g1", **place, "quote": QUOTE, "status": "unchanged"}],
        "near": None,
        "answer": f"{QUOTE} [1]",
        "withheld": "",
        "abstained": False,
        "confidence": 0.75,
        "short": None,
        "sentences": [{"text": QUOTE, "citations": [1], "verdict": "verified"}],
        "citations": [
            {"n": 1, **place, "title": "Salt", "quote": QUOTE, "locator": None, "verdict": "verified"}
        ],
        "passages": [{**place, "score": 0.9}, {"doc": "tea.md", "start": 0, "end": 21, "score": 0.1}],
        "ranking": ["salt.md", "tea.md"],
        "warnings": [],
        "scores": {measure.name: 1.0 for measure in MEASURES},
        "stage": "right",
        **parts,
    }


def wrong(name: str, stage: str = "answered wrong", **parts: Any) -> Report:
    scores = {measure.name: 0.0 for measure in MEASURES}
    return item(name, stage=stage, scores=scores, answer="It is steamed.", **parts)


def report(*items: Report, texts: dict[str, str] = TEXTS) -> Report:
    """A report of these items."""
    names = ("always abstain", "whole context", "random passage", "oracle evidence")
    metric = {"value": 0.5, "low": 0.4, "high": 0.6, "interval": "wilson", "n": len(items), "na": 0}
    return {
        "schema": SCHEMA,
        "scoring": 1,
        "gold": {
            **{"name": "mines", "digest": "g", "tags": [], "limit": None},
            **{"items": len(items), "of": len(items)},
        },
        "system": {
            **{"index": "i" * 64, "documents": 2, "chunks": 2, "encoder": "letters"},
            **{"encoder_fingerprint": "e", "backend": "extractive", "prompt": "p", "calibration": "c"},
            **{"settings": {"top_k": 8}, "code": "x", "models": [], "judge": "lexical-1"},
        },
        "headline": list(HEADLINE),
        "gated": list(GATED),
        "metrics": {
            measure.name: {
                **{"group": measure.group, "title": measure.title, "about": measure.about},
                **{"better": measure.better, **metric},
                "references": dict.fromkeys(names, 0.25),
            }
            for measure in MEASURES
        },
        "stages": {name: sum(each["stage"] == name for each in items) for name in STAGES},
        "risk_coverage": [[0.5, 0.0], [1.0, 0.5]],
        "documents": {doc: {"sha256": "s", "sentences": ["a"]} for doc in texts},
        "items": list(items),
    }


def timings(of: Report) -> Report:
    """Timings in which the nth question took n + 10 ms."""
    taken = {each["id"]: {"total": n + 10.0} for n, each in enumerate(of["items"])}
    return {**TIMINGS, "items": taken}


def flipped() -> tuple[Report, Report, Report]:
    """A base, a new run that lost one item and won another, and their comparison."""
    base = report(item("a"), wrong("b"), item("c"))
    new = report(wrong("a"), item("b"), item("c"))
    new["system"]["code"] = "y"
    new["documents"]["salt.md"]["sha256"] = "t"
    return base, new, compare(base, new)


def hostile() -> Report:
    """A report in which all that comes from outside is hostile."""
    text = f"Before. {HOSTILE} After."
    place = {"doc": HOSTILE, "start": 8, "end": 8 + len(HOSTILE)}
    citation = {"n": 1, **place, "title": HOSTILE, "quote": HOSTILE, "locator": HOSTILE}
    bad = wrong(
        HOSTILE,
        question=HOSTILE,
        tags=[HOSTILE],
        history=[{"role": "user", "content": HOSTILE}],
        answers=[[HOSTILE, HOSTILE]],
        evidence=[{"group": "g", **place, "quote": HOSTILE, "status": "unchanged"}],
        withheld=HOSTILE,
        citations=[{**citation, "verdict": "unsupported"}],
        sentences=[{"text": HOSTILE, "citations": [1], "verdict": "unsupported"}],
        passages=[{**place, "score": 0.5}],
        warnings=[HOSTILE],
    )
    bad["answer"] = f"{HOSTILE} [1] [7]"
    made = report(bad, item("fine"), texts={HOSTILE: text})
    made["gold"]["name"] = HOSTILE
    made["system"]["backend"] = HOSTILE
    made["system"]["settings"] = {HOSTILE: HOSTILE}
    made["metrics"]["correct"]["title"] = HOSTILE
    made["metrics"]["correct"]["about"] = HOSTILE
    return made


def hostile_texts() -> dict[str, str]:
    return {**TEXTS, HOSTILE: f"Before. {HOSTILE} After."}


def hostile_comparison() -> Report:
    new = hostile()
    base = copy.deepcopy(new)
    base["items"][0]["scores"]["correct"] = 1.0
    base["system"]["settings"] = {HOSTILE: "before"}
    return compare(base, new)


def test_the_schemas_beside_the_code_are_up_to_date() -> None:
    for path, schema in SCHEMAS.items():
        written = path.read_text(encoding="utf-8")
        assert written == text_of(schema()), "run `python -m eval.report.schemas`"
        jsonschema.Draft202012Validator.check_schema(json.loads(written))
    assert SCHEMA == RUN_SCHEMA


def valid(value: Any, name: str) -> None:
    schema = json.loads((ROOT / "eval" / "report" / name).read_text(encoding="utf-8"))
    assert schema["additionalProperties"] is False
    jsonschema.Draft202012Validator(schema).validate(value)


def test_gold_fits_its_schema() -> None:
    folder = ROOT / "eval" / "gold"
    schema = json.loads((folder / "gold.schema.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator(schema)
    for line in (folder / "seeds.jsonl").read_text(encoding="utf-8").splitlines():
        checker.validate(json.loads(line))


def test_a_real_report_fits_its_schema_and_can_be_written(eval_cache: Path, tmp_path: Path) -> None:
    gold = read_gold(ROOT / "eval" / "gold" / "seeds.jsonl")
    system = open_system(gold, Settings.load(), ROOT / "seeds")
    outcome = run(gold, system, LexicalJudge(), limit=16)
    valid(json.loads(dump(outcome.report)), "report.schema.json")
    write(tmp_path / "out", outcome.report, outcome.timings, None, system.texts)
    assert read_report(tmp_path / "out") == json.loads(dump(outcome.report))
    for found, window in quotes(outcome.report, system.texts):
        assert found == window


def quotes(of: Report, texts: dict[str, str]) -> list[tuple[str, str]]:
    """Each quote, and what the page's script would mark as that, cutting UTF-16."""
    data = page_data(of, {}, None, texts)
    pairs = []
    for each, shown in zip(of["items"], data["items"], strict=True):
        said = {citation["n"]: citation["quote"] for citation in each["citations"]}
        for context in shown["contexts"]:
            units = data["pieces"][context["piece"]].encode("utf-16-le")
            at, marked = context["at"], dict.fromkeys(range(len(context["marks"])), "")
            for length, _, mark in context["runs"]:
                if mark >= 0:
                    marked[mark] += units[2 * at : 2 * (at + length)].decode("utf-16-le")
                at += length
            pairs += [(said[n], marked[m]) for m, ns in enumerate(context["marks"]) for n in ns]
    return pairs


def test_made_reports_and_comparisons_fit_their_schemas() -> None:
    _, new, comparison = flipped()
    valid(new, "report.schema.json")
    valid(comparison, "comparison.schema.json")
    valid(hostile(), "report.schema.json")
    valid(hostile_comparison(), "comparison.schema.json")


def test_equal_reports_are_equal_bytes_whatever_the_order_of_their_keys() -> None:
    one = report(item("a"), wrong("b"))
    other = json.loads(json.dumps(one, sort_keys=True))
    other["items"] = [dict(reversed(each.items())) for each in other["items"]]
    assert dump(one) == dump(other)
    assert digest(one) == digest(other)
    assert json.loads(dump(one)) == one
    assert dump(json.loads(dump(one))) == dump(one)
    assert digest(report(item("a"), item("b"))) != digest(one)


def test_a_changed_item_is_a_few_lines_of_a_diff() -> None:
    before, after = (
        dump(made).decode().splitlines()
        for made in (report(item("a"), item("b")), report(item("a"), wrong("b")))
    )
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    keys = [line.strip().split('"')[1] for line in changed]
    assert keys == ["answer", "scores", "stage", "answered wrong", "right"]
    assert all(line.startswith(" ") or line in "{}" for line in after)


def test_text_stands_as_it_is_and_lone_surrogates_survive() -> None:
    made = report(item("ü", answer="naïve 🧂 \ud83d"))
    assert "naïve 🧂 \\ud83d" in dump(made).decode("utf-8")
    assert dump(made).endswith(b"}\n")
    assert json.loads(dump(made)) == made


def test_lone_surrogates_stop_no_report(tmp_path: Path) -> None:
    made = report(wrong("\ud83d", question="\ud83d?"))
    base = report(item("\ud83d", question="\ud83d?"))
    write(tmp_path / "out", made, timings(made), compare(base, made), TEXTS)
    assert read_report(tmp_path / "out") == made
    assert "?" in summary(made, timings(made), compare(base, made))


def test_a_report_is_written_and_read(tmp_path: Path) -> None:
    _, new, comparison = flipped()
    folder = tmp_path / "reports" / "1a2b-3c"
    write(folder, new, timings(new), comparison, TEXTS)
    names = {path.name for path in folder.iterdir()}
    whole = {"report.json", "report.md", "junit.xml", "index.html", "timings.json", "comparison.json"}
    assert names == whole
    assert read_report(folder) == read_report(folder / "report.json") == new
    assert json.loads((folder / "comparison.json").read_bytes()) == comparison
    write(folder, new, timings(new), None, TEXTS)
    assert {path.name for path in folder.iterdir()} == whole - {"comparison.json"}
    assert [path.name for path in folder.parent.iterdir()] == ["1a2b-3c"]
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777


def test_a_crash_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = report(item("a"))

    def crash(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", crash)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out", made, timings(made), None, TEXTS)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    write(tmp_path / "out", made, timings(made), None, TEXTS)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    monkeypatch.setattr(files, "page", crash)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out", made, timings(made), None, TEXTS)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_the_newest_report_is_the_one_that_was_begun_last(tmp_path: Path) -> None:
    made = report(item("a"))
    for name, started in (("b", "2026-03-04T05:06:09+00:00"), ("a", "2026-03-04T07:06:10+02:00")):
        write(tmp_path / name, made, {**timings(made), "started": started}, None, TEXTS)
    assert newest(tmp_path) == tmp_path / "a"
    (tmp_path / "untimed").mkdir()
    (tmp_path / "untimed" / "report.json").write_bytes(dump(made))
    os.utime(tmp_path / "untimed" / "report.json", (1, 1))
    assert newest(tmp_path) == tmp_path / "a"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReportError, match=r"holds no report"):
        newest(tmp_path / "empty")


def without(key: str) -> Report:
    made = report(item("a"))
    del made["items"][0][key]
    return made


def with_(**parts: Any) -> Report:
    return {**report(item("a")), **parts}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no report of an eval run"),
        (b"{broken", "is no report of an eval run"),
        (b"\xff\xfe\xfa", "is no report of an eval run"),
        (b'{"a": 1}\n{"a": 2}\n', "is no report of an eval run"),
        (b"[1]", "is no report of an eval run."),
        (b'{"id": "a"}', "is no report of an eval run."),
        (b"[" * 100_000, "nested too deeply"),
        (dump(with_(schema=2)), "has schema 2"),
        (dump(with_(schema=1, items=None)), "is a damaged report: items: "),
        (dump(without("scores")), "items.0.scores: Field required"),
        (dump(without("passages")), "items.0.passages: Field required"),
        (dump(report(item("a", confidence=2))), "items.0.confidence"),
        (dump(report(item("a", more=1))), "items.0.more"),
        (dump(report(item("a"), item("a"))), "two items are called 'a'"),
        (dump(report(item("a", stage="lunch"))), "an unknown stage, 'lunch'"),
        (dump(report(item("a", scores={"charm": 1}))), "an unknown metric, 'charm'"),
        (dump(with_(headline=["charm"])), "it measures no 'charm'"),
    ],
)
def test_what_is_no_report_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ReportError) as caught:
        read_report(tmp_path / "x.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_missing_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"There is no report at .*report\.json\."):
        read_report(tmp_path)
    with pytest.raises(ReportError, match=r"no\.json"):
        read_report(tmp_path / "no.json")


def test_the_summary_says_the_verdict_first_then_what_was_lost() -> None:
    _, new, comparison = flipped()
    said = summary(new, timings(new), comparison)
    lines = said.splitlines()
    assert lines[0].startswith("INCONCLUSIVE")
    assert "3 questions compared: 1 lost, 1 won" in lines
    order = ["lost  a: answered wrong", "won   b: right", "Right  ", "always abstain", "latency: p50"]
    assert sorted(order, key=said.index) == order
    assert "seeds: salt.md was edited; code was x, is y" in said
    assert "  edited" in said
    assert all(len(line) <= 100 for line in lines)
    assert said.index("Abstained, rightly") < said.index("retrieval\n")


def test_a_summary_needs_neither_timings_nor_a_comparison() -> None:
    said = summary(report(item("a")), None, None)
    assert "latency" not in said
    assert said.startswith("gold     mines, 1 questions") or said.startswith(
        "gold     mines, 1 question"
    )


def test_a_fail_names_the_loss() -> None:
    base = report(*(item(f"q{n}", evidence=[], near=f"d{n}") for n in range(40)))
    new = report(*(wrong(f"q{n}", evidence=[], near=f"d{n}") for n in range(40)))
    said = summary(new, None, compare(base, new)).splitlines()[0]
    assert said.startswith("FAIL  Right fell by 1.000 (95 % −1.000 to −0.")
    assert "p < 0.001" in said


def test_nothing_from_outside_steers_the_terminal() -> None:
    said = summary(hostile(), timings(hostile()), hostile_comparison())
    assert "\x1b" not in said
    assert one_line("a\u202eb\x00\n c", 4) == "a b…"


def test_scores_that_a_useless_system_reaches_are_pointed_out() -> None:
    metric = report(item("a"))["metrics"]["correct"]
    assert rivals(metric) == []
    assert rivals({**metric, "value": 0.25}) == ["always abstain", "random passage", "whole context"]
    assert rivals({**metric, "better": "lower"}) != []
    assert rivals({**metric, "better": None, "value": 0.0}) == []
    assert rivals({**metric, "value": None}) == []


def test_junit_holds_every_item_and_why_it_failed() -> None:
    _, new, comparison = flipped()
    new["items"] += [wrong("d", "not judged"), wrong("e", "wrongly answered", answerable=False)]
    new["items"][4]["answers"] = []
    suite = ElementTree.fromstring(junit(new, timings(new), comparison))[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        **{"tests": "5", "failures": "2", "skipped": "1", "errors": "0"}
    }
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert cases["a"].get("classname") == "mines.number"
    assert cases["a"].get("time") == "0.010"
    failure = cases["a"].find("failure")
    assert failure is not None
    assert failure.get("type") == "answered wrong"
    for said in ("How deep is the mine of a?", "327 metres or 327 m", "It is steamed.", "code was x"):
        assert said in (failure.text or "")
    assert "abstention" in (cases["e"].findtext("failure") or "")
    assert cases["d"].find("skipped") is not None
    assert len(cases["b"]) == len(cases["c"]) == 0


def test_junit_is_well_formed_whatever_stands_in_it() -> None:
    illegal = "a\x00\x0b\x1f\ud800\ufffe\uffff & <b> ]]> \U0001f9c2 é"
    made = report(wrong(illegal, question=illegal, tags=[illegal], withheld=illegal))
    case = ElementTree.fromstring(junit(made, timings(made), None)).find(".//testcase")
    assert case is not None
    assert "& <b> ]]> \U0001f9c2 é" in str(case.get("name"))
    assert "\x00" not in str(case.get("name"))


def test_markdown_shows_text_as_it_is() -> None:
    assert escaped("a|b *c* <img> [d](e) `f` @me x@y $z$ #1\nnew") == (
        r"a\|b \*c\* \<img\> \[d\](e) \`f\` " + "@\u200bme x@y \\$z\\$ \\#1 new"
    )
    said = markdown(hostile(), hostile_comparison())
    assert "<img" not in said.replace(r"\<img", "")
    assert "\x1b" not in said
    for line in said.splitlines():
        if line.startswith("|"):
            assert line.replace(r"\|", "").endswith("|")


def test_markdown_says_what_a_reviewer_must_know() -> None:
    _, new, comparison = flipped()
    said = markdown(new, comparison)
    for part in ("❔ INCONCLUSIVE", "### Flips", "| Right | edited |", "<details>", "oracle evidence"):
        assert part in said
    counts = [len(new["items"]), sum(item["stage"] == "right" for item in new["items"])]
    turned = [sum(flip["direction"] == way for flip in comparison["flips"]) for way in ("lost", "won")]
    assert f"| number | {' | '.join(map(str, counts + turned))} |" in said
    assert f"| number | {counts[0]} | {counts[1]} |  |  |" in markdown(new, None)
    tables = [line for line in said.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert said.index("**lost**") < said.index("**won**") < said.index("All metrics")


def test_what_the_page_marks_is_what_was_quoted() -> None:
    assert quotes(report(item("a")), TEXTS) == [(QUOTE, QUOTE)]
    assert utf16("🧂a") == 3
    assert utf16("\ud83d") == 1


def test_a_window_reaches_around_what_it_shows_and_begins_with_a_word() -> None:
    (window,) = windows(item("a"), TEXTS)
    text = TEXTS["salt.md"]
    assert START - AROUND <= window.start < START
    assert text[window.start - 1] == " "
    assert START + len(QUOTE) < window.end <= START + len(QUOTE) + AROUND
    assert (
        "".join(text[start:end] for start, end, _, _ in window.runs())
        == text[window.start : window.end]
    )


def test_overlapping_citations_become_one_mark_with_both_numbers() -> None:
    one = item("a")
    first = one["citations"][0]
    one["citations"] += [{**first, "n": 2, "start": START + 4, "end": START + 60}]
    (window,) = windows(one, TEXTS)
    (mark,) = window.marks
    assert (mark.start, mark.end, mark.numbers) == (START, START + 60, (1, 2))


def test_text_is_kept_once_however_many_items_show_it() -> None:
    many = report(*(item(f"q{n}") for n in range(50)))
    assert (
        page_data(many, {}, None, TEXTS)["pieces"]
        == page_data(report(item("a")), {}, None, TEXTS)["pieces"]
    )


def test_what_stands_nowhere_is_shown_without_a_context() -> None:
    nowhere = {"start": None, "end": None}
    lost = item(
        "a",
        evidence=[{"group": "g", "doc": "gone.md", **nowhere, "quote": "gone", "status": "stale"}],
        citations=[
            {"n": 1, "doc": None, **nowhere, "title": "", "quote": None, "locator": None}
            | {"verdict": "not_found"}
        ],
    )
    (shown,) = page_data(report(lost), {}, None, TEXTS)["items"]
    assert shown["contexts"] == []
    assert shown["evidence"][0]["quote"] == "gone"
