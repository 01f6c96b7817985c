"""Questions and texts changed by a little, so that the text no longer answers.

They teach what questions written to mislead do: that being about the same thing is not enough.
"""

from collections.abc import Sequence

import numpy as np
import regex

from eval.reader.rows import Row
from rag import text

_NUMBER = regex.compile(r"\b\d[\d,.]*\b")
_NAME = regex.compile(r"(?<=[\p{Ll}\d,] )\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*")
"""Capitalised words that do not begin a sentence."""


def other_question(row: Row, beside: Sequence[str], rng: np.random.Generator) -> str | None:
    """Return the question with a number or name of it replaced by one that stands beside.

    What is replaced stands in the text, what replaces it does not. None where there is no such pair.
    """
    pairs = []
    for pattern in (_NUMBER, _NAME):
        known = set(pattern.findall(row.context))
        old = [found for found in pattern.finditer(row.question) if found.group() in known]
        new = sorted({name for each in beside for name in pattern.findall(each)} - known)
        new = [name for name in new if name not in row.context and name not in row.question]
        for found in old:
            alike = [name for name in new if pattern is _NAME or len(name) == len(found.group())]
            pairs += [(found, alike)] if alike else []
    if not pairs:
        return None
    found, new = pairs[int(rng.integers(len(pairs)))]
    put = new[int(rng.integers(len(new)))]
    return f"{row.question[: found.start()]}{put}{row.question[found.end() :]}"


def without_answer(row: Row) -> str | None:
    """Return the text without the sentences that hold an accepted wording.

    None where little would be left.
    """
    kept = []
    folded = [answer.casefold() for answer in row.answers]
    for start, end in text.sentences(row.context):
        said = row.context[start:end]
        touched = start < row.end and row.start < end
        if not touched and not any(answer in said.casefold() for answer in folded):
            kept.append(said)
    return " ".join(kept) if len(kept) >= 2 else None
