"""A report as JUnit XML, one test case for each item, for what shows test results."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from eval.report import shown
from eval.report.shown import Json

FINE = "right"
UNKNOWN = "not judged"
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped (section 2.2)."""


def junit(report: Json, timings: Json | None, comparison: Json | None) -> bytes:
    """Return a suite in which each wrong item fails, and what words cannot judge is skipped."""
    items = report["items"]
    counts = {
        "tests": len(items),
        "failures": sum(item["stage"] not in (FINE, UNKNOWN) for item in items),
        "skipped": sum(item["stage"] == UNKNOWN for item in items),
        "errors": 0,
    }
    flips = {flip["id"]: flip for flip in comparison["flips"]} if comparison else {}
    known: Json = timings or {}
    times = {id: part["total"] / 1000 for id, part in known.get("items", {}).items()}
    about = {"name": report["gold"]["name"], **counts, "time": f"{sum(times.values()):.3f}"}
    root = _element(None, "testsuites", about)
    started = {"timestamp": known["started"]} if known.get("started") else {}
    suite = _element(root, "testsuite", {**about, **started})
    properties = _element(suite, "properties")
    for name, value in shown.measured(report):
        _element(properties, "property", {"name": name, "value": value})
    for item in items:
        _case(suite, item, report["gold"]["name"], times.get(item["id"]), flips.get(item["id"]))
    ElementTree.indent(root, " ")
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(
    suite: ElementTree.Element, item: Json, gold: str, seconds: float | None, flip: Json | None
) -> None:
    group = ".".join([gold, *item["tags"][:1]])
    time = {} if seconds is None else {"time": f"{seconds:.3f}"}
    case = _element(suite, "testcase", {"classname": group, "name": item["id"], **time})
    if item["stage"] == UNKNOWN:
        _element(case, "skipped", {"message": "words alone cannot tell whether it is right"})
    elif item["stage"] != FINE:
        message = f"{item['stage']}: {item['question']}"
        failure = _element(case, "failure", {"type": item["stage"], "message": message})
        failure.text = _legal(_failure(item, flip))


def _failure(item: Json, flip: Json | None) -> str:
    lines = [f"question: {item['question']}", f"expected: {_expected(item)}"]
    lines.append(f"got: {item['answer']}")
    if item["withheld"]:
        lines.append(f"withheld: {item['withheld']}")
    lines += [f"cited: {each['doc']}: {each['quote']}" for each in item["citations"]]
    lines.append(f"stage: {item['stage']}")
    lines.append(f"confidence: {item['confidence']}")
    if flip:
        lines += [f"{flip['direction']} through {cause}" for cause in shown.causes(flip)]
    return "\n".join(lines)


def _expected(item: Json) -> str:
    if not item["answerable"]:
        return "an abstention, as the documents do not say"
    return ", and ".join(" or ".join(wordings) for wordings in item["answers"])


def _element(
    parent: ElementTree.Element | None, name: str, values: Mapping[str, Any] | None = None
) -> ElementTree.Element:
    attributes = {key: _legal(str(value)) for key, value in (values or {}).items()}
    if parent is None:
        return ElementTree.Element(name, attributes)
    return ElementTree.SubElement(parent, name, attributes)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
