"""What a search looks for: the question, checked, with what was asked before."""

from collections.abc import Sequence

import numpy as np

from rag import text
from rag.errors import QuestionError
from rag.types import Message, Vectors

MAX_QUESTION = 20_000
"""Characters; a longer question is surely something else."""
HISTORY = 0.3
"""Weight of what was asked before beside the question itself; tuned on MTRAG's conversations."""


def joined(vectors: Vectors) -> Vectors:
    """Return one unit vector, shape (d,), of a question's and, if there is one, of what was before it.

    `vectors` has shape (1 or 2, d).
    """
    vector: Vectors = vectors[0]
    if len(vectors) > 1:
        vector = vector + HISTORY * vectors[1]
        vector /= np.linalg.norm(vector)
    return vector


def terms_of(question: str, before: str, language: str, own: str) -> dict[str, float]:
    """Return the terms to search for in texts of a language, and their weights."""
    weights = text.query_terms(question, language, own)
    for term, weight in text.query_terms(before, language, own).items():
        weights[term] = weights.get(term, 0.0) + HISTORY * weight
    return weights


def usable(question: str) -> str:
    """Return the question on one line; raises `QuestionError` for one that cannot be asked."""
    if not question.strip():
        raise QuestionError("The question is empty.")
    if len(question) > MAX_QUESTION:
        raise QuestionError(f"The question has more than {MAX_QUESTION} characters.")
    if any("\ud800" <= char <= "\udfff" for char in question):
        raise QuestionError("The question holds half of a surrogate pair, which is no character.")
    return text.squeeze(question)


def turns_before(history: Sequence[Message]) -> list[str]:
    """Return what was asked before as one text, the latest first, as an encoder may cut the end."""
    asked = [text.squeeze(turn.content) for turn in reversed(history) if turn.role == "user"]
    said = " ".join(asked).encode("utf-8", "replace").decode()
    return [said] if said else []
