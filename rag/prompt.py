"""Templates → messages, within a token budget; what does not fit is left out and reported.

No message holds a control token of a chat that came from data: see `rag.text.inert`.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rag import text
from rag.errors import PromptError
from rag.types import ABSTAIN, Message, Notice, Passage

_VARIABLES = {
    "answer.system.j2": {"fence", "abstain"},
    "answer.user.j2": {"fence", "question", "passages"},
    "abstain.j2": {"question"},
    "condense.system.j2": set(),
    "condense.user.j2": {"question", "history"},
    "repair.user.j2": {"failed", "abstain"},
}
FRAME = 40
"""Tokens of a passage's fences, number, document and title; long names take more."""


class Prompter:
    """Renders the templates of one folder, those it lacks taken from the shipped ones."""

    def __init__(self, templates: dict[str, Template], version: str) -> None:
        self.templates = templates
        self.version = version

    @classmethod
    def open(cls, folder: Path | None = None) -> "Prompter":
        """Load and check the templates; raises `PromptError` for one that cannot be used."""
        if folder is not None and not folder.is_dir():
            raise PromptError(f"There is no prompts folder at {folder}; mend RAG_PROMPTS.")
        _check_names(folder)
        loader = FileSystemLoader([*([folder] if folder else []), _shipped()])
        environment = ImmutableSandboxedEnvironment(
            loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        digest = hashlib.sha256()
        templates = {}
        for name, allowed in sorted(_VARIABLES.items()):
            try:
                source, _, _ = loader.get_source(environment, name)
                unknown = meta.find_undeclared_variables(environment.parse(source)) - allowed
                templates[name] = environment.get_template(name)
            except (TemplateError, UnicodeDecodeError, OSError) as error:
                raise PromptError(f"Prompt template {name} cannot be used: {error}") from None
            if unknown:
                raise PromptError(
                    f"Prompt template {name} uses {', '.join(sorted(unknown))}; it may use "
                    f"{', '.join(sorted(allowed))}."
                )
            digest.update(f"{name}\0{source}\0".encode())
        prompter = cls(templates, digest.hexdigest()[:12])
        prompter._lint()
        return prompter

    def messages(self, question: str, passages: Sequence[Passage]) -> Sequence[Message]:
        """Return the messages that put the question over the passages, numbered from 1.

        Ids and titles stand on one line and hold no `"`, so that they stay where they are quoted.
        """
        fence = _fence(question, passages)
        numbered = [
            {"number": n, "doc": _name(p.doc), "title": _name(p.title), "text": text.inert(p.text)}
            for n, p in enumerate(passages, 1)
        ]
        asked = {"question": text.inert(question), "passages": numbered}
        return [
            Message("system", self._render("answer.system.j2", fence=fence, abstain=ABSTAIN)),
            Message("user", self._render("answer.user.j2", fence=fence, **asked)),
        ]

    def repair(
        self, messages: Sequence[Message], said: str, failed: Sequence[str]
    ) -> Sequence[Message]:
        """Return the messages that show a model which of its sentences nothing supports."""
        shown = [text.inert(each) for each in failed]
        again = self._render("repair.user.j2", failed=shown, abstain=ABSTAIN)
        return [*messages, Message("assistant", text.inert(said)), Message("user", again)]

    def condense(self, question: str, history: Sequence[Message]) -> Sequence[Message]:
        """Return the messages that ask for a question which stands without its history."""
        turns = [Message(turn.role, text.inert(turn.content)) for turn in history]
        asked = self._render("condense.user.j2", question=text.inert(question), history=turns)
        return [Message("system", self._render("condense.system.j2")), Message("user", asked)]

    def abstention(self, question: str) -> str:
        """Return the sentence that is shown where the documents do not answer."""
        return self._render("abstain.j2", question=question)

    def _lint(self) -> None:
        """Render the templates once; raises `PromptError` where they break what checking relies on."""
        probes = [Passage(f"doc{n}", 0, 9, f"probe text {n}", 1.0) for n in (1, 2)]
        system, user = self.messages("probe question", probes)
        fence = _fence("probe question", probes)
        if ABSTAIN not in system.content + user.content:
            raise PromptError(
                "Prompt template answer.system.j2 does not tell the model how to abstain; it must use "
                "{{ abstain }}."
            )
        if "probe question" not in user.content:
            raise PromptError("Prompt template answer.user.j2 leaves out the question.")
        for n, probe in enumerate(probes, 1):
            around = re.search(
                rf"{fence}([^\n]*)\n(?:(?!{fence})[^\0])*?{probe.text}(?:(?!{fence})[^\0])*?{fence}",
                user.content,
            )
            if around is None:
                raise PromptError(
                    "Prompt template answer.user.j2 must put each passage's text on lines of its own "
                    "between two {{ fence }} marks, so that no passage can pass for instructions."
                )
            if not re.search(rf"\b{n}\b", around[1].replace(probe.doc, "")):
                raise PromptError(
                    "Prompt template answer.user.j2 must name each passage by {{ passage.number }} in "
                    "the line of its opening {{ fence }}: citations go by these numbers."
                )
        self.repair((), "said", ["failed"])
        self.condense("probe question", [Message("user", "probe turn")])
        if not self.abstention("probe question"):
            raise PromptError(
                "Prompt template abstain.j2 says nothing; it must say that no answer is there."
            )

    def _render(self, name: str, **values: Any) -> str:
        try:
            return self.templates[name].render(values).strip()
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise PromptError(f"Prompt template {name} fails: {error}") from None


def fitting(
    passages: Sequence[Passage], budget: int, count: Callable[[str], int]
) -> tuple[Sequence[Passage], Sequence[Notice]]:
    """Return the passages from the top of the ranking that `budget` tokens hold, at least one."""
    used = 0
    notices: list[Notice] = []
    for kept, passage in enumerate(passages):
        used += count(passage.text) + FRAME
        if used > budget and kept:
            left = len(passages) - kept
            said = f"{left} of {len(passages)} passages did not fit into {budget} tokens."
            return passages[:kept], [*notices, Notice("passages_dropped", said)]
        if used > budget:
            said = f"The first passage alone takes about {used} of {budget} tokens."
            notices.append(Notice("over_budget", said))
    return passages, notices


def _fence(question: str, passages: Sequence[Passage]) -> str:
    """Return a mark that none of the texts contains and that the same texts always get."""
    given = [question, *(part for p in passages for part in (p.doc, p.title, p.text))]
    texts = [text.inert(each) for each in given]
    seed = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return next(
        mark
        for mark in (f"passage-{seed[at : at + 8]}" for at in range(0, 56))
        if not any(mark in each for each in texts)
    )


def _name(said: str) -> str:
    """Return an id or a title as it may stand between double quotes."""
    return text.squeeze(text.inert(said)).replace('"', "'")


def _check_names(folder: Path | None) -> None:
    """Raise `PromptError` for a template that would be passed over as its name is misspelled."""
    for path in sorted(folder.glob("*.j2")) if folder else ():
        near = get_close_matches(path.name, _VARIABLES, 1, 0.8)
        if near and path.name not in _VARIABLES:
            raise PromptError(f"Prompt template {path} is none that is used; call it {near[0]}.")


def _shipped() -> Path:
    """Return the folder of the shipped templates: inside the wheel, or beside it in a checkout."""
    here = Path(__file__).parent
    inside = here / "prompts"
    return inside if inside.is_dir() else here.parent / "prompts"
