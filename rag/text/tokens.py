"""How many tokens a text may take, where nobody's tokenizer is at hand."""

import regex

_ALONE = regex.compile(r"[\p{N}\p{P}\p{S}\n]")
"""What many tokenizers give a token of its own."""
_BYTES = 4
"""Bytes of other text, its blanks included, that make a token or more in every language tried."""


def token_estimate(text: str) -> int:
    """Return about how many tokens a text takes, rather too many than too few."""
    alone = len(_ALONE.findall(text))
    return alone + (len(text.encode()) - alone) // _BYTES + 1
