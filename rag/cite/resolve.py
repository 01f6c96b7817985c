"""One sentence of a draft → what its markers name, and whether that supports it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

from rag import text
from rag.cite.check import Checker
from rag.cite.facts import tells_facts
from rag.types import Passage, Span, Verdict

MARKER = regex.compile(r"(?:(?<!\s)\s+)?\[(\d+(?:\s*,\s*\d+)*)\]")
_ORDER: Sequence[Verdict] = ("verified", "unsupported", "not_found")
"""One verified citation verifies its sentence."""
_LIST_MARK = regex.compile(r"^(?:[-*+•]|\d{1,3}[.)])\s+")

_PREAMBLE = regex.compile(
    r"""^(?:here\s(?:is|are)\b[^:.]{0,60}:
    |(?:based\son|according\sto|as\s(?:stated|mentioned|described)\sin)\s(?:the|these|this|your)\s
     (?:\w+\s)?(?:passages?|documents?|texts?|contexts?|sources?|information|excerpts?)[^,:.]{0,30}[,:])\s*""",
    regex.I | regex.VERBOSE,
)
"""What speaks of the passages and not of what they say."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a marker names: a span of a passage, or nothing."""

    named: int
    passage: Passage | None
    span: Span
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Resolved:
    """A sentence of a draft, its markers resolved by the numbers that stand in it."""

    said: str
    claim: str
    """Without its markers."""
    verdict: Verdict
    marks: Mapping[int, Mark]

    def numbered(self, numbers: Mapping[int, int]) -> str:
        """Return the sentence with other numbers in its markers; one that had no marker gets it."""

        def renumbered(match: regex.Match[str]) -> str:
            marks = dict.fromkeys(numbers[_int(n)] for n in match[1].split(","))
            return " " + "".join(f"[{n}]" for n in marks)

        if self.marks and not MARKER.search(self.said):
            return f"{self.claim} " + "".join(f"[{n}]" for n in numbers.values())
        return str(MARKER.sub(renumbered, self.said))


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves sentences over the passages that the draft was written from."""

    passages: Sequence[Passage]
    checker: Checker
    language: str

    def resolve(self, said: str) -> Resolved:
        """Return the sentence with what each of its markers names and whether that supports it.

        A sentence without a marker is given the citation that it should have had, if there is one.
        """
        claim = MARKER.sub("", said).strip()
        checked = self._without_preamble(_LIST_MARK.sub("", claim))
        named = [_int(n) for match in MARKER.finditer(said) for n in match[1].split(",")]
        if named:
            marks = {n: self._mark(checked, n) for n in dict.fromkeys(named)}
            marks = self._together(checked, marks)
            verdict = min((mark.verdict for mark in marks.values()), key=_ORDER.index)
            return Resolved(said, claim, verdict, marks)
        announces = claim.endswith(":") and not tells_facts(checked, self.language)
        if announces or not text.content_stems(checked, self.language):
            return Resolved(said, claim, "no_claim", {})
        for n in range(1, len(self.passages) + 1):
            mark = self._mark(checked, n)
            if mark.verdict == "verified":
                return Resolved(claim, claim, "verified", {n: mark})
        return Resolved(claim, claim, "unsupported", {})

    def _without_preamble(self, claim: str) -> str:
        """Return a claim without what speaks of the passages, if that tells nothing else."""
        match = _PREAMBLE.match(claim)
        return (
            claim
            if match is None or tells_facts(match.group(), self.language)
            else claim[match.end() :]
        )

    def _mark(self, claim: str, n: int) -> Mark:
        if not 1 <= n <= len(self.passages):
            return Mark(n, None, (0, 0), "not_found")
        passage = self.passages[n - 1]
        found = self.checker.support(claim, passage.text, self.language)
        return Mark(n, passage, found.span, "verified" if found.supported else "unsupported")

    def _together(self, claim: str, marks: dict[int, Mark]) -> dict[int, Mark]:
        """Verify what no citation supports alone and several do together."""
        placed = [mark for mark in marks.values() if mark.passage is not None]
        if len(placed) < 2 or any(mark.verdict == "verified" for mark in placed):
            return marks
        quotes = [mark.passage.text[slice(*mark.span)] for mark in placed if mark.passage]
        if not self.checker.holds(claim, "\n\n".join(quotes), self.language):
            return marks
        return {
            n: mark if mark.passage is None else Mark(n, mark.passage, mark.span, "verified")
            for n, mark in marks.items()
        }


def _int(digits: str) -> int:
    """Return a marker's number; Python reads no more than 4300 digits, a model may write them."""
    return int(digits.strip()[:9])
