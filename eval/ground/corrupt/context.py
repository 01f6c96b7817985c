"""Whether a changed claim could still be true of its passage."""

from collections.abc import Iterable

import regex

from eval.ground.values import Edit, Stated, edited
from rag.text import content_stems, sentences, squeeze

_NEAR = 0.5
"""Share of a claim's stems that a sentence about the same has at least."""


def said_elsewhere(of: Stated, old: str, new: str) -> bool:
    """Tell whether a sentence of the passage that holds `new` may say the same of it.

    The claim's other words decide: a sentence that has half of them is about the same thing.
    """
    rest = set(content_stems(of.claim.replace(old, " "), "en")) - set(
        content_stems(f"{old} {new}", "en")
    )
    for start, end in sentences(of.passage):
        said = of.passage[start:end]
        if holds(said, new) and not _is_source(of, said):
            shared = rest.intersection(content_stems(said, "en"))
            if len(shared) >= _NEAR * len(rest):
                return True
    return False


def holds(text: str, part: str) -> bool:
    """Tell whether a text holds a word or phrase, as whole words and whatever the case."""
    if part.casefold() not in text.casefold():
        return False
    return bool(
        regex.search(rf"(?i)(?<![\p{{L}}\p{{N}}]){regex.escape(part)}(?![\p{{L}}\p{{N}}])", text)
    )


def is_new(of: Stated, edits: Iterable[Edit]) -> bool:
    """Tell whether the edited claim differs from the claim and does not stand in the passage."""
    claim = squeeze(edited(of.claim, list(edits))).casefold()
    return claim != squeeze(of.claim).casefold() and claim not in squeeze(of.passage).casefold()


def capital_as(old: str, new: str) -> str:
    """Return `new` with a capital where `old` begins with one, small where not."""
    return new[0].upper() + new[1:] if old[0].isupper() else new[0].lower() + new[1:]


def _is_source(of: Stated, sentence: str) -> bool:
    """Tell whether a sentence is the one that the claim repeats."""
    return squeeze(of.claim).casefold().strip(" .") in squeeze(sentence).casefold()
