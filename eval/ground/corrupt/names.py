"""Names: another of the same kind, from elsewhere or from the passage."""

from collections.abc import Iterator, Sequence
from random import Random

import regex

from eval.ground.corrupt.context import holds, is_new, said_elsewhere
from eval.ground.corrupt.words import COUNTRIES, KINDS, NATIONALITIES
from eval.ground.values import Edit, Stated

_FORMS = [
    regex.compile(rf"(?<![\p{{L}}\p{{N}}'’-])(?:{'|'.join(kind)})(?![\p{{L}}\p{{N}}-])")
    for kind in KINDS
]
_CAPITAL = regex.compile(r"\p{Lu}[\p{L}.'’-]*$")
_PART_AFTER = regex.compile(r"^(?: (?:of (?:the )?)?\p{Lu}|['’]s \p{Lu})")
_PART_BEFORE = regex.compile(
    r"(?:\p{Lu}[\p{L}.'’-]* (?:of (?:the )?|and |& )"
    r"|\b(?i:north|south|east|west|northern|southern|new|san|st\.|northeast|northwest) )$"
)


_STOCK = {
    name[:4]: [each for each in (*COUNTRIES, *NATIONALITIES) if each[:4] == name[:4]]
    for name in (*COUNTRIES, *NATIONALITIES)
}
"""Countries and their people, by how they begin: Russia, Russian."""
_LONGEST = 80
"""Characters around a name that are looked at."""


def other(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with a name of the same kind that the passage does not hold."""
    for kind, match in found(of.claim):
        known = [name for name in KINDS[kind] if not _told(of, name)]
        if known and not _told_of(of, match.group()):
            yield [_edit(of.claim, match, rng.choice(known))]


def nearby(of: Stated, rng: Random) -> Iterator[Sequence[Edit]]:
    """Yield claims with another name of the passage that answers the same kind of question."""
    if of.answer and of.rivals:
        start = of.claim.casefold().find(of.answer.casefold())
        new = rng.choice(of.rivals)
        if start == 0:
            new = new[0].upper() + new[1:]
        edit = Edit(start, start + len(of.answer), new)
        if start >= 0 and is_new(of, [edit]):
            yield [edit]
    for kind, match in found(of.claim):
        there = sorted({each.group() for at, each in found(of.passage) if at == kind})
        rng.shuffle(there)
        for new in there:
            edit = _edit(of.claim, match, new)
            if (
                not _akin(of.claim, new)
                and not said_elsewhere(of, match.group(), new)
                and not _side_by_side(of.passage, match.group(), new)
                and is_new(of, [edit])
            ):
                yield [edit]


def found(text: str) -> list[tuple[int, "regex.Match[str]"]]:
    """Return the names of known kinds that are no parts of longer names, with their kinds."""
    return [
        (kind, match)
        for kind, form in enumerate(_FORMS)
        for match in form.finditer(text)
        if not _is_part(text, *match.span())
    ]


def _is_part(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _LONGEST) : start], text[end : end + _LONGEST]
    word = _CAPITAL.search(before.rstrip(" "))
    opens = word is not None and (word.start() == 0 or before[: word.start()].rstrip().endswith("."))
    inside = (
        word is not None and before.endswith(" ") and not before.rstrip().endswith(".") and not opens
    )
    return bool(inside or _PART_AFTER.search(after) or _PART_BEFORE.search(before))


def _edit(claim: str, match: "regex.Match[str]", new: str) -> Edit:
    """Replace a name, and "a" before it by "an" where the new one asks for it."""
    start, end = match.span()
    article = regex.search(r"(?i)\b(an?) $", claim[:start])
    if article is None:
        return Edit(start, end, new)
    fitting = f"{article[1][0]}n" if new[0] in "AEIO" else article[1][0]
    return Edit(article.start(1), end, f"{fitting} {new}")


def _akin(text: str, name: str) -> bool:
    """Tell whether a text holds a name or one of the same stock: Russia, Russian."""
    return holds(text, name) or any(holds(text, each) for each in _STOCK.get(name[:4], ()))


def _told(of: Stated, name: str) -> bool:
    return _akin(of.passage, name) or _akin(of.claim, name)


def _told_of(of: Stated, name: str) -> bool:
    return len(regex.findall(rf"\b{name}\b", of.claim)) > 1


def _side_by_side(text: str, one: str, other: str) -> bool:
    """Tell whether two names stand in one list, as those of which the same is said do."""
    between = r"(?:[\p{L}'’ -]{0,30}(?:,|\band\b|\bor\b)){1,4}[\p{L}'’ -]{0,12}?"
    return bool(regex.search(rf"\b{one}\b{between}\b{other}\b|\b{other}\b{between}\b{one}\b", text))
