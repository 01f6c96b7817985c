"""HTML: the main text with its headings, lists, tables and code, parsed by lexbor (selectolax; MIT).

What is left out is what a page itself calls navigation, or hides. There is no guessing by link
density: a table of contents or a reference manual must not lose its text.
"""

from collections.abc import Iterator

import regex
from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag.corpus.decode import decode
from rag.corpus.formats.written import CELL, Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.text import squeeze
from rag.types import Document

_UNSEEN = frozenset(
    """script style noscript template svg head nav select datalist input textarea object iframe canvas
    audio video map dialog""".split()
)
_BLOCKS = frozenset(
    """address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure
    footer form header hgroup hr html legend li main menu ol optgroup option p section summary table
    tbody td tfoot th thead tr ul caption pre h1 h2 h3 h4 h5 h6""".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_ROLES = frozenset("navigation search menu menubar toolbar tablist dialog alertdialog".split())
_ASIDES = frozenset(
    """nav navbar navbox navigation breadcrumb breadcrumbs sidebar menu cookie-banner skip-link
    skip-to-content mw-editsection noprint sr-only visually-hidden screen-reader-text mw-jump-link
    headerlink""".split()
)
"""Classes and ids, as whole words, of what stands beside the text."""
_HIDDEN = regex.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", regex.IGNORECASE)
_XHTML = regex.compile(r"\s*<\?xml|[^>]{0,400}<html[^>]+xmlns|\s*<!DOCTYPE[^>]+XHTML", regex.IGNORECASE)
_CLOSED = regex.compile(
    r"<(title|script|style|textarea|iframe|noscript|a|p|div|span|i|b|em|td|th)\b([^<>]*)/>",
    regex.IGNORECASE,
)
_CHARSET = regex.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", regex.IGNORECASE)
_WINDOWS = frozenset(("iso-8859-1", "latin1", "ascii", "us-ascii", "iso8859-1"))
"""Names of encodings that pages mean Windows' own by (WHATWG's Encoding standard)."""
_MAIN = 0.4
"""Share of the page's text that what it calls its main part must hold, to be taken alone."""


def read_html(file: File) -> Iterator[Document]:
    """Read a page; its title is the `<title>`."""
    tree = parsed(_decoded(file))
    if tree.body is None:
        raise Unreadable("it holds no text")
    written = Written()
    write_html(_main(tree), written)
    title = tree.css_first("title")
    said = squeeze(title.text()) if title is not None else ""
    yield written.document(file.id, said or written.first_heading or named(file))


def parsed(page: str) -> LexborHTMLParser:
    """Parse a page; in XHTML elements close themselves that HTML would wait for the end of."""
    if _XHTML.match(page):
        page = _CLOSED.sub(r"<\1\2></\1>", page)
    return LexborHTMLParser(page)


def write_html(body: LexborNode, written: Written) -> None:
    """Write all that is seen of an element."""
    _Page(written).walk(body)


def _decoded(file: File) -> str:
    """Return a page's text, in the encoding that it names where it is no UTF-8."""
    if found := _CHARSET.search(file.data[:4096]):
        try:
            return file.data.decode("utf-8")
        except UnicodeDecodeError:
            try:
                named = found[1].decode("ascii").lower()
                return file.data.decode("cp1252" if named in _WINDOWS else named)
            except (LookupError, UnicodeDecodeError):
                pass
    text, legacy = decode(file.data)
    if legacy:
        file.notice("legacy_encoding", f"it was read as {legacy}, which is a guess")
    return text


def _main(tree: LexborHTMLParser) -> LexborNode:
    """Return what the page calls its main part, if that is a good part of it, or else all."""
    body = tree.body
    assert body is not None
    whole = len(body.text())
    for name in ("main", '[role="main"]', "article"):
        found = tree.css(name)
        if len(found) == 1 and len(found[0].text()) >= _MAIN * whole:
            return found[0]
    return body


class _Page:
    """Walks a tree without recursion, as a page may nest more deeply than Python's stack."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._said: list[str] = []
        self._lists = self._heads = 0
        self._items: list[int] = []

    def walk(self, root: LexborNode) -> None:
        steps: list[tuple[LexborNode, bool]] = [(root, False)]
        while steps:
            node, done = steps.pop()
            if done:
                self._leave(node.tag or "")
            elif self._enter(node, node.tag or "", node is root):
                steps.append((node, True))
                children = list(node.iter(include_text=True))
                steps.extend((child, False) for child in reversed(children))
        self._flush()

    def _enter(self, node: LexborNode, tag: str, is_root: bool) -> bool:
        """Take up a node; tell whether to go into it."""
        if tag == "-text":
            self._said.append((node.text_content or "").replace("\n", " "))
            return False
        if tag == "br":
            self._said.append("\n")
        elif tag == "img":
            self._said.append(f" {node.attributes.get('alt') or ''} ")
        if tag.startswith(("-", "!")) or (not is_root and _is_unseen(node, tag)):
            return False
        if tag == "button" and not self._heads:
            return False
        if tag in _BLOCKS:
            self._flush()
        if tag == "pre":
            self._written.code("".join(_seen(node)))
            return False
        if tag == "table" and (rows := _data(node)):
            caption = node.css_first("caption")
            if caption is not None:
                self._written.paragraph(squeeze("".join(_seen(caption))))
            self._written.table(rows)
            return False
        self._heads += tag in _HEADINGS
        if tag in _LISTS:
            self._lists += 1
        elif tag == "li":
            self._items.append(self._lists)
        return True

    def _leave(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._heads -= 1
            self._written.heading(_HEADINGS[tag], "".join(self._said))
            self._said.clear()
        elif tag in _BLOCKS:
            self._flush()
        if tag in _LISTS:
            self._lists -= 1
        elif tag == "li":
            self._items.pop()

    def _flush(self) -> None:
        said = "".join(self._said)
        self._said.clear()
        if self._items and said.strip():
            self._written.item(said, self._items[-1] - 1)
        else:
            self._written.paragraph(said)


def _is_unseen(node: LexborNode, tag: str) -> bool:
    """Tell whether a page hides an element, or calls it navigation."""
    if tag in _UNSEEN:
        return True
    known = node.attributes
    names = f"{known.get('class') or ''} {known.get('id') or ''}".lower().split()
    return (
        "hidden" in known
        or known.get("aria-hidden") == "true"
        or (known.get("role") or "") in _ROLES
        or bool(_HIDDEN.search(known.get("style") or ""))
        or not _ASIDES.isdisjoint(names)
    )


def _seen(root: LexborNode) -> Iterator[str]:
    """Yield the text that is seen of an element, as it stands."""
    steps: list[LexborNode | str] = [root]
    while steps:
        node = steps.pop()
        if isinstance(node, str):
            yield node
            continue
        tag = node.tag or ""
        if tag == "-text":
            yield node.text_content or ""
        elif tag == "br":
            yield "\n"
        elif not tag.startswith(("-", "!")) and (node is root or not _is_unseen(node, tag)):
            apart = " " if tag in _BLOCKS and node is not root else ""
            children = list(node.iter(include_text=True))
            steps += [apart, *reversed(children), apart]


def _data(table: LexborNode) -> list[list[str]]:
    """Return a table's rows; none where it only arranges what the page shows."""
    if table.css_first("table table, pre, h1, h2, h3, h4") is not None:
        return []
    rows = [[squeeze("".join(_seen(cell))) for cell in row.css("th, td")] for row in table.css("tr")]
    longest = max((len(cell) for row in rows for cell in row), default=0)
    return rows if max(map(len, rows), default=0) > 1 and longest <= CELL else []
