"""Judges of whether a text supports a claim, beyond what rules can see."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import regex

from rag import text
from rag.errors import ConfigError
from rag.protocols import Encoder, Judge

_CONTENT, _ALL, _PAIRS = 0.375, 0.25, 0.375
"""Weights of content stems, of all stems and of pairs of neighbours; tuned on BEGIN's dev split."""
_VECTORS = 0.15
"""Weight of vectors beside that of words; the same."""
_QUESTION = 0.5
"""What is left of a score where the claim asks and states nothing; the same."""
_TALK = 0.7
"""What is left where the claim speaks of "I" or "you" and the text does not; the same."""
_LACKING = 0.5
"""What is left where the text holds nothing of what a claim says beside names and numbers, or not all
of what a claim of `_FEW` words says."""
_FEW = 4
NEITHER = 0.4
"""The score of a claim such as "Yes", which no text supports or refutes by itself: short of support."""
_NEITHER = regex.compile(
    r"[\W_]*(?:yes|no|true|false|correct|ja|nein|sí|si|non|oui|não|sim|да|нет|是|不是|对)?[\W_]*",
    regex.I,
)
_NAMED = regex.compile(r"(?<=[\p{L}\p{N},;:)’'\"] )\p{Lu}[\p{L}\p{M}\p{N}]*|\p{N}+")
_SPEAKERS = regex.compile(r"(?<!\p{L})(?:I|you|we|my|your|our|me|us)(?!\p{L})", regex.I)


class LexicalJudge:
    """Weighs the shares of a claim's content stems, stems and neighbouring stems that a text holds."""

    name = "lexical-2"
    threshold = 0.42

    def scores(self, claim: str, texts: Sequence[str], language: str) -> Sequence[float]:
        """Return the weighed share for each text, 0..1."""
        if _NEITHER.fullmatch(claim):
            return [NEITHER] * len(texts)
        content = _content(claim, language)
        every = text.stems(claim, language)
        return [
            _shares(content, every, text.stems(each, language)) * _tone(claim, each) for each in texts
        ]


class HybridJudge:
    """Weighs the likeness of words with that of vectors, which also see words of like meaning."""

    threshold = 0.42

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._words = LexicalJudge()
        self.name = f"hybrid-1/{encoder.spec.fingerprint[:8]}"

    def scores(self, claim: str, texts: Sequence[str], language: str) -> Sequence[float]:
        """Return the weighed score of each text; words alone where the encoder cannot read."""
        words = self._words.scores(claim, texts, language)
        readable = self._encoder.spec.languages
        blind = readable is not None and language not in (*readable, text.UNKNOWN)
        if not texts or blind or _NEITHER.fullmatch(claim):
            return words
        vectors = self._encoder.encode_queries([text.squeeze(each) for each in (claim, *texts)])
        cosines = np.clip(vectors[1:] @ vectors[0], 0, 1)
        return [
            (1 - _VECTORS) * share + _VECTORS * float(cosine) * _tone(claim, each)
            for share, cosine, each in zip(words, cosines, texts, strict=True)
        ]


def _content(claim: str, language: str) -> set[str]:
    """Return the stems that say something, if possible without names and numbers: rules check those."""
    every = set(text.content_stems(claim, language))
    plain = every - {stem for word in _NAMED.findall(claim) for stem in text.stems(word, language)}
    return plain or every


def _shares(content: set[str], every: Sequence[str], held: Sequence[str]) -> float:
    known, pairs = set(held), set(pairwise(held))
    neighbours = list(pairwise(every))
    shares = (
        (_CONTENT, len(content & known), len(content)),
        (_ALL, sum(stem in known for stem in every), len(every)),
        (_PAIRS, sum(pair in pairs for pair in neighbours), len(neighbours)),
    )
    lacking = content.isdisjoint(known) or (len(every) <= _FEW and not content <= known)
    whole = sum(weight for weight, _, count in shares if count)
    return (
        (_LACKING if lacking else 1.0)
        * sum(weight * there / n for weight, there, n in shares if n)
        / (whole or 1)
    )


def _tone(claim: str, said: str) -> float:
    asks = _QUESTION if claim.rstrip().endswith(("?", "？", "؟")) else 1.0
    talks = _TALK if _SPEAKERS.search(claim) and not _SPEAKERS.search(said) else 1.0
    return asks * talks


def open_judge(spec: str, encoder: Encoder) -> Judge:
    """Return the judge that `RAG_JUDGE` names; raises `ConfigError` for one that is not there.

    `hybrid`, `lexical`, or `nli:<model>`: a cross-encoder trained to tell entailment.
    """
    kind, _, model = spec.partition(":")
    if kind == "hybrid" and not model:
        return HybridJudge(encoder)
    if kind == "lexical" and not model:
        return LexicalJudge()
    if kind == "nli" and model:
        from rag.cite.nli import NLIJudge

        return NLIJudge(model)
    raise ConfigError(f"No judge {spec!r}; use hybrid, lexical or nli:<model>.")
