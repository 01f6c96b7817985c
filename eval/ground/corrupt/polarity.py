"""Polarity: a claim denied, a denial affirmed, a word turned into its opposite."""

from collections.abc import Iterator, Sequence
from random import Random

import regex

from eval.ground.corrupt.context import capital_as, holds, is_new, said_elsewhere
from eval.ground.values import Edit, Stated

_AUXILIARY = regex.compile(r"\b(?:is|are|was|were|has|have|had|can|will|does|did)\b")
_SUBORDINATE = regex.compile(
    r"""(?xi)\b(?:which|that|who|whom|whose|where|when|while|if|because|although|though|as|since|after
    |before|until|and|or|but|what|how|why|whether|than|not|never|no|none|nor|neither|without|hardly
    |seldom)\b|[,;:"“”]"""
)
"""Before a verb: it may belong to another clause, or the claim denies something already."""
_SOME = regex.compile(
    r"""(?xi)\b(?:some|many|several|few|most|all|both|each|every|any|one|half|much|more|less|part|often
    |may|might|usually|sometimes|there|various|certain|other|others|another|only|even|also|either)\b"""
)
"""Before a verb: of some it may be true and not true. "There was" would need "no"."""
_NO_ROOM = regex.compile(
    r"""(?xi)^\s*(?:(?:not|no|never|also|only|just|often|usually|sometimes|still|already|even|probably
    |likely|either|neither|both|always|rarely|seldom|hardly|to|one|some|many|currently|generally
    |typically|largely|mostly|mainly|partly|perhaps)\b|n[’']t|[,.;:?!)]|$)"""
)
"""After an auxiliary: "not" would deny too little, or read badly."""
_BASE_FORMS = """
became/become began/begin wrote/write gave/give took/take went/go grew/grow chose/choose drew/draw
fell/fall rose/rise broke/break spoke/speak knew/know saw/see lost/lose won/win led/lead built/build
brought/bring caused/cause defeated/defeat founded/found invented/invent discovered/discover
created/create agreed/agree refused/refuse returned/return moved/move helped/help patented/patent
appointed/appoint designed/design believed/believe wanted/want ordered/order supported/support
backed/back freed/free allowed/allow served/serve described/describe accepted/accept
""".split()
_DONE = dict(pair.split("/") for pair in _BASE_FORMS)
_DID = regex.compile(rf"\b(?:{'|'.join(_DONE)})\b")
_WEAK = r"(?!(?:only|just|necessarily|all|until|merely|simply|always|long|been (?:fully|entirely))\b)"
_DENIALS = (
    (regex.compile(r"(?<=\b(?:do|does|did)) not(?= \p{Ll})"), ""),
    (
        regex.compile(
            rf"(?<=\b(?:is|are|was|were|has|have|had|can|will|would|could|should|must) )not {_WEAK}"
        ),
        "",
    ),
    (regex.compile(r"\bcannot(?= )"), "can"),
    (regex.compile(r"(?<=\b(?:is|are|was|were|has|have|had|can|will|would|could) )never "), "always "),
    (
        regex.compile(
            r"(?<=\b(?:is|are|was|were|has|have|had|by|of) )no (?!(?:longer|more|fewer|less|doubt)\b)"
        ),
        "some ",
    ),
)
"""Denials, and what takes their place."""
_PAIRS = """
increase/decrease increased/decreased increases/decreases rose/fell largest/smallest larger/smaller
highest/lowest higher/lower oldest/youngest older/younger earliest/latest northern/southern
eastern/western north/south majority/minority accepted/rejected legal/illegal strongest/weakest
stronger/weaker longer/shorter longest/shortest faster/slower won/lost above/below inside/outside
domestic/foreign male/female men/women success/failure successful/unsuccessful common/rare
always/never allowed/forbade permanent/temporary expensive/cheap warmer/colder greater/smaller
upper/lower easy/hard minimum/maximum imports/exports bought/sold victory/defeat ancient/modern
best/worst better/worse possible/impossible positive/negative huge/tiny internal/external
before/after
""".split()
_TURNS = [pair.split("/") for pair in _PAIRS]
_OPPOSITES = {one: other for a, b in _TURNS for one, other in ((a, b), (b, a))}
_OPPOSITE = regex.compile(rf"(?<![\p{{L}}'’-])(?:{'|'.join(_OPPOSITES)})(?![\p{{L}}-])")
_FIXED_AFTER = regex.compile(r"^(?: (?:or|and|of all|minister|rock|education)\b|,? \p{Lu})")
"""After a word: it is one of two that are named together, or part of a name."""
_OF_TIME = regex.compile(r"(?i)^ (?:\d|the |an? |his |her |its |their )")
"""After "before" and "after" where they tell a time."""
_HEDGED = regex.compile(r"(?i)\b(?:not|never|no|few|some|of the|neither|nor|perhaps|may|might)\b")
"""Before a word: its opposite may be true as well."""


def denied(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with "not" in their main clause."""
    claim = of.claim
    match = _AUXILIARY.search(claim)
    if match is not None and _is_main(claim, match) and not _NO_ROOM.search(claim[match.end() :]):
        yield [Edit.of(match, "cannot" if match.group() == "can" else f"{match.group()} not")]
    match = _DID.search(claim)
    if match is not None and _is_main(claim, match) and not _AUXILIARY.search(claim[: match.end()]):
        yield [Edit.of(match, f"did not {_DONE[match.group()]}")]


def affirmed(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims from which a denial was taken."""
    for form, new in _DENIALS:
        for match in form.finditer(of.claim):
            edit = Edit.of(match, new)
            if is_new(of, [edit]):
                yield [edit]


def opposite(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with a word turned into its opposite."""
    matches = list(_OPPOSITE.finditer(of.claim))
    rng.shuffle(matches)
    for match in matches:
        old = match.group()
        new = capital_as(old, _OPPOSITES[old])
        edit = Edit.of(match, new)
        if (
            not _is_bound(of.claim, match)
            and not holds(of.claim, new)
            and not said_elsewhere(of, old, new)
            and is_new(of, [edit])
        ):
            yield [edit]


def _is_main(claim: str, match: "regex.Match[str]") -> bool:
    """Tell whether a verb is the claim's own: nothing before it opens a clause or weakens it."""
    before = claim[: match.start()]
    return bool(before.strip()) and not (_SUBORDINATE.search(before) or _SOME.search(before))


def _is_bound(claim: str, match: "regex.Match[str]") -> bool:
    """Tell whether a word stands where its opposite would not make the claim false, or not fit."""
    after = claim[match.end() :]
    timeless = match.group() in ("before", "after") and not _OF_TIME.search(after)
    hedged = _HEDGED.search(claim[: match.start()])
    return bool(timeless or hedged or _FIXED_AFTER.search(after))
