"""The page as people meet it: opened from its file in a real browser, and reaching for nothing."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from eval.report import write
from tests.test_report import (
    HOSTILE,
    QUOTE,
    TEXTS,
    Report,
    flipped,
    hostile,
    hostile_comparison,
    hostile_texts,
    item,
    report,
    timings,
    wrong,
)

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's page; whatever it complained of or reached for fails the test."""
    trouble: list[str] = []
    address = (tmp_path / "out" / "index.html").as_uri()

    def open_page(
        made: Report,
        comparison: Report | None = None,
        texts: dict[str, str] = TEXTS,
        hash: str = "",
        width: int = 1280,
    ) -> Page:
        write(tmp_path / "out", made, timings(made), comparison, texts)
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
        page.on("console", lambda said: trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda sent: None if sent.url == address else trouble.append(sent.url))
        page.goto(address + hash)
        return page

    yield open_page
    for context in browser.contexts:
        context.close()
    assert trouble == []


def counted(page: Page, said: str) -> None:
    expect(page.locator("#count")).to_have_text(said)


def test_it_shows_what_was_measured_and_every_metric(opened: Open) -> None:
    page = opened(report(item("a"), wrong("b")))
    expect(page.locator("h1")).to_have_text("1 of 2 questions came out right.")
    expect(page.locator(".facts")).to_contain_text("1a2b3c4")
    expect(page.locator(".card")).to_have_count(6)
    expect(page.locator(".card .reference")).to_have_count(24)
    expect(page.locator(".metrics tbody tr:not(.group)")).to_have_count(33)
    expect(page.locator(".chart")).to_have_count(2)
    counted(page, "2 of 2 questions")


def test_it_is_filtered_by_words_stage_tag_kind_and_flip(opened: Open) -> None:
    _, new, comparison = flipped()
    new["items"].append(
        wrong("d", "wrongly answered", answerable=False, answers=[], tags=["none"], question="Why?")
    )
    new["stages"]["wrongly answered"] = 1
    page = opened(new, comparison)
    counted(page, "4 of 4 questions")
    page.fill("#find", "mine of e?")
    counted(page, "0 of 4 questions")
    page.fill("#find", "C? mine")
    counted(page, "1 of 4 questions")
    page.click("#clear")
    for field, value, count in (
        *(("by-stage", "*", 2), ("by-stage", "right", 2), ("by-tag", "none", 1)),
        *(("by-kind", "yes", 3), ("by-flip", "lost", 1), ("by-flip", "*", 2)),
    ):
        page.select_option(f"#{field}", value)
        counted(page, f"{count} of 4 questions")
        page.click("#clear")
    page.click(".stage-bar[data-stage='wrongly answered']")
    counted(page, "1 of 4 questions")
    expect(page.locator(".stage-bar[aria-pressed='true']")).to_have_count(1)
    page.click(".stage-bar[data-stage='wrongly answered']")
    counted(page, "4 of 4 questions")


def test_it_is_ordered(opened: Open) -> None:
    page = opened(report(item("a", confidence=0.5), item("b", confidence=0.1), item("c")))
    first = page.locator(".item .question").first
    for order, name in (("unsure", "b"), ("sure", "c"), ("slow", "c"), ("words", "a"), ("", "a")):
        page.select_option("#order", order)
        expect(first).to_have_text(f"How deep is the mine of {name}?")


def test_a_question_opens_with_its_citation_and_evidence_marked(opened: Open) -> None:
    part = {"group": "g1", "doc": "salt.md", "status": "unchanged"}
    start = TEXTS["salt.md"].index("327 metres")
    proof = {**part, "start": start, "end": start + 10, "quote": "327 metres"}
    page = opened(report(item("a"), item("b", evidence=[proof])))
    row = page.locator(".item").nth(1)
    row.locator(".row").click()
    expect(row.locator("mark[data-n]")).to_have_text(QUOTE)
    expect(row.locator("mark .evidence")).to_have_text("327 metres")
    expect(row.locator(".context")).to_contain_text("🧂🧂 Salt is mined. The mine is")
    expect(row.locator(".expected")).to_contain_text("327 metres")
    expect(row.locator(".passages li").first).to_contain_text("cited")
    expect(row.locator(".row")).to_have_attribute("aria-expanded", "true")
    row.get_by_role("button", name="Show citation 1").click()
    expect(row.locator("mark[data-n]")).to_be_focused()
    row.locator(".row").click()
    expect(page.locator(".detail")).to_have_count(0)


