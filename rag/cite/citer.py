"""A draft's `[n]` name passages; an answer's name citations, in order of appearance."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import regex

from rag import text
from rag.cite.check import Checker
from rag.cite.resolve import Mark, Resolved, Resolver
from rag.types import Citation, Passage, Sentence, Span

_MARKER_BEGINS = regex.compile(
    r"""(?:["'”’»›)\]】」』）》\s]|\[\d+(?:\s*,\s*\d+)*\])*(?:\[[\d,\s]*)?\Z"""
)
"""What may yet become a marker of the sentence before."""
_UNSURE = regex.compile(r"[\[\n.!?…؟۔։।॥።᙮⸮。！？｡．]")
"""What may begin a marker or end a sentence."""
_LONG = 2000
"""Characters of a sentence beyond which its end is looked for less and less often."""
_NEAR = 80
"""Characters after what may end a sentence within which it turns out whether it does."""


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer with its markers renumbered, and what checking it gave."""

    answer: str
    sentences: Sequence[Sentence]
    citations: Sequence[Citation]
    removed: Sequence[Sentence] = ()
    """What was left out, as nothing supports it."""


@dataclass(slots=True)
class _Numbers:
    """Citations in order of appearance; the same span keeps its number."""

    citations: list[Citation] = field(default_factory=list)
    known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def of(self, mark: Mark) -> int:
        passage = mark.passage
        if passage is None:
            return self._kept(
                ("missing", mark.named), Citation(0, None, "", None, None, None, None, "not_found")
            )
        start, end = passage.start + mark.span[0], passage.start + mark.span[1]
        quote = passage.text[slice(*mark.span)]
        locator = passage.locator_at(start, end)
        where = Citation(0, passage.doc, passage.title, start, end, quote, locator, mark.verdict)
        return self._kept((passage.doc, start, end, mark.verdict), where)

    def _kept(self, key: tuple[object, ...], citation: Citation) -> int:
        if key not in self.known:
            n = self.known[key] = len(self.citations) + 1
            self.citations.append(replace(citation, n=n))
        return self.known[key]


def cite(
    draft: str, passages: Sequence[Passage], checker: Checker, language: str = text.UNKNOWN
) -> Cited:
    """Resolve every marker of a draft and check every sentence against what it cites."""
    citer = Citer(passages, checker, language)
    citer.add(draft)
    citer.close()
    return citer.cited


class Citer:
    """Cites a draft while it is written: what it gives back, joined, is the answer's text.

    A sentence is checked once the next has begun. What cannot change by that, its words before the
    first marker or stop, is given back at once. A `strict` one keeps and gives back only sentences
    that have passed, and what claims nothing only where such a sentence follows.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        checker: Checker,
        language: str = text.UNKNOWN,
        strict: bool = False,
    ) -> None:
        self._resolver = Resolver(passages, checker, language)
        self._strict = strict
        self._numbers = _Numbers()
        self._sentences: list[Sentence] = []
        self._removed: list[Sentence] = []
        self._waiting: list[tuple[str, Resolved]] = []
        """What claims nothing, with the blanks before it, until a sentence that passes follows."""
        self._pieces: list[str] = []
        self._rest = ""
        self._clear = 0
        """How much of the rest was looked through and is certain to stay as it is."""
        self._shown = 0
        """How much of the rest was given back already."""
        self._look_from = 0
        """How long the rest has to be before its sentences are looked for again."""

    @property
    def cited(self) -> Cited:
        """What has been cited so far."""
        answer = "".join(self._pieces)
        return Cited(answer, self._sentences, self._numbers.citations, self._removed)

    def add(self, written: str) -> str:
        """Take more of the draft; return what more of the answer is certain."""
        self._rest += written
        if not self._sentences and not self._waiting and not self._shown:
            self._rest = self._rest.lstrip()
        done = ""
        size = len(self._rest)
        if size >= self._look_from and _UNSURE.search(self._rest, max(0, size - len(written) - _NEAR)):
            self._look_from = size + max(0, size - _LONG) // 8
            spans = text.sentences(self._rest)
            if len(spans) > 1 and not _MARKER_BEGINS.match(self._rest, spans[-1][0]):
                done = self._settled(spans[:-1])
        if self._strict:
            return done
        sure = _UNSURE.search(self._rest, self._clear)
        self._clear = sure.start() if sure else len(self._rest)
        news = self._rest[self._shown : self._clear].rstrip()
        self._shown += len(news)
        return done + news

    def close(self) -> str:
        """Take the draft as ended; return the rest of the answer."""
        return self._settled(text.sentences(self._rest))

    def _settled(self, spans: Sequence[Span]) -> str:
        pieces: list[str] = []
        at = 0
        for start, end in spans:
            resolved = self._resolver.resolve(self._rest[start:end])
            pieces += self._taken(self._rest[at:start], resolved)
            at = end
        self._rest = self._rest[at:]
        settled = "".join(pieces)
        self._pieces.append(settled)
        news = settled[self._shown :]
        self._shown = self._clear = self._look_from = 0
        return news

    def _taken(self, blanks: str, resolved: Resolved) -> list[str]:
        """Return the pieces that a sentence adds to the answer, with what waited for it."""
        if not self._strict or resolved.verdict == "verified":
            every = [*self._waiting, (blanks, resolved)]
            self._waiting = []
            if not self._sentences:
                every[0] = ("", every[0][1])
            return [piece for before, each in every for piece in (before, self._numbered(each))]
        if resolved.verdict == "no_claim":
            self._waiting.append((blanks, resolved))
        else:
            self._waiting = []
            self._removed.append(Sentence(resolved.claim, [], resolved.verdict))
        return []

    def _numbered(self, resolved: Resolved) -> str:
        numbers = {n: self._numbers.of(mark) for n, mark in resolved.marks.items()}
        self._sentences.append(
            Sentence(resolved.claim, list(dict.fromkeys(numbers.values())), resolved.verdict)
        )
        return resolved.numbered(numbers)
