"""What is given to the checker, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import regex

_MARKS = regex.compile(r"[^\p{L}\p{N}]+")


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim that its passage supports."""

    claim: str
    passage: str
    source: str
    """Where the claim is from: `quotes`, `rewordings`, `squad`, `questions` or `begin`."""
    cluster: str
    """The passage's document: claims about one are no independent witnesses."""
    rivals: Sequence[str] = ()
    """What else of the kind of `answer` the passage names, where the claim answers a question."""
    answer: str = ""

    @property
    def verbatim(self) -> bool:
        """Whether the claim's words stand in the passage one after another."""
        return _bare(self.claim) in _bare(self.passage)


@dataclass(frozen=True, slots=True)
class Edit:
    """`claim[start:end]` becomes `new`."""

    start: int
    end: int
    new: str

    @classmethod
    def of(cls, match: "regex.Match[str]", new: str) -> "Edit":
        """Return the edit that puts something in the place of a match."""
        return cls(match.start(), match.end(), new)


@dataclass(frozen=True, slots=True)
class Corruption:
    """A claim in which one thing was changed so that its passage no longer supports it."""

    kind: str
    of: Stated
    edits: Sequence[Edit]
    """One; two where two things change places."""

    @property
    def claim(self) -> str:
        """The claim as it is told now."""
        return edited(self.of.claim, self.edits)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the checker said of a claim."""

    score: float
    supported: bool
    against: Sequence[str] = field(default_factory=tuple)
    seconds: float = 0.0


def edited(claim: str, edits: Sequence[Edit]) -> str:
    """Return a claim after edits that do not overlap."""
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        claim = claim[: edit.start] + edit.new + claim[edit.end :]
    return claim


def _bare(text: str) -> str:
    """Return lower-case words with single blanks, one at either end."""
    return f" {_MARKS.sub(' ', text.casefold()).strip()} "