def test_a_question_has_an_address(opened: Open) -> None:
    made = report(*(item(f"q{n}") for n in range(300)), wrong("wo ist's?#%", withheld="It is hot."))
    page = opened(made, hash="#wo%20ist's%3F%23%25")
    expect(page.locator(".detail .withheld")).to_have_text("It is hot.")
    expect(page.locator(".item:has(.detail) .row")).to_be_focused()
    page.fill("#find", "q7")
    counted(page, "11 of 301 questions")
    page.goto(page.url.partition("#")[0] + "#q299")
    expect(page.locator(".item:has(.detail) .question")).to_have_text("How deep is the mine of q299?")
    counted(page, "301 of 301 questions")


def test_a_flip_leads_to_its_question(opened: Open) -> None:
    _, new, comparison = flipped()
    page = opened(new, comparison)
    expect(page.locator("h1")).to_contain_text("No loss is proven")
    expect(page.locator(".gates tbody")).to_have_count(4)
    expect(page.locator(".flip .cause").first).to_contain_text("salt.md was edited")
    page.locator(".flip.lost a").click()
    expect(page.locator(".item .detail h4").first).to_have_text("Lost: it was right in the base")


def test_keys_are_enough(opened: Open) -> None:
    page = opened(report(item("a"), item("b")))
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.locator(".row").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".detail")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)


def test_dark_and_light_are_told_apart_and_remembered(opened: Open) -> None:
    page = opened(report(item("a")))
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    expect(page.locator("#theme")).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert brightness(dark) < 60 < 200 < brightness(light)
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.click("#theme")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def brightness(colour: str) -> float:
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


def test_hostile_text_is_only_text(opened: Open) -> None:
    page = opened(hostile(), hostile_comparison(), hostile_texts())
    page.locator(".row").first.click()
    expect(page.locator(".question").first).to_have_text(HOSTILE, use_inner_text=False)
    expect(page.locator("mark[data-n]")).to_have_text(HOSTILE)
    assert page.evaluate("[window.hacked === undefined, document.images.length]") == [True, 0]
    assert page.locator("script").count() == 2
    expect(page.locator("body b img, a[href^='javascript']")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 768])
def test_nothing_overflows_on_a_small_screen(opened: Open, width: int) -> None:
    _, new, comparison = flipped()
    long = wrong("x" * 200, question="y" * 300, tags=["z" * 80], answers=[["w" * 300]])
    new["items"] += [long]
    for made, compared, texts in (
        (new, comparison, TEXTS),
        (hostile(), hostile_comparison(), hostile_texts()),
    ):
        page = opened(made, compared, texts, width=width)
        for row in page.locator(".row").all():
            row.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_five_thousand_questions_stay_quick(opened: Open, tmp_path: Path) -> None:
    made = report(*(item(f"q{n}") for n in range(5000)))
    page = opened(made)
    assert (tmp_path / "out" / "index.html").stat().st_size < 25_000_000
    counted(page, "5,000 of 5,000 questions")
    expect(page.locator(".item")).to_have_count(60)
    began = time.perf_counter()
    page.fill("#find", "q4999")
    counted(page, "1 of 5,000 questions")
    assert time.perf_counter() - began < 1
    page.click("#clear")
    page.locator("#more").scroll_into_view_if_needed()
    expect(page.locator(".item")).not_to_have_count(60)


def test_the_page_forbids_itself_the_network(opened: Open) -> None:
    page = opened(report(item("a")))
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http:" not in page.content().replace("http://y", "")
    assert "https:" not in page.content()
