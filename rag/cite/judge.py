"""Judges of whether a text supports a claim, beyond what rules can see."""

from collections.abc import Sequence

from rag import text
from rag.errors import ConfigError
from rag.protocols import Encoder, Judge


class LexicalJudge:
    """Counts the share of a claim's content stems that a text holds."""

    name = "lexical-1"
    threshold = 0.6

    def scores(self, claim: str, texts: Sequence[str], language: str) -> Sequence[float]:
        """Return for each text the share of the claim's content stems that it holds."""
        wanted = set(text.content_stems(claim, language))
        if not wanted:
            return [0.0] * len(texts)
        return [len(wanted.intersection(text.stems(each, language))) / len(wanted) for each in texts]


def open_judge(spec: str, encoder: Encoder) -> Judge:
    """Return the judge that `RAG_JUDGE` names; raises `ConfigError` for an unknown one."""
    if spec == "lexical":
        return LexicalJudge()
    raise ConfigError(f"No judge {spec!r}; use lexical.")
