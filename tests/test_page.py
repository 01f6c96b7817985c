"""The page and the reference as people meet them: a real service, driven in a real browser."""

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from api.app import create_app
from api.page.curl import curl_lines
from api.page.files import FOLDER
from api.page.reference import Kind, kind_of
from api.problems import CODES, MEDIA_TYPE, ProblemError
from rag.build import build_index
from rag.config import CollectionPaths, Settings
from rag.protocols import Encoder
from rag.store import IndexDirectory
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

RELEASED = "How many people walked free on 16 September?"
CUP = "Who won the 2018 World Cup?"
PRISONERS = "How many political prisoners has Belarus released in the past three months?"
SAID = (
    "Belarus has let roughly 110 political prisoners go. [1] "
    "The political prisoners flew to the moon. [1] "
    "Belarus did not release them all at once. [9]"
)
"""What the slow model says: something borne out, something not, and a marker of nothing."""

HOSTILE = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>'
ODD = {
    "salt.md": "# Salt 🧂👩‍🚀\n\n🧂🧂🧂 Pepper is black. "
    "The salt mine of 𝔚ieliczka is 327 metres deep. 🧂 It is old.\n",
    "hostile.md": f"# Hostile {HOSTILE}\n\nThe password of the gate is {HOSTILE} swordfish.\n",
    "hebrew.md": "# מלח\n\nמכרה המלח עמוק מאוד. עומקו 300 מטרים.\n",
}


@dataclass
class Site:
    """A service on a port, and where it keeps what people say of its answers."""

    url: str
    feedback: Path


@dataclass
class Visit:
    """Opens pages; whatever they complain of or reach for, and was not expected, is trouble."""

    browser: Browser
    url: str
    expected: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def open(self, path: str = "", width: int = 1280, scheme: Any = "light", **more: Any) -> Page:
        size: Any = {"width": width, "height": 900}
        context = self.browser.new_context(viewport=size, color_scheme=scheme, **more)
        page = context.new_page()
        page.on("console", lambda said: self._note(said.text))
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", lambda sent: None if sent.url.startswith(self.url) else self._note(sent.url))
        page.goto(self.url + path)
        return page

    def _note(self, said: str) -> None:
        if not any(each in said for each in self.expected):
            self.trouble.append(said)


