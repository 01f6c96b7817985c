"""A citation's quote is verbatim: `document.text[c.start:c.end] == c.quote`.

The draft's `[n]` name passages; each is resolved to the span of that passage that supports the
sentence best, and numbered anew in order of appearance. What is not supported says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import regex

from rag import text
from rag.types import Citation, Passage, Sentence, Span, Verdict

_ORDER: Sequence[Verdict] = ("verified", "unsupported", "not_found")
"""One verified citation verifies its sentence."""
SUPPORT = 0.6
"""Share of a sentence's content stems that its span must hold, unless it stands there verbatim."""
_WINDOW = 3
"""Neighbouring sentences of a passage that may support one sentence together."""
_MARKER = regex.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_MARKER_BEGINS = regex.compile(
    r"""(?:["'”’»›)\]】」』）》\s]|\[\d+(?:\s*,\s*\d+)*\])*(?:\[[\d,\s]*)?\Z"""
)
"""What may yet become a marker of the sentence before."""
_UNSURE = regex.compile(r"[\[\n.!?…؟۔։।॥።᙮⸮。！？｡．]")
"""What may begin a marker or end a sentence."""
_NEAR = 80
"""Characters after what may end a sentence within which it turns out whether it does."""
_NUMBER = regex.compile(r"\d+(?:[.,]\d+)*")
_NUMERAL = regex.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thir(?:teen|ty)|"
    r"four(?:teen)|for(?:ty)|fif(?:teen|ty)|(?:six|seven|eigh|nine)(?:teen|ty)|twenty|hundred|thousand|"
    r"[mb]illion)\b",
    regex.I,
)
_DENIAL = regex.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without)\b|n['’]t\b", regex.I
)
_INSIDE_WORD = regex.compile(
    r"[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]]{2}", regex.V1
)
_INSIDE_NUMBER = regex.compile(r"\d[.,]\d")
_LIST_MARK = regex.compile(r"^(?:[-*+•]|\d{1,3}[.)])\s+")
_TAIL = ".!?…。！？ "


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer with its markers renumbered, and what checking it gave."""

    answer: str
    sentences: Sequence[Sentence]
    citations: Sequence[Citation]


@dataclass(slots=True)
class _Numbers:
    """Citations in order of appearance; the same span keeps its number."""

    citations: list[Citation] = field(default_factory=list)
    known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def of(self, passage: Passage, span: Span, verdict: Verdict) -> int:
        start, end = passage.start + span[0], passage.start + span[1]
        key = (passage.doc, start, end, verdict)
        if key not in self.known:
            n = self.known[key] = len(self.citations) + 1
            quote = passage.text[span[0] : span[1]]
            self.citations.append(
                Citation(n, passage.doc, passage.title, start, end, quote, passage.locator, verdict)
            )
        return self.known[key]

    def missing(self, named: int) -> int:
        key = ("missing", named)
        if key not in self.known:
            n = self.known[key] = len(self.citations) + 1
            self.citations.append(Citation(n, None, "", None, None, None, None, "not_found"))
        return self.known[key]


def cite(draft: str, passages: Sequence[Passage], language: str = text.UNKNOWN) -> Cited:
    """Resolve every marker of a draft and check every sentence against what it cites."""
    citer = Citer(passages, language)
    citer.add(draft)
    citer.close()
    return citer.cited


class Citer:
    """Cites a draft while it is written: what it gives back, joined, is the answer's text.

    A sentence is checked once the next has begun. What cannot change by that, its words before the
    first marker or stop, is given back at once.
    """

    def __init__(self, passages: Sequence[Passage], language: str = text.UNKNOWN) -> None:
        self._passages = passages
        self._language = language
        self._numbers = _Numbers()
        self._sentences: list[Sentence] = []
        self._pieces: list[str] = []
        self._rest = ""
        self._clear = 0
        """How much of the rest was looked through and is certain to stay as it is."""
        self._shown = 0
        """How much of the rest was given back already."""

    @property
    def cited(self) -> Cited:
        """What has been cited so far."""
        return Cited("".join(self._pieces), self._sentences, self._numbers.citations)

    def add(self, written: str) -> str:
        """Take more of the draft; return what more of the answer is certain."""
        self._rest += written
        if not self._sentences and not self._shown:
            self._rest = self._rest.lstrip()
        done = ""
        if _UNSURE.search(self._rest, max(0, len(self._rest) - len(written) - _NEAR)):
            spans = text.sentences(self._rest)
            if len(spans) > 1 and not _MARKER_BEGINS.match(self._rest, spans[-1][0]):
                done = self._settled(spans[:-1])
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
            said = self._rest[start:end]
            sentence, piece = _checked(said, self._passages, self._language, self._numbers)
            pieces += [self._rest[at:start], piece]
            self._sentences.append(sentence)
            at = end
        self._rest = self._rest[at:]
        settled = "".join(pieces)
        self._pieces.append(settled)
        news = settled[self._shown :]
        self._shown = self._clear = 0
        return news


def _checked(
    said: str, passages: Sequence[Passage], language: str, numbers: _Numbers
) -> tuple[Sentence, str]:
    claim = _MARKER.sub("", said).strip()
    checked = _LIST_MARK.sub("", claim)
    named = [_int(n) for match in _MARKER.finditer(said) for n in match[1].split(",")]
    if not named:
        return _unmarked(claim, passages, language, numbers)
    cited: dict[int, int] = {}
    verdicts: set[Verdict] = set()
    for each in dict.fromkeys(named):
        if not 1 <= each <= len(passages):
            cited[each] = numbers.missing(each)
            verdicts.add("not_found")
            continue
        span, supported = support(checked, passages[each - 1].text, language)
        verdict: Verdict = "verified" if supported else "unsupported"
        cited[each] = numbers.of(passages[each - 1], span, verdict)
        verdicts.add(verdict)

    def renumbered(match: regex.Match[str]) -> str:
        marks = dict.fromkeys(cited[_int(n)] for n in match[1].split(","))
        return " " + "".join(f"[{n}]" for n in marks)

    overall = min(verdicts, key=_ORDER.index)
    return Sentence(claim, list(cited.values()), overall), _MARKER.sub(renumbered, said)


def _unmarked(
    claim: str, passages: Sequence[Passage], language: str, numbers: _Numbers
) -> tuple[Sentence, str]:
    """Give a sentence without a marker the citation that it should have had, if there is one."""
    checked = _LIST_MARK.sub("", claim)
    if claim.endswith(":") or not text.content_stems(checked, language):
        return Sentence(claim, [], "no_claim"), claim
    for passage in passages:
        span, supported = support(checked, passage.text, language)
        if supported:
            n = numbers.of(passage, span, "verified")
            return Sentence(claim, [n], "verified"), f"{claim} [{n}]"
    return Sentence(claim, [], "unsupported"), claim


def support(claim: str, passage: str, language: str = text.UNKNOWN) -> tuple[Span, bool]:
    """Return the span of a passage that supports a claim best, and whether it does.

    Verbatim words (but for case, width, quotes and white space) support. Else the span must hold
    every figure and English numeral of the claim and `SUPPORT` of its content stems, and deny
    something just if the claim does.
    """
    verbatim = text.fold(passage).find(text.fold(claim).text.strip(_TAIL))
    if verbatim and _whole_words(passage, verbatim):
        return _with_stop(passage, verbatim), True
    wanted = set(text.content_stems(claim, language))
    spans = text.sentences(passage) or [(0, len(passage))]
    best, best_share = spans[0], -1.0
    for size in range(1, _WINDOW + 1):
        for first in range(len(spans) - size + 1):
            span = spans[first][0], spans[first + size - 1][1]
            held = wanted.intersection(text.stems(passage[slice(*span)], language))
            share = len(held) / len(wanted) if wanted else 0.0
            if share > best_share + 0.1 * (size > 1):
                best, best_share = span, share
    quote = passage[slice(*best)]
    figures = _figures(claim) <= _figures(quote)
    denied = bool(_DENIAL.search(claim)) == bool(_DENIAL.search(quote))
    return best, figures and denied and best_share >= SUPPORT


def _figures(said: str) -> set[str]:
    return {*_NUMBER.findall(said), *(word.casefold() for word in _NUMERAL.findall(said))}


def _whole_words(passage: str, span: Span) -> bool:
    """Tell whether no word is cut at either end; scripts without blanks have no such ends."""
    edges = passage[max(0, span[0] - 1) : span[0] + 1], passage[span[1] - 1 : span[1] + 1]
    figures = passage[max(0, span[0] - 2) : span[0] + 1], passage[span[1] - 1 : span[1] + 2]
    return not (
        any(_INSIDE_WORD.fullmatch(edge) for edge in edges)
        or any(_INSIDE_NUMBER.fullmatch(edge) for edge in figures)
    )


def _int(digits: str) -> int:
    """Return a marker's number; Python reads no more than 4300 digits, a model may write them."""
    return int(digits.strip()[:9])


def _with_stop(passage: str, span: Span) -> Span:
    start, end = span
    return (start, end + 1) if passage[end : end + 1] in tuple(".!?…。！？") else span
