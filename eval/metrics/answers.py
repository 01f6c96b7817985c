"""Answers against gold: exact match, token F1, containment, numbers, longest common subsequence."""

from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

from eval.metrics.words import contains, numbers, squad_tokens, tokens


def exact_match(prediction: str, accepted: Sequence[str]) -> float:
    """Return 1 where a wording has the same SQuAD tokens; nothing is accepted: the empty answer."""
    said = squad_tokens(prediction)
    return float(any(said == squad_tokens(wording) for wording in accepted or [""]))


def f1(prediction: str, accepted: Sequence[str]) -> float:
    """Return the best F1 over multisets of SQuAD tokens; an empty side scores 1 beside another alone.

    Rajpurkar et al. 2018, official evaluation script.
    """
    return max(_f1(squad_tokens(prediction), squad_tokens(wording)) for wording in accepted or [""])


def numeric_match(prediction: str, accepted: Sequence[str]) -> float | None:
    """Return 1 where the numbers are those of a wording, by value; None where none has a number."""
    wanted = [found for wording in accepted if (found := numbers(wording))]
    return float(numbers(prediction) in wanted) if wanted else None


def fact_recall(prediction: str, required: Sequence[Sequence[str]]) -> float | None:
    """Return the share of required answers of which a wording stands in the prediction.

    A wording stands there where its tokens do, one after another.
    """
    if not required:
        return None
    said = tokens(prediction)
    held = [any(contains(said, tokens(wording)) for wording in wordings) for wordings in required]
    return sum(held) / len(held)


def rouge_l(prediction: str, accepted: Sequence[str]) -> float | None:
    """Return the best F1 of the longest common subsequence of tokens; None without a wording.

    Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 3, with beta 1.
    """
    said = tokens(prediction)
    return max((_lcs_f1(said, tokens(wording)) for wording in accepted), default=None)


def _f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    common = (Counter(said) & Counter(wanted)).total()
    return 2 * common / (len(said) + len(wanted))


def _lcs_f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    return 2 * LCSseq.similarity(said, wanted) / (len(said) + len(wanted))