class SlowModel(BaseHTTPRequestHandler):
    """Speaks as a chat model does, a word at a time."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in SAID.split(" "):
            chunk = {"choices": [{"index": 0, "delta": {"content": f"{word} "}}]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.03)
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    config = uvicorn.Config(create_app(settings), "127.0.0.1", 0, log_config=None, server_header=False)
    server = uvicorn.Server(config)
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = server.force_exit = True
    running.join()


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), SlowModel) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, minilm: Encoder) -> CollectionPaths:
    """A collection of documents that a careless page would stumble over."""
    folder = tmp_path_factory.mktemp("odd")
    for name, text in ODD.items():
        (folder / "seeds").mkdir(exist_ok=True)
        (folder / "seeds" / name).write_text(text)
    build_index(IndexDirectory(folder / "index"), [folder / "seeds"], minilm, Settings())
    return CollectionPaths(index=folder / "index", seeds=folder / "seeds")


@pytest.fixture(scope="module")
def site(
    seed_index: Path, odd: CollectionPaths, model: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    feedback = tmp_path_factory.mktemp("said") / "feedback.jsonl"
    settings = Settings(
        index=seed_index,
        collections={"odd": odd},
        backends=("openai:slow",),
        openai_base_url=model,
        feedback=feedback,
    )
    with served(settings) as url:
        yield Site(url, feedback)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    visiting = Visit(browser, site.url)
    yield visiting
    for context in browser.contexts:
        context.close()
    assert visiting.trouble == []


def ask(page: Page, question: str) -> dict[str, Any]:
    """Ask, wait until the answer stands, and return its JSON as the page received it."""
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn:last-child .facts", state="attached")
    answer: dict[str, Any] = page.evaluate(
        "import('/static/store.js').then(s => s.asked().at(-1).answer)"
    )
    return answer


def state(page: Page, said: str) -> None:
    expect(page.locator("#state")).to_have_text(said)


# Asking


@needs_chromium
def test_a_question_is_answered_and_its_citation_leads_to_the_exact_characters(visit: Visit) -> None:
    page = visit.open()
    expect(page.locator("#documents li")).to_have_count(10)
    answer = ask(page, RELEASED)
    state(page, "Answer complete, 1 citation")
    expect(page.locator(".question")).to_have_text(RELEASED)
    expect(page.locator(".answer .sentence")).to_have_text(answer["sentences"][0]["text"])
    expect(page.locator(".answer mark.short")).to_have_text(answer["short"]["text"])
    expect(page.locator(".sources .verdict")).to_have_text("verified")
    expect(page.locator(".facts .number")).to_have_text(f"{answer['confidence']:.2f}")
    expect(page.locator(".facts .backend")).to_have_text("extractive")
    page.get_by_role("button", name="Citation 1, verified").click()
    citation = answer["citations"][0]
    mark = page.locator("#source mark")
    expect(mark).to_be_in_viewport()
    assert mark.text_content() == citation["quote"]
    seed = (ROOT / "seeds" / citation["doc"]).read_text()
    assert seed[citation["start"] : citation["end"]] == citation["quote"]
    expect(page.locator("#source-title")).to_have_text(citation["title"])
    expect(page.locator("#source-place")).to_contain_text(
        f"{citation['doc']}, characters {citation['start']}–{citation['end']} of"
    )
    before = page.locator("#source-text").evaluate("node => node.textContent.length")
    page.get_by_role("button", name="Whole document").click()
    expect(page.locator("#source-whole")).to_be_hidden()
    assert page.locator("#source-text").evaluate("node => node.textContent.length") > before
    assert mark.text_content() == citation["quote"]


@needs_chromium
def test_the_text_grows_before_the_answer_is_checked(visit: Visit) -> None:
    page = visit.open()
    page.select_option("#backend", "openai:slow")
    page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const answer = document.querySelector(".answer");
            if (answer && !document.querySelector(".facts")) window.seen.push(answer.textContent);
          }).observe(document.body, { childList: true, subtree: true, characterData: true });
        }"""
    )
    answer = ask(page, PRISONERS)
    grown = page.evaluate("[...new Set(window.seen)].filter(Boolean)")
    assert len(grown) > 5
    assert all(longer.startswith(shorter) for shorter, longer in pairwise(grown))
    assert [each["verdict"] for each in answer["sentences"]] == [
        *("verified", "unsupported", "not_found")
    ]
    expect(page.locator(".answer .chip")).to_have_text(
        ["[1]verified", "[2]unsupported", "[3]not found"]
    )
    page.locator(".chip").nth(2).click()
    expect(page.locator("#source-trouble")).to_contain_text("names no passage")
    expect(page.locator(".facts .backend")).to_have_text("openai:slow")


@needs_chromium
def test_an_answer_is_stopped_and_the_question_kept(visit: Visit) -> None:
    page = visit.open()
    page.select_option("#backend", "openai:slow")
    page.fill("#question", PRISONERS)
    page.click("#send")
    expect(page.locator(".answer")).not_to_be_empty()
    page.click("#stop")
    state(page, "Stopped")
    expect(page.locator(".failed")).to_contain_text("was not checked")
    expect(page.locator("#question")).to_have_value(PRISONERS)
    expect(page.locator("#send")).to_be_visible()


@needs_chromium
def test_what_the_documents_do_not_answer_is_said_as_plainly(visit: Visit) -> None:
    page = visit.open()
    answer = ask(page, CUP)
    assert answer["abstained"]
    state(page, "Not answered by these documents")
    expect(page.get_by_role("heading", name="Not answered by these documents")).to_be_visible()
    expect(page.locator(".passages li")).to_have_count(len(answer["passages"]))
    expect(page.locator(".passages li").first).to_be_visible()
    expect(page.locator(".signals").first).to_contain_text(f"{answer['passages'][0]['score']:.3f}")
    page.locator(".passages .link").first.click()
    expect(page.locator("#source mark")).to_have_text(answer["passages"][0]["text"])


