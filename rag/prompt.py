"""Templates → messages, within a token budget; what does not fit is left out and reported."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rag.errors import PromptError
from rag.types import ABSTAIN, Message, Notice, Passage

_VARIABLES = {
    "answer.system.j2": {"fence", "abstain"},
    "answer.user.j2": {"fence", "question", "passages"},
    "abstain.j2": {"question"},
}
_BYTES_PER_TOKEN = 3
"""A safe estimate: few tokenizers need more than one token for three bytes of prose."""


class Prompter:
    """Renders the templates of one folder, those it lacks taken from the shipped ones."""

    def __init__(self, templates: dict[str, Template], version: str) -> None:
        self._templates = templates
        self.version = version

    @classmethod
    def open(cls, folder: Path | None = None) -> "Prompter":
        """Load and check the templates; raises `PromptError` for one that cannot be used."""
        if folder is not None and not folder.is_dir():
            raise PromptError(f"There is no prompts folder at {folder}; mend RAG_PROMPTS.")
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
        return cls(templates, digest.hexdigest()[:12])

    def messages(self, question: str, passages: Sequence[Passage]) -> list[Message]:
        """Return the messages that put the question over the passages, numbered from 1."""
        fence = _fence(question, passages)
        numbered = [
            {"number": n, "doc": p.doc, "title": p.title, "text": p.text}
            for n, p in enumerate(passages, 1)
        ]
        return [
            Message("system", self._render("answer.system.j2", fence=fence, abstain=ABSTAIN)),
            Message(
                "user",
                self._render("answer.user.j2", fence=fence, question=question, passages=numbered),
            ),
        ]

    def abstention(self, question: str) -> str:
        """Return the sentence that is shown where the documents do not answer."""
        return self._render("abstain.j2", question=question)

    def _render(self, name: str, **values: Any) -> str:
        try:
            return self._templates[name].render(values).strip()
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise PromptError(f"Prompt template {name} fails: {error}") from None


def fitting(passages: Sequence[Passage], budget: int) -> tuple[Sequence[Passage], Sequence[Notice]]:
    """Return the passages from the top of the ranking that `budget` tokens hold, at least one."""
    used = 0
    notices: list[Notice] = []
    for count, passage in enumerate(passages):
        used += len(passage.text.encode()) // _BYTES_PER_TOKEN + 1
        if used > budget and count:
            left = len(passages) - count
            said = f"{left} of {len(passages)} passages did not fit into {budget} tokens."
            return passages[:count], [*notices, Notice("passages_dropped", said)]
        if used > budget:
            said = f"The first passage alone takes about {used} of {budget} tokens."
            notices.append(Notice("over_budget", said))
    return passages, notices


def _fence(question: str, passages: Sequence[Passage]) -> str:
    """Return a mark that none of the texts contains and that the same texts always get."""
    texts = [question, *(part for p in passages for part in (p.doc, p.title, p.text))]
    seed = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return next(
        mark
        for mark in (f"passage-{seed[at : at + 8]}" for at in range(0, 56))
        if not any(mark in each for each in texts)
    )


def _shipped() -> Path:
    """Return the folder of the shipped templates: inside the wheel, or beside it in a checkout."""
    here = Path(__file__).parent
    inside = here / "prompts"
    return inside if inside.is_dir() else here.parent / "prompts"
