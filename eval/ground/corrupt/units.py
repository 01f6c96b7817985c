"""Units and scales: kilometres for miles, billions for millions."""

from collections.abc import Iterator, Sequence
from random import Random

import regex

from eval.ground.corrupt.context import holds, is_new
from eval.ground.values import Edit, Stated

_OTHERS = {
    "kilometres": ["miles", "metres"],
    "kilometers": ["miles", "meters"],
    "km": ["miles", "metres"],
    "miles": ["kilometres", "feet"],
    "mile": ["kilometre"],
    "metres": ["kilometres", "feet"],
    "meters": ["kilometers", "feet"],
    "feet": ["metres", "miles"],
    "inches": ["feet"],
    "acres": ["hectares"],
    "hectares": ["acres"],
    "pounds": ["tons"],
    "tons": ["pounds"],
    "kg": ["tons"],
    "seconds": ["minutes"],
    "minutes": ["hours", "seconds"],
    "hours": ["days", "minutes"],
    "hour": ["day"],
    "days": ["weeks", "hours"],
    "day": ["month"],
    "weeks": ["months", "days"],
    "week": ["month"],
    "months": ["years", "weeks"],
    "month": ["year"],
    "years": ["months", "decades"],
    "year": ["month"],
    "decades": ["years", "centuries"],
    "decade": ["year"],
    "centuries": ["decades"],
    "hundred": ["thousand"],
    "thousand": ["million"],
    "million": ["billion", "thousand"],
    "billion": ["million", "trillion"],
    "trillion": ["billion"],
    "dollars": ["euros", "pounds"],
    "euros": ["dollars"],
}
_COUNT = (
    r"(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|several|few)"
)
_BOUND = r"(?<!(?:than|over|least|most|to|under|nearly) )"
"""What is at least four weeks is more than four days too."""
_UNIT = regex.compile(
    rf"(?i)(?<={_BOUND}(?<![\p{{L}}\p{{N}}]){_COUNT}[ -])(?:{'|'.join(_OTHERS)})(?![\p{{L}}\p{{N}}])"
    r"(?! (?:ago|later|earlier|after|before|old|and|or|war)\b)"
)


def other(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with another unit after a number; nothing where the passage gives both."""
    matches = list(_UNIT.finditer(of.claim))
    rng.shuffle(matches)
    for match in matches:
        choices = list(_OTHERS[match.group().casefold()])
        rng.shuffle(choices)
        for new in choices:
            edit = Edit.of(match, new)
            if not holds(of.passage, new) and not holds(of.claim, new) and is_new(of, [edit]):
                yield [edit]
