"""What one line of feedback says is right, as far as a machine can tell, and what it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

from eval.anchor.align import stands, words
from eval.draft import Line, quoting
from eval.harvest.evidence import anchored, shown, stating
from eval.harvest.feedback import Feedback, Place
from rag.text import fold, squeeze

Texts = Mapping[str, str]

SHORTEN = "shorten the answer to the words that must be said"
WORDINGS = "add the other wordings of the answer as aliases"
OTHERS = "check that no other passage says it too; if one does, add it to the group"
GROUPS = "check that every group is needed, and that the quotes of one group are alternatives"
NOTHING = "check that no document answers it"
NEAR = "name the document that it seems to be about as `near`, if there is one"
PROVE = "name the quote that proves {}; if no document does, make it unanswerable"
CHECK = "check that the quote proves the correction; it was found by its words alone"

_WORDS = 6
"""More than these in a correction are more than what must be said."""
_MARKER = regex.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
_REPROACH = regex.compile(
    r"(?:(?:this|that|it|the answer)(?: is|'s| was) )?(?:just |simply |completely |totally )?"
    r"(?:a |the )?(?:wrong|incorrect|not (?:right|correct|true)|nonsense|bad|useless)(?: answer)?\W*"
)
"""Words that say that an answer was wrong and not what is right."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a gold line would say, and what a person must do before it can."""

    line: Line
    """`answerable`, `answers` and `evidence`."""
    needs: Sequence[str]
    says: str
    """The same for people, in a phrase."""


def unusable(said: Feedback) -> str:
    """Return why nothing can be made of a line of feedback; empty if something can."""
    if _correction(said):
        return ""
    if said.correction and said.correction.strip():
        return f"its correction, {shown(said.correction)}, does not say what is right"
    if said.thumb == "up":
        return "" if said.answer.abstained or _stripped(said.answer.answer) else "the answer is empty"
    if said.thumb == "down":
        return "the thumb is down, but nothing says what is right"
    return "it has neither a thumb nor a correction"


def proposal(said: Feedback, texts: Texts) -> Proposal:
    """Return what a usable line of feedback says is right."""
    correction = _correction(said)
    if correction:
        return _corrected(said, correction, texts)
    if said.answer.abstained:
        line: Line = {"answerable": False, "answers": [], "evidence": []}
        return Proposal(line, [NOTHING, NEAR], "that it cannot be answered")
    return _liked(said, texts)


def _correction(said: Feedback) -> str:
    """Return what a user says would have been right, or nothing if it only reproaches."""
    correction = squeeze(said.correction or "")
    reproach = _REPROACH.fullmatch(fold(correction).text)
    return correction if words(correction).joined.strip(" .!?-") and not reproach else ""


def _corrected(said: Feedback, correction: str, texts: Texts) -> Proposal:
    answer = said.answer
    cited = [each.place.doc for each in answer.citations if each.place]
    first = [*cited, *(passage.doc for passage in answer.passages)]
    found = stating(correction, said.question, first, texts)
    rows = [quoting("g1", found[0], texts[found[0]], found[1])] if found else []
    needs = [SHORTEN if len(correction.split()) > _WORDS else WORDINGS]
    needs += [CHECK, OTHERS] if rows else [PROVE.format("the correction")]
    if said.thumb == "up":
        needs.append("decide: the thumb is up, and yet there is a correction")
    return Proposal(_answering([correction], rows), needs, shown(correction))


def _liked(said: Feedback, texts: Texts) -> Proposal:
    """Return the claims of an answer that a user was content with, and the quotes they rest on."""
    claims = _claims(said)
    groups: list[list[Line]] = []
    needs: list[str] = []
    for claim, cited in claims:
        held, astray = _quoted(f"g{len(groups) + 1}", claim, cited, said.answer.passages, texts)
        needs += astray if held else [*astray, PROVE.format(shown(claim))]
        if held and not any(_places(held) == _places(group) for group in groups):
            groups.append(held)
    rows = [row for group in groups for row in group]
    needs += [f"prove or leave out: {shown(claim)} has no verified quote" for claim in _unproved(said)]
    needs += [GROUPS] if len(rows) > 1 else []
    needs += [OTHERS] if rows else []
    wordings = [claim for claim, _ in claims]
    says = shown(" ".join(wordings))
    first = WORDINGS if said.answer.short else SHORTEN
    return Proposal(_answering(wordings, rows), [first, *needs], says)


def _claims(said: Feedback) -> list[tuple[str, Sequence[Place]]]:
    """Return each thing that an answer says with its quotes: its short words, or its sentences."""
    answer = said.answer
    verified = {each.n: each.place for each in answer.citations if each.place}
    if answer.short:
        wording = answer.short.text
        quotes = [place for place in verified.values() if stands(wording, place.text)]
        return [(wording, quotes or [answer.short])]
    claims: list[tuple[str, Sequence[Place]]] = [
        (each.text, [verified[n] for n in each.citations if n in verified])
        for each in answer.sentences
        if each.verdict == "verified" and each.text.strip()
    ]
    return claims or [(_stripped(answer.answer), [])]


def _unproved(said: Feedback) -> list[str]:
    """Return the sentences beside the verified ones that claim something."""
    sentences = said.answer.sentences
    if said.answer.short or all(each.verdict != "verified" for each in sentences):
        return []
    return [each.text for each in sentences if each.verdict not in ("verified", "no_claim")]


def _quoted(
    group: str, claim: str, cited: Sequence[Place], passages: Sequence[Place], texts: Texts
) -> tuple[list[Line], list[str]]:
    """Return the evidence rows of a claim, and what is to be looked at of its other quotes."""
    found = [anchored(group, place, passages, texts, claim) for place in cited]
    rows = {(row["doc"], row["start"], row["end"]): row for row, _ in found if row}
    return [*rows.values()], [need for row, need in found if not row]


def _places(rows: Sequence[Line]) -> set[tuple[str, int, int]]:
    return {(row["doc"], row["start"], row["end"]) for row in rows}


def _answering(wordings: Sequence[str], rows: Sequence[Line]) -> Line:
    answers = [{"text": wording, "aliases": []} for wording in wordings]
    return {"answerable": True, "answers": answers, "evidence": [*rows]}


def _stripped(answer: str) -> str:
    return squeeze(_MARKER.sub("", answer))
