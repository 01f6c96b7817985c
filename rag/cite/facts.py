"""What of a claim can be checked by rule: numbers and denial."""

from collections.abc import Sequence

import regex

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


def contradictions(claim: str, said: str, language: str) -> Sequence[str]:
    """Return what of a claim a text lacks or contradicts, for people."""
    found = [f"lacks {each}" for each in sorted(_figures(claim) - _figures(said))]
    if bool(_DENIAL.search(claim)) != bool(_DENIAL.search(said)):
        found.append("one denies what the other says")
    return found


def _figures(said: str) -> set[str]:
    return {*_NUMBER.findall(said), *(word.casefold() for word in _NUMERAL.findall(said))}
