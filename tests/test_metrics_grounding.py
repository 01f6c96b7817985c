"""ALCE's definitions, worked by hand with a judge that one can check in the head."""

from collections.abc import Sequence

import pytest

from eval.errors import EvalError
from eval.metrics.grounding import (
    Claim,
    EmbeddingJudge,
    LexicalJudge,
    citation_precision,
    citation_recall,
    open_judge,
    unsupported_name_rate,
    unsupported_number_rate,
)
from tests.conftest import LetterEncoder


class Letters:
    """Evidence supports a claim where it holds all of its letters."""

    name = "letters"

    def supports(self, claim: str, evidence: str) -> bool:
        return set(claim) <= set(evidence)


def score(claim: str, *quotes: str) -> tuple[float | None, float | None]:
    claims = [Claim(claim, quotes)]
    return citation_recall(claims, Letters()), citation_precision(claims, Letters())


@pytest.mark.parametrize(
    ("claim", "quotes", "recall", "precision"),
    [
        ("ab", ["ab"], 1, 1),
        ("ab", ["a", "b"], 1, 1),  # each is needed
        ("ab", ["ab", "x"], 1, 0.5),  # x neither supports nor is missed
        ("ab", ["ab", "b"], 1, 0.5),  # b supports in part, and is not missed
        ("ab", ["ab", "ab"], 1, 1),  # each supports alone
        ("ab", ["a"], 0, 0),  # where nothing supports, no citation is of use
        ("ab", ["a", "x"], 0, 0),
        ("ab", [], 0, None),
        ("ab", [""], 0, 0),  # a marker that names no passage
    ],
)
def test_alce_by_hand(
    claim: str, quotes: Sequence[str], recall: float, precision: float | None
) -> None:
    assert score(claim, *quotes) == (recall, precision)


def test_recall_is_over_claims_and_precision_over_citations() -> None:
    claims = [Claim("a", ["a"]), Claim("ab", ["ab", "x"]), Claim("c", [])]
    assert citation_recall(claims, Letters()) == pytest.approx(2 / 3)
    assert citation_precision(claims, Letters()) == pytest.approx(2 / 3)
    assert citation_recall([], Letters()) is None
    assert citation_precision([], Letters()) is None


def test_numbers_and_names_that_no_quote_holds() -> None:
    quote = "On 16 September, Minsk freed thirty-seven people."
    assert unsupported_number_rate([Claim("On 16 September 37 left.", [quote])]) == 0
    assert unsupported_number_rate([Claim("38 left.", [quote]), Claim("37 left.", [quote])]) == 0.5
    assert unsupported_number_rate([Claim("People left.", [quote])]) is None
    assert unsupported_name_rate([Claim("They left in September.", [quote])]) == 0
    assert unsupported_name_rate([Claim("They left in Warsaw.", [quote])]) == 1
    assert unsupported_name_rate([Claim("they left", [quote])]) is None


@pytest.mark.parametrize(
    ("claim", "held"),
    [
        ("The latest wave freed thirty-seven people.", True),
        ("The latest wave freed 37 people on 16 September.", True),
        ("The latest wave freed 38 people.", False),
        ("The latest wave, says Lukashenko, freed 37 people.", False),
        ("The election will be held by order of the ministry.", False),
    ],
)
def test_the_lexical_judge(claim: str, held: bool) -> None:
    quote = "The latest wave, on 16 September, freed thirty-seven people."
    assert LexicalJudge().supports(claim, quote) is held


def test_the_embedding_judge_looks_at_each_sentence(letters: LetterEncoder) -> None:
    judge = EmbeddingJudge(letters)
    assert judge.supports("tea is hot", "Zzz zzz zzz zzz zzz zzz. Hot tea is it.")
    assert not judge.supports("tea is hot", "Zzz zzz zzz.")
    assert not judge.supports("tea at 90", "tea at 80")
    assert not judge.supports("tea", "")


def test_an_unknown_judge_is_refused_with_the_known_ones(letters: LetterEncoder) -> None:
    assert open_judge("lexical", letters).name == "lexical-1"
    assert open_judge("embedding", letters).name == "embedding-1/ffffffff"
    with pytest.raises(EvalError, match="lexical, embedding"):
        open_judge("gpt", letters)
