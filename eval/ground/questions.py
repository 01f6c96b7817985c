"""A question and its answer → what they say: "Who led it?" and "Rollo" give "Rollo led it".

Only questions are taken whose statement is the question with its first words replaced.
"""

from collections.abc import Iterator, Sequence

import regex

from eval.gold import GoldItem
from eval.ground.values import Stated

_ASKS = {
    "person": regex.compile(r"(?i)who(?=\s)"),
    "count": regex.compile(r"(?i)how many(?=\s)"),
    "place": regex.compile(
        r"(?i)(?:what|which) (?:country|city|state|river|region|nation|town|continent|county)(?=\s)"
    ),
    "person or body": regex.compile(
        r"(?i)(?:what|which) (?:king|emperor|company|organization|person|group|president|scientist"
        r"|university|actor|team|leader|poet|engineer|mathematician|philosopher|dynasty|pope)(?=\s)"
    ),
}
"""What is asked for by words that the answer can take the place of."""
_AUXILIARY = "did|does|do|is|are|was|were|will|would|can|could|has|have|had|should|may|might|else"
_INVERTED = regex.compile(rf"(?i)(?:\S+ ){{0,4}}?(?:{_AUXILIARY})\b")
_SUBJECT = regex.compile(
    r"(?:was|were|is|are|had|has|will|would|could|can) "
    r"(?!(?:there|the|a|an|his|her|its|their|it|he|she|they)\b)\p{Ll}"
)
"""After "who": an auxiliary that no subject of its own follows."""
_COUNTED = regex.compile(
    r"(?:[\p{Ll}'-]+ ){1,3}(?:were|are|was|is|have|had) (?!there\b)[\p{Ll}]+(?:ed|en|wn)\b"
)
_VERB = regex.compile(r"\p{Ll}+(?:ed|s|ught|ook|ade|rote|ave|on|ent|ew|ame|an|eld|old|ell)\b")
_DANGLING = regex.compile(r"(?i)\bbesides\b|\bdid\b|\b(?:of|with|to|for|from|by|in|as)$")
"""What an answer at the beginning leaves without its object."""
_COUNT = regex.compile(
    r"(?:about |over |more than )?[\d,.]+(?: (?:million|billion|thousand))?"
    r"|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
)
_NAMED = regex.compile(
    r"(?:the )?\p{Lu}[\p{L}.'’-]+(?: (?:of|de|von|the|van|[IVX]+|\p{Lu}[\p{L}.'’-]*))*"
)
_PAIRED = r"(?:,? (?:and|or|as well as|&) (?:the )?|, )"


def statements(doc: str, text: str, items: Sequence[GoldItem]) -> Iterator[Stated]:
    """Yield the statements of the questions of one paragraph, with rivals of their answers."""
    answers: dict[str, set[str]] = {}
    usable = []
    for item in items:
        kind = _kind(item)
        answer = item.answers[0].text.strip(" .,") if item.answers else ""
        if kind and _is_fit(kind, answer):
            answers.setdefault(kind, set()).add(answer)
            usable.append((item, kind, answer))
    for item, kind, answer in usable:
        claim = _statement(item.question, kind, answer)
        if claim is None:
            continue
        known = " ".join(each for a in item.answers for each in a.accepted).casefold()
        rivals = sorted(
            other
            for other in answers[kind]
            if not _shares(other, known)
            and not _shares(other, claim.casefold())
            and not _coordinated(answer, other, text)
        )
        yield Stated(claim, text, "questions", doc, rivals, answer)


def _kind(item: GoldItem) -> str | None:
    return next((kind for kind, asks in _ASKS.items() if asks.match(item.question)), None)


def _is_fit(kind: str, answer: str) -> bool:
    return bool((_COUNT if kind == "count" else _NAMED).fullmatch(answer))


def _statement(question: str, kind: str, answer: str) -> str | None:
    """Return the statement, or None where replacing the first words would not make a sentence."""
    match = _ASKS[kind].match(question)
    if match is None or not question.rstrip().endswith("?"):
        return None
    rest = question[match.end() :].strip().rstrip("?").rstrip()
    if kind == "count":
        if not _COUNTED.match(rest):
            return None
    elif not (_SUBJECT.match(rest) or (_VERB.match(rest) and not _INVERTED.match(rest.split()[0]))):
        return None
    if len(rest.split()) < 4 or _DANGLING.search(rest):
        return None
    return f"{answer[0].upper()}{answer[1:]} {rest}."


def _shares(one: str, text: str) -> bool:
    """Tell whether a text names what `one` names, be it by a word of it."""
    words = [
        word for word in regex.findall(r"[\p{L}\p{N}]{3,}|\p{N}+", one.casefold()) if word != "the"
    ]
    return any(regex.search(rf"\b{regex.escape(word)}\b", text) for word in words)


def _coordinated(one: str, other: str, text: str) -> bool:
    """Tell whether two names stand side by side, as those of which the same is said do."""
    a, b = regex.escape(one), regex.escape(other)
    return bool(regex.search(rf"(?i)(?:{a}{_PAIRED}{b}|{b}{_PAIRED}{a})", text))
