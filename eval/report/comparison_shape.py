"""What a comparison holds; `comparison.schema.json` is written from this."""

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, TypeAdapter, with_config
from typing_extensions import TypedDict

from eval.report.shape import STRICT, Score, Share, written_schema

Verdict = Literal["PASS", "INCONCLUSIVE", "FAIL"]
Edited = Annotated[bool, Field(description="Whether a document that holds its evidence changed.")]


@with_config(STRICT)
class CausePart(TypedDict):
    """Something that differs between the runs."""

    kind: Literal["seeds", "gold", "settings", "prompt", "model", "calibration", "code", "index"]
    said: str


@with_config(STRICT)
class SidePart(TypedDict):
    """A metric over some of the pairs."""

    n: NonNegativeInt
    base: Score
    new: Score
    lost: NonNegativeInt
    won: NonNegativeInt


@with_config(STRICT)
class GatePart(SidePart):
    """The difference of a gated metric over all pairs, and whether it could be chance."""

    metric: str
    title: str
    kind: Literal["binary", "continuous"]
    difference: Annotated[float, Field(ge=-1, le=1)]
    low: Score
    high: Score
    interval: str | None
    p: Share
    p_holm: Share
    untouched: SidePart
    edited: SidePart
    verdict: Verdict
    least_detectable: Annotated[
        Score, Field(description="The smallest loss that so many items could have told from chance.")
    ]


@with_config(STRICT)
class FlipPart(TypedDict):
    """An item that is right in one run alone."""

    id: str
    question: str
    metric: str
    direction: Literal["lost", "won"]
    stage: str
    edited: Edited
    causes: list[CausePart]
    before: str
    after: str


@with_config(STRICT)
class ComparisonShape(TypedDict):
    """Two runs, item by item."""

    verdict: Verdict
    paired: NonNegativeInt
    only_base: list[str]
    only_new: list[str]
    margin: Share
    changed: list[CausePart]
    gates: list[GatePart]
    flips: list[FlipPart]


comparison_type: TypeAdapter[ComparisonShape] = TypeAdapter(ComparisonShape)


def comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema of a comparison; `comparison.schema.json` holds it."""
    return written_schema("A comparison of seedrag's eval", comparison_type)
