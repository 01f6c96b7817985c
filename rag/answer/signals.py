"""What speaks for or against an answer: what its confidence is fitted on and judged by."""

import re

from rag import text
from rag.cite import Cited
from rag.types import Draft, Retrieval

_FIGURE = re.compile(r"\d+")
_NAME = re.compile(r"(?<=\s)[A-Z][a-z]{2,}")
"""A capitalised word that does not begin the question."""


def signals(retrieval: Retrieval, draft: Draft, cited: Cited) -> dict[str, float]:
    """Return all that speaks for or against an answer, each 0..1, by name.

    Cosines are left out where the encoder cannot read the language: they mean nothing there.
    `figures` is 1 where what is quoted, with its neighbourhood, holds every number of the question,
    0 where it lacks one, and a half where the question has none; `names` is the same of capitalised
    words and the quotes with their headings alone.
    """
    found = {f"answer_{name}": value for name, value in draft.signals.items()}
    claims = [each for each in cited.sentences if each.verdict != "no_claim"]
    verified = sum(each.verdict == "verified" for each in claims)
    found["verified"] = verified / len(claims) if claims else 0.0
    found["known"] = 1 - len(retrieval.unknown) / max(1, len(retrieval.terms))
    passages = retrieval.passages
    found["passage_coverage"] = max((_coverage(retrieval, p.text) for p in passages), default=0.0)
    found["passage_cosine"] = max((p.signals.get("dense", 0.0) for p in passages), default=0.0)
    quoted = {citation.doc for citation in cited.citations}
    near = " ".join(f"{p.title} {p.text}" for p in passages if p.doc in quoted)
    figures = set(_FIGURE.findall(retrieval.question))
    found["figures"] = float(figures <= set(_FIGURE.findall(near))) if figures else 0.5
    names = set(_NAME.findall(retrieval.question))
    quotes = " ".join(f"{c.title} {c.locator} {c.quote}" for c in cited.citations).casefold()
    held = sum(name.casefold() in quotes for name in names)
    found["names"] = held / len(names) if names else 0.5
    if any(notice.code == "encoder_blind" for notice in retrieval.notices):
        found = {name: value for name, value in found.items() if "cosine" not in name}
    return found


def _coverage(retrieval: Retrieval, passage: str) -> float:
    """Return the share of the question's stems, by rarity, that a passage holds."""
    whole = sum(retrieval.terms.values())
    stems = set(text.stems(passage, retrieval.language))
    held = sum(rarity for term, rarity in retrieval.terms.items() if term in stems)
    return held / whole if whole else 0.0
