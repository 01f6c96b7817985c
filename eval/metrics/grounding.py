"""Whether citations carry what they are cited for, by a judge that is named beside the score.

The judge is not the checker that gave the answer its verdicts, and sees quotes alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from eval.errors import EvalError
from eval.metrics.words import names, numbers, tokens
from rag.protocols import Encoder
from rag.text import content_stems, language, sentences, stems

HELD = 0.7
"""Share of a claim's content stems that evidence must hold for the lexical judge.

Of .5, .6, … .9 it has the best balanced accuracy on BEGIN's development split, .879.
"""
NEAR = 0.6
"""Cosine that a claim must have with a sentence of the evidence for the embedding judge."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that says something, and the quotes that it cites."""

    text: str
    quotes: Sequence[str]


class Judge(Protocol):
    """Tells whether evidence supports a claim."""

    @property
    def name(self) -> str:
        """Its name with a version, raised whenever it would judge otherwise."""

    def supports(self, claim: str, evidence: str) -> bool:
        """Tell whether the evidence supports the claim; empty evidence never does."""


class LexicalJudge:
    """Asks that evidence hold the claim's numbers, its names and `HELD` of its content."""

    name = "lexical-1"

    def supports(self, claim: str, evidence: str) -> bool:
        """Tell whether the evidence supports the claim."""
        if claim in evidence:
            return True
        if not _holds_figures(claim, evidence):
            return False
        of = language(f"{claim} {evidence}")
        wanted = set(content_stems(claim, of))
        held = wanted.intersection(stems(evidence, of))
        return bool(wanted) and len(held) >= HELD * len(wanted)


class EmbeddingJudge:
    """Asks that evidence hold the claim's numbers and a sentence that is `NEAR` it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name = f"embedding-1/{encoder.spec.fingerprint[:8]}"

    def supports(self, claim: str, evidence: str) -> bool:
        """Tell whether the evidence supports the claim."""
        parts = [evidence[slice(*span)] for span in sentences(evidence)]
        if not parts or not _holds_figures(claim, evidence):
            return False
        vectors = self._encoder.encode_queries([claim, evidence, *parts])
        return bool(np.max(vectors[1:] @ vectors[0]) >= NEAR)


def open_judge(name: str, encoder: Encoder) -> Judge:
    """Return the judge of a name; raises `EvalError` that lists them."""
    known: dict[str, Callable[[], Judge]] = {
        "lexical": LexicalJudge,
        "embedding": lambda: EmbeddingJudge(encoder),
    }
    if name not in known:
        raise EvalError(f"There is no judge {name!r}; choose one of {', '.join(known)}.")
    return known[name]()


def citation_recall(claims: Sequence[Claim], judge: Judge) -> float | None:
    """Return the share of claims that their quotes support together; None without claims.

    Gao et al. 2023, "Enabling Large Language Models to Generate Text with Citations", section 4.
    """
    return _mean([_supported(judge, claim.text, claim.quotes) for claim in claims])


def citation_precision(claims: Sequence[Claim], judge: Judge) -> float | None:
    """Return the share of citations that are of use; None without citations.

    One is of use where its claim is supported by all its quotes together, and either this quote
    alone supports the claim or the others without it do not (the same, section 4).
    """
    return _mean([used for claim in claims for used in _useful(claim, judge)])


def unsupported_number_rate(claims: Sequence[Claim]) -> float | None:
    """Return the share of claims with numbers of which one is, by value, in none of the quotes."""
    return _mean([not _in(numbers(c.text), c) for c in claims if numbers(c.text)])


def unsupported_name_rate(claims: Sequence[Claim]) -> float | None:
    """Return the share of claims with names of which a word is in none of the quotes."""
    return _mean([not _in(names(c.text), c) for c in claims if names(c.text)])


def _useful(claim: Claim, judge: Judge) -> list[bool]:
    if not _supported(judge, claim.text, claim.quotes):
        return [False] * len(claim.quotes)
    return [
        _supported(judge, claim.text, [quote])
        or not _supported(judge, claim.text, [*claim.quotes[:at], *claim.quotes[at + 1 :]])
        for at, quote in enumerate(claim.quotes)
    ]


def _supported(judge: Judge, claim: str, quotes: Sequence[str]) -> bool:
    evidence = "\n\n".join(quote for quote in quotes if quote)
    return bool(evidence) and judge.supports(claim, evidence)


def _holds_figures(claim: str, evidence: str) -> bool:
    return numbers(claim) | names(claim) <= set(tokens(evidence))


def _in(wanted: set[str], claim: Claim) -> bool:
    return wanted <= set(tokens("\n\n".join(claim.quotes)))


def _mean(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None