@needs_chromium
def test_a_follow_up_takes_the_conversation_along(visit: Visit) -> None:
    page = visit.open()
    bodies: list[Any] = []
    page.on("request", lambda sent: bodies.append(sent.post_data_json) if "/ask" in sent.url else None)
    first = ask(page, RELEASED)
    for _ in range(6):
        ask(page, "And who was freed?")
    assert [len(body["history"]) for body in bodies] == [0, 2, 4, 6, 8, 10, 10]
    assert bodies[1]["history"] == [
        {"role": "user", "content": RELEASED},
        {"role": "assistant", "content": first["answer"]},
    ]
    page.click("#new")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question")).to_be_focused()
    ask(page, RELEASED)
    assert bodies[-1]["history"] == []


@needs_chromium
def test_questions_of_this_visit_are_shown_again(visit: Visit) -> None:
    page = visit.open()
    ask(page, RELEASED)
    page.click("#new")
    ask(page, CUP)
    page.reload()
    page.click("#past")
    expect(page.locator("#questions li")).to_have_text([f"{CUP}not answered", RELEASED])
    page.get_by_role("button", name=RELEASED).click()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".question")).to_be_focused()
    expect(page.locator(".answer")).to_contain_text("thirty-seven")
    page.locator(".chip").click()
    expect(page.locator("#source mark")).to_contain_text("thirty-seven")
    page.click("#past")
    page.click("#forget")
    expect(page.locator("#past")).to_be_hidden()


