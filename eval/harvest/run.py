"""All feedback on one question → one draft; the last line that says what is right decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.draft import Line, readable_id
from eval.gold import GoldItem, Turn, digest_of
from eval.harvest.evidence import shown
from eval.harvest.feedback import Feedback, read_feedback
from eval.harvest.proposal import Proposal, proposal, unusable
from rag.text import fold

TAG = "harvested"
_STOPS = " ?!.。？！"

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Feedback that no draft was made of, by its receipt, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Harvested:
    """Gold lines with two keys more: the receipts in `feedback`, and what a person `needs` to do."""

    drafts: Sequence[Line]
    skipped: Sequence[Skipped]


def harvest(feedback: Path, texts: Texts, known: Sequence[GoldItem]) -> Harvested:
    """Make drafts of gold from a file of feedback, in the order in which questions first appear.

    `texts` are today's documents; of questions that are `known` none is made. The same feedback
    gives the same drafts. Raises `GoldError` where a line cannot be used.
    """
    asked: dict[str, list[Feedback]] = {}
    for said in read_feedback(feedback):
        asked.setdefault(_key(said.question, said.history or [], said.filter), []).append(said)
    have = {_key(item.question, item.history, item.filter): item.id for item in known}
    ids = {item.id for item in known}
    drafts: list[Line] = []
    skipped: list[Skipped] = []
    for key, lines in asked.items():
        id = _id(lines[0])
        if key in have or id in ids:
            reason = f"gold has this question already, as {have.get(key, id)}"
            skipped += [Skipped(said.receipt, reason) for said in lines]
        elif all(map(unusable, lines)):
            skipped += [Skipped(said.receipt, unusable(said)) for said in lines]
        else:
            drafts.append(_draft(id, lines, texts))
    return Harvested(drafts, skipped)


def _key(question: str, history: Sequence[Turn], filter: Mapping[str, Any] | None) -> str:
    """Return the same for questions that ask the same in the same words."""
    before = [[turn.role, fold(turn.content).text] for turn in history]
    return digest_of([fold(question).text.rstrip(_STOPS), before, filter or None])


def _id(said: Feedback) -> str:
    before = [[turn.role, fold(turn.content).text] for turn in said.history or []]
    return readable_id(said.question.strip().rstrip(_STOPS), before, said.filter or None)


def _draft(id: str, lines: Sequence[Feedback], texts: Texts) -> Line:
    """Return the draft that the last usable line gives, and what the others hold against it."""
    usable = [(said, proposal(said, texts)) for said in lines if not unusable(said)]
    chosen, made = usable[-1]
    line: Line = {"id": id, "question": chosen.question.strip(), **made.line, "tags": [TAG]}
    if chosen.history:
        line["history"] = [turn.model_dump() for turn in chosen.history]
    if chosen.filter:
        line["filter"] = chosen.filter
    line["feedback"] = [*dict.fromkeys(said.receipt for said in lines)]
    line["needs"] = [*made.needs, *_disputed(lines, usable), *_comments(lines)]
    return line


def _disputed(lines: Sequence[Feedback], usable: Sequence[tuple[Feedback, Proposal]]) -> list[str]:
    """Say who is not content with what the draft says."""
    chosen, made = usable[-1]
    against = [
        f"{_who(said)} says {other.says}" for said, other in usable if _content(other) != _content(made)
    ]
    if chosen.thumb == "up":
        against += [f"{_who(s)} calls it wrong" for s in lines if s.thumb == "down" and unusable(s)]
    if not against:
        return []
    return [f"decide who is right: {_who(chosen)} says {made.says}, but {'; '.join(against)}"]


def _content(made: Proposal) -> list[str]:
    return [fold(answer["text"]).text.rstrip(_STOPS) for answer in made.line["answers"]]


def _who(said: Feedback) -> str:
    return f"{said.receipt} ({f'thumb {said.thumb}' if said.thumb else 'no thumb'})"


def _comments(lines: Sequence[Feedback]) -> list[str]:
    return [
        f"read the comment of {said.receipt}: {shown(said.comment)}"
        for said in lines
        if said.comment and said.comment.strip()
    ]