@needs_chromium
def test_it_works_where_nothing_can_be_stored(visit: Visit) -> None:
    page = visit.open("docs")
    page.context.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"])
             Object.defineProperty(window, name, { get() { throw new Error("forbidden"); } });"""
    )
    page.goto(visit.url)
    page.click("#theme")
    ask(page, RELEASED)
    page.click("#past")
    expect(page.locator("#questions li")).to_have_text([RELEASED])


# Documents that are hard to show


@needs_chromium
def test_code_points_are_counted_where_the_text_has_others(visit: Visit) -> None:
    page = visit.open()
    page.select_option("#collection", "odd")
    expect(page.locator("#documents li")).to_have_count(len(ODD))
    answer = ask(page, "How many metres deep is the salt mine?")
    citation = answer["citations"][0]
    assert ODD["salt.md"][citation["start"] : citation["end"]] == citation["quote"]
    assert max(map(ord, ODD["salt.md"][: citation["start"]])) > 0xFFFF
    page.locator(".chip").first.click()
    expect(page.locator("#source mark")).to_have_count(1)
    assert page.locator("#source mark").text_content() == citation["quote"]
    assert page.locator("#source-text").text_content() == ODD["salt.md"]


@needs_chromium
@pytest.mark.usefixtures("expecting_failures")
def test_hostile_text_is_only_text(visit: Visit) -> None:
    page = visit.open()
    page.select_option("#collection", "odd")
    answer = ask(page, f"What is the password of the gate? {HOSTILE}")
    expect(page.locator(".question")).to_contain_text(HOSTILE, use_inner_text=False)
    page.locator(".turn .link").first.click()
    expect(page.locator("#source-text")).to_contain_text("swordfish")
    assert HOSTILE in (page.locator("#source-text").text_content() or "")
    assert HOSTILE in (page.locator("#source-title").text_content() or "")
    assert HOSTILE in json.dumps(answer["passages"]).replace('\\"', '"')
    page.click("#source-close")
    page.click("#past")
    expect(page.locator("#questions")).to_contain_text(HOSTILE)
    page.goto(f"{visit.url}?doc={HOSTILE}&start=1&end=2")
    expect(page.locator("#source-title")).to_have_text(HOSTILE)
    assert page.evaluate("[window.hacked === undefined, document.images.length]") == [True, 0]
    assert page.locator("script").count() == 2


@pytest.fixture
def expecting_failures(visit: Visit) -> None:
    visit.expected.append("Failed to load resource")


@needs_chromium
def test_right_to_left_text_runs_so(visit: Visit) -> None:
    page = visit.open("?doc=hebrew.md&start=7&end=12&collection=odd")
    mark = page.locator("#source mark")
    expect(mark).to_have_text(ODD["hebrew.md"][7:12])
    right = page.locator("#source-text").evaluate("node => node.getBoundingClientRect().right")
    assert mark.evaluate("node => node.getBoundingClientRect().right") > right - 80
    page.fill("#question", "מלח")
    assert page.locator("#question").evaluate("node => node.matches(':dir(rtl)')")


@needs_chromium
def test_a_link_opens_a_place_and_leads_back_to_it(visit: Visit) -> None:
    page = visit.open("?doc=prisoner-releases.md&start=887&end=947")
    expect(page.locator("#source mark")).to_have_text(
        "The latest wave, on 16 September, freed thirty-seven people."
    )
    link = page.locator("#source-link").evaluate("node => node.href")
    assert link == f"{visit.url}?doc=prisoner-releases.md&start=887&end=947"
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    page.goto(f"{visit.url}?doc=economy.md")
    expect(page.locator("#source-text")).to_contain_text("overheating")
    expect(page.locator("#source mark")).to_have_count(0)


@needs_chromium
@pytest.mark.usefixtures("expecting_failures")
def test_a_document_that_changed_since_is_not_marked_in_the_wrong_place(visit: Visit) -> None:
    page = visit.open()
    answer = ask(page, RELEASED)
    quote = answer["citations"][0]["quote"]

    def shifted(route: Route) -> None:
        window = route.fetch().json()
        route.fulfill(json={**window, "text": "New. " + window["text"]})

    page.route("**/v1/documents/*start=*", shifted)
    page.locator(".chip").click()
    expect(page.locator("#source-trouble")).to_contain_text("has changed since")
    expect(page.locator("#source-quote")).to_have_text(quote)
    expect(page.locator("#source mark")).to_have_count(0)
    page.unroute("**/v1/documents/*start=*")
    page.goto(f"{visit.url}?doc=gone.md&start=0&end=5")
    expect(page.locator("#source-trouble")).to_contain_text("There is no document with this id")


# What people do with an answer


@needs_chromium
def test_thumbs_and_corrections_are_kept(visit: Visit, site: Site) -> None:
    page = visit.open()
    answer = ask(page, RELEASED)
    page.get_by_role("button", name="Bad answer").click()
    expect(page.locator(".said")).to_have_text("Thank you.")
    expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("What would have been right?").fill("Thirty-seven. 🧂")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".opinion")).to_be_hidden()
    lines = [json.loads(line) for line in site.feedback.read_text().splitlines()]
    own = [line for line in lines if line["receipt"] == answer["receipt"]]
    assert [(line["thumb"], line["correction"]) for line in own] == [
        ("down", None),
        ("down", "Thirty-seven. 🧂"),
    ]


@needs_chromium
@pytest.mark.usefixtures("expecting_failures")
def test_feedback_that_is_not_kept_is_not_thanked_for(visit: Visit) -> None:
    page = visit.open()
    page.route("**/v1/feedback", problem("not_found", "There is no such receipt."))
    ask(page, RELEASED)
    page.get_by_role("button", name="Good answer").click()
    expect(page.locator(".said")).to_contain_text("There is no such receipt.")


@needs_chromium
@pytest.mark.parametrize("has_clipboard", [True, False])
def test_an_answer_is_copied_with_its_citations(visit: Visit, has_clipboard: bool) -> None:
    page = visit.open(permissions=["clipboard-read", "clipboard-write"])
    if not has_clipboard:
        page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
        )
    answer = ask(page, RELEASED)
    page.get_by_role("button", name="Copy with citations").click()
    state(page, "Copied.")
    citation = answer["citations"][0]
    place = f"{citation['doc']}:{citation['start']}-{citation['end']}"
    copied = page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")
    assert copied == f"{answer['answer']}\n\n[1] {place} “{citation['quote']}”"


# What goes wrong


def problem(code: str, detail: str, **headers: str) -> Callable[[Route], None]:
    """Answer a request with a problem, as the service does."""
    body = json.dumps(ProblemError(code, detail).body("1"))
    status = CODES[code][0]
    return lambda route: route.fulfill(
        status=status, body=body, headers={"Content-Type": MEDIA_TYPE, **headers}
    )


@needs_chromium
@pytest.mark.usefixtures("expecting_failures")
@pytest.mark.parametrize(
    ("code", "detail", "headers", "told"),
    [
        ("rate_limited", "Allowed are 5.", {"Retry-After": "12"}, "You can ask again in 12 s."),
        ("not_found", "There is no collection of this name.", {}, "no collection of this name"),
        ("not_ready", "Collection default: no index.", {}, "Collection default: no index."),
        ("unauthorized", "Send a key.", {}, "needs a key. Reload the page"),
    ],
)
def test_a_problem_is_told_and_the_question_kept(
    visit: Visit, code: str, detail: str, headers: dict[str, str], told: str
) -> None:
    page = visit.open()
    page.route("**/v1/ask", problem(code, detail, **headers))
    page.fill("#question", RELEASED)
    page.click("#send")
    expect(page.locator(".failed .sentence")).to_contain_text(told)
    expect(page.locator(".failed a")).to_have_attribute("href", f"docs#problem-{code}")
    expect(page.locator("#state")).to_contain_text(told)
    expect(page.locator("#question")).to_have_value(RELEASED)
    page.unroute("**/v1/ask")
    page.click("#send")
    expect(page.locator(".answer")).to_contain_text("thirty-seven")
    expect(page.locator(".failed")).to_have_count(0)


@needs_chromium
@pytest.mark.usefixtures("expecting_failures")
def test_a_connection_that_fails_or_breaks_off_is_told(visit: Visit) -> None:
    page = visit.open()
    page.route("**/v1/ask", lambda route: route.abort())
    page.fill("#question", RELEASED)
    page.click("#send")
    expect(page.locator(".failed")).to_contain_text("cannot be reached")
    stream = {"Content-Type": "text/event-stream"}
    half = 'event: token\ndata: {"text": "The latest"}\n\nevent: tok'
    page.route("**/v1/ask", lambda route: route.fulfill(body=half, headers=stream))
    page.click("#send")
    expect(page.locator(".failed")).to_contain_text("broke off")
    body = json.dumps(ProblemError("backend_failed", "The backend cannot be reached.").body("1"))
    late = f"event: error\ndata: {body}\n\n"
    page.route("**/v1/ask", lambda route: route.fulfill(body=late, headers=stream))
    page.click("#send")
    expect(page.locator(".failed")).to_contain_text("The backend cannot be reached.")


# Light, small, by keys alone, and read aloud


def brightness(page: Page) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


@needs_chromium
@pytest.mark.parametrize("path", ["", "docs"])
def test_dark_and_light_follow_the_device_until_one_chooses(visit: Visit, path: str) -> None:
    page = visit.open(path, scheme="dark")
    assert brightness(page) < 60
    expect(page.locator("#theme")).to_have_attribute("aria-pressed", "true")
    page.emulate_media(color_scheme="light")
    assert brightness(page) > 200
    page.click("#theme")
    assert brightness(page) < 60
    page.reload()
    assert brightness(page) < 60
    expect(page.locator("#theme")).to_have_attribute("aria-pressed", "true")


@needs_chromium
def test_nothing_overflows_on_a_phone(visit: Visit) -> None:
    page = visit.open(width=390)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= 390"))

    assert fits()
    page.select_option("#collection", "odd")
    ask(page, f"What is the password? {'x' * 300} {HOSTILE}")
    page.locator(".passages").evaluate("node => { node.open = true; }")
    page.get_by_role("button", name="Bad answer").click()
    assert fits()
    page.locator(".turn .link:visible").first.click()
    pane = page.locator("#source")
    expect(pane).to_be_visible()
    assert pane.evaluate("node => node.matches(':modal') && node.scrollWidth <= 390")
    assert pane.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 900}
    page.keyboard.press("Escape")
    expect(pane).to_be_hidden()
    page.click("#past")
    assert fits()
    page.goto(f"{visit.url}docs")
    assert fits()


@needs_chromium
def test_the_pane_changes_its_form_with_the_window(visit: Visit) -> None:
    page = visit.open()
    ask(page, RELEASED)
    page.locator(".chip").click()
    expect(page.locator("#source mark")).to_be_visible()
    page.set_viewport_size({"width": 500, "height": 800})
    expect(page.locator("#source:modal mark")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.locator("#source:modal")).to_have_count(0)
    expect(page.locator("#source mark")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    expect(page.locator(".chip")).to_be_focused()


@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
def test_keys_are_enough(visit: Visit, width: int) -> None:
    page = visit.open(width=width)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("How many people walked free")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("on 16 September?/")
    expect(page.locator("#question")).to_have_value("How many people walked free\non 16 September?/")
    page.keyboard.press("Backspace")
    tall = page.locator("#question").bounding_box()
    assert tall
    assert tall["height"] > 50
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(1)
    tab_to(page, ".chip", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#source mark")).to_be_visible()
    expect(page.locator("#source-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    expect(page.locator(".chip")).to_be_focused()
    tab_to(page, ".passages summary", "Tab")
    page.keyboard.press("Enter")
    tab_to(page, ".passages .link", "Tab")
    page.keyboard.press("Enter")
    tab_to(page, "#source-close", "Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".passages .link").first).to_be_focused()
    page.locator("#past").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#history")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#history")).to_be_hidden()
    expect(page.locator("#past")).to_be_focused()


@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
def test_closing_gives_the_focus_back_once(visit: Visit, width: int) -> None:
    page = visit.open(width=width)
    ask(page, "How many people walked free on 16 September?")
    page.click(".chip")
    expect(page.locator("#source-title")).to_be_focused()
    focused = page.evaluate(
        """async () => {
          const ids = [];
          document.getElementById("source-close").click();
          ids.push(document.activeElement.className);
          document.getElementById("past").focus();
          await new Promise((done) => setTimeout(done, 200));
          return [...ids, document.activeElement.id];
        }"""
    )
    assert focused == ["chip", "past"]


def tab_to(page: Page, selector: str, key: str) -> None:
    for _ in range(40):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{selector} shows no focus"
            return
    raise AssertionError(f"{selector} is not reached with {key}")


@needs_chromium
def test_only_the_state_is_read_aloud(visit: Visit) -> None:
    page = visit.open()
    page.evaluate(
        """() => {
          window.told = [];
          const state = document.getElementById("state");
          const tell = () => window.told.push(state.textContent);
          new MutationObserver(tell).observe(state, { childList: true });
        }"""
    )
    page.select_option("#backend", "openai:slow")
    ask(page, PRISONERS)
    assert page.evaluate("window.told") == ["Searching", "Answer complete, 3 citations"]
    assert page.locator("[aria-live]").count() == 1


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_is_found(visit: Visit, scheme: str) -> None:
    page = visit.open(scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    expect(page.locator("#documents li")).to_have_count(10)
    accessible(page)
    page.select_option("#backend", "openai:slow")
    ask(page, PRISONERS)
    page.get_by_role("button", name="Good answer").click()
    expect(page.locator(".opinion")).to_be_visible()
    page.locator(".passages summary").click()
    page.locator(".chip").first.click()
    expect(page.locator("#source mark")).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    page.click("#new")
    page.select_option("#backend", "extractive")
    ask(page, CUP)
    page.click("#past")
    accessible(page)
    page.goto(f"{visit.url}docs")
    accessible(page)


def accessible(page: Page) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    told = [f"{each['id']}: {node['html']}" for each in grave for node in each["nodes"]]
    assert told == []


@needs_chromium
def test_the_reference_needs_no_script(visit: Visit) -> None:
    page = visit.open("docs#problem-busy", java_script_enabled=False)
    expect(page.locator("#problem-busy")).to_be_in_viewport()


@needs_chromium
@pytest.mark.slow
def test_its_pictures_are_small(browser: Browser, seed_index: Path, tmp_path: Path) -> None:
    """Take the pictures of the documentation; into its folder where PICTURES says so."""
    folder = ROOT / "docs" / "images" if "PICTURES" in os.environ else tmp_path
    with served(Settings(index=seed_index, feedback=tmp_path / "feedback.jsonl")) as url:
        visit = Visit(browser, url)
        wide = visit.open(width=1440)
        ask(wide, "What are the three causes of most Western sanctions against Belarus?")
        ask(wide, RELEASED)
        picture(wide, folder / "page-answer.png", opens_source=True)
        silent = visit.open()
        ask(silent, CUP)
        picture(silent, folder / "page-abstain.png")
        dark = visit.open(width=1440, scheme="dark")
        ask(dark, "Why did the Belarusian authorities let the prisoners go?")
        picture(dark, folder / "page-dark.png", opens_source=True)
        phone = visit.open(width=390, device_scale_factor=2)
        ask(phone, RELEASED)
        picture(phone, folder / "page-phone.png")


def picture(page: Page, file: Path, opens_source: bool = False) -> None:
    if opens_source:
        page.locator(".chip").last.click()
        expect(page.locator("#source mark")).to_be_visible()
    page.wait_for_timeout(1000)  # what moves has come to rest
    page.screenshot(path=file)
    assert file.stat().st_size < 200_000


# Without a browser


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url) as opened:
        yield opened


def test_the_page_has_no_script_of_its_own_and_reaches_for_no_other_host(client: httpx.Client) -> None:
    for path in ("/", "/docs"):
        reply = client.get(path)
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert re.findall(r"<script(?![^>]* src=)|\sstyle=|\son\w+=|<style", reply.text) == []
        addresses = re.findall(r"""(?:href|src)="([^"]*)\"""", reply.text)
        assert all(not each.startswith(("http:", "https:", "//")) for each in addresses)
        assert client.head(path).status_code == 200
    assert "<noscript>" in client.get("/").text


def test_scripts_and_styles_do_what_the_policy_allows() -> None:
    for path in FOLDER.iterdir():
        text = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), (
            path
        )
        assert not re.search(r"@import|url\(|https?://(?!www\.w3\.org/)", text), path


def test_static_files_are_validated_and_nothing_else_is_served(client: httpx.Client) -> None:
    first = client.get("/static/main.js")
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cache-control"] == "public, max-age=60, must-revalidate"
    etag = first.headers["etag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        again = client.get("/static/main.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert client.get("/static/main.js", headers={"If-None-Match": '"other"'}).status_code == 200
    for name in ("none.js", "..%2ftemplates%2fpage.html", "%2e%2e/files.py", ".", ""):
        reply = client.get(f"/static/{name}")
        assert (reply.status_code, reply.headers["content-type"]) == (404, MEDIA_TYPE), name


def test_the_page_offers_what_there_is_to_choose(
    client: httpx.Client, seed_index: Path, tmp_path: Path
) -> None:
    page = client.get("/").text
    assert re.findall(r"<option[^>]*>(.*?)</option>", page) == [
        *("default (10 documents)", "odd (3 documents)", "extractive", "openai:slow")
    ]
    with served(Settings(index=seed_index)) as url:
        alone = httpx.get(url).text
        assert "<select" not in alone
        assert "<span>10 documents</span>" in alone
        assert 'maxlength="4000"' in alone
    with served(Settings(index=tmp_path / "none")) as url:
        waiting = httpx.get(url)
        assert waiting.status_code == 200
        assert re.search(
            r"The index is not ready:</b>\s+the index was not built yet; build it", waiting.text
        )


def test_the_reference_tells_of_every_operation_and_problem(client: httpx.Client) -> None:
    page = client.get("/docs").text
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        for method, told in operations.items():
            name = path.strip("/").replace("/", "-").replace("{", "").replace("}", "")
            assert f'id="{method}-{name}"' in page
            assert told["summary"] in page.replace("&#39;", "'")
    for code in CODES:
        assert f'id="problem-{code}"' in page
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert "at most 4,000 characters" in page
    assert 'href="openapi.json"' in page
    assert "Bearer" not in page


def test_the_reference_tells_of_keys_where_they_are_needed(seed_index: Path) -> None:
    document = create_app(Settings(index=seed_index, anonymous="none")).openapi()
    told = document["paths"]["/v1/search"]["post"]
    (line,) = curl_lines(document, "https://it's.example", "post", "/v1/search", told)
    assert line.split(" \\\n") == [
        """curl -H "Authorization: Bearer $KEY" 'https://it'"'"'s.example/v1/search'""",
        "  -H 'Content-Type: application/json'",
        """  -d '{"question": "How many people walked free on 16 September?"}'""",
    ]


def test_types_are_told_in_words() -> None:
    hit = {"$ref": "#/components/schemas/Hit"}
    for schema, kind in (
        ({"type": "string"}, Kind("string")),
        ({"enum": ["up", "down"]}, Kind('"up" or "down"')),
        ({"type": "array", "items": hit}, Kind("list of ", "Hit")),
        ({"anyOf": [hit, {"type": "null"}]}, Kind("", "Hit", " or null")),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Kind("integer or null")),
        ({"type": "object", "additionalProperties": {"type": "string"}}, Kind("object of string")),
        ({}, Kind("any")),
    ):
        assert kind_of(schema) == kind
