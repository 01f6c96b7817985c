"""One backend's answer from given passages: prompted within its context, every sentence checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answer.following import Following
from rag.cite import Checker, Cited, Citer
from rag.errors import BackendError
from rag.prompt import Prompter, fitting
from rag.protocols import Backend
from rag.text import token_estimate
from rag.types import (
    ChatOptions,
    Draft,
    Message,
    Notice,
    Policy,
    Request,
    Retrieval,
)

_FAILED = ("unsupported", "not_found")
_CUT = 10
"""Bytes of a prompt that no tokenizer puts into one token on average."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a backend wrote, what checking it gave, and what it had been shown."""

    backend: str
    retrieval: Retrieval
    """With the passages that it was shown."""
    draft: Draft
    cited: Cited
    messages: Sequence[Message]
    options: ChatOptions
    notices: Sequence[Notice]

    @property
    def abstained(self) -> bool:
        """Whether the backend found no answer, or checking left nothing of it."""
        return self.draft.abstained or not self.cited.sentences


@dataclass(frozen=True, slots=True)
class Writer:
    """Has a backend answer from passages, and checks what it says as it says it."""

    backend: Backend
    prompter: Prompter
    checker: Checker
    context_tokens: int
    """Most tokens of passages that a prompt may carry."""
    reply_tokens: int

    def write(self, retrieval: Retrieval, following: Following, policy: Policy) -> Written:
        """Return the answer that the backend gives; raises `BackendError` and `StoppedError`.

        Under "strict" and "repair" the follower hears only sentences that have passed.
        """
        retrieval, options, dropped = self._fitted(retrieval, policy)
        messages = self.prompter.messages(retrieval.question, retrieval.passages)
        request = Request(retrieval.question, retrieval, messages, options)
        notices: list[Notice] = []
        if policy == "repair":
            draft, cited = self._drafted(request, following, strict=False, silent=True)
            failed = [each.text for each in cited.sentences if each.verdict in _FAILED]
            if failed and not draft.abstained:
                cited = self._cited(draft.text, retrieval, strict=True)
                if self.backend.chat is not None:
                    request = self._repairing(request, draft, failed)
                    draft, cited, notices = self._repaired(request, following, draft, cited)
        else:
            draft, cited = self._drafted(request, following, strict=policy == "strict")
        notices += [*dropped, *draft.notices, *_removed(cited), *_ends(draft, options)]
        notices += _arrived(draft, request.messages)
        return Written(self.backend.name, retrieval, draft, cited, request.messages, options, notices)

    def _repairing(self, request: Request, draft: Draft, failed: Sequence[str]) -> Request:
        """Return the request that shows the model what of its draft failed."""
        messages = self.prompter.repair(request.messages, draft.text, failed)
        options = replace(request.options, prompt_tokens=self._tokens(messages))
        return replace(request, messages=messages, options=options)

    def _repaired(
        self, request: Request, following: Following, draft: Draft, cited: Cited
    ) -> tuple[Draft, Cited, list[Notice]]:
        """Return the second draft, or what passed of the first where the model fails meanwhile."""
        said = "Some sentences were not supported, so the model was asked again"
        try:
            draft, cited = self._drafted(request, following, strict=True)
        except BackendError as error:
            if following.heard:
                raise
            return draft, cited, [Notice("not_repaired", f"{said}, in vain: {error}")]
        return draft, cited, [Notice("repaired", f"{said}.")]

    def _fitted(
        self, retrieval: Retrieval, policy: Policy
    ) -> tuple[Retrieval, ChatOptions, Sequence[Notice]]:
        """Return the passages that fit into the model's context beside all else that stands there."""
        chat = self.backend.chat
        options = ChatOptions(max_tokens=self.reply_tokens)
        if chat is None:
            passages, dropped = fitting(retrieval.passages, self.context_tokens, token_estimate)
            return replace(retrieval, passages=passages), options, dropped
        budget = self.context_tokens
        if chat.context_tokens is not None:
            # Repairing shows the reply, and of it what failed, and asks for another.
            count, share = (3, 6) if policy == "repair" else (1, 4)
            most = min(self.reply_tokens, chat.context_tokens // share)
            options = replace(options, max_tokens=most)
            replies = count * most
            frame = self._tokens(self.prompter.messages(retrieval.question, ()))
            budget = min(budget, chat.context_tokens - replies - frame)
        passages, dropped = fitting(retrieval.passages, budget, chat.count)
        messages = self.prompter.messages(retrieval.question, passages)
        options = replace(options, prompt_tokens=self._tokens(messages))
        if chat.context_tokens is not None and (
            (options.prompt_tokens or 0) + options.max_tokens > chat.context_tokens
        ):
            raise BackendError(
                f"{self.backend.name} takes {chat.context_tokens} tokens, and the question with one "
                "passage takes more; use a model with a larger context, or allow it one "
                "(RAG_LLAMACPP_CONTEXT_TOKENS, RAG_MODEL_CONTEXT_TOKENS), or use smaller chunks."
            )
        return replace(retrieval, passages=passages), options, dropped

    def _tokens(self, messages: Sequence[Message]) -> int:
        assert self.backend.chat is not None
        return sum(self.backend.chat.count(message.content) + 8 for message in messages)

    def _drafted(
        self, request: Request, following: Following, strict: bool, silent: bool = False
    ) -> tuple[Draft, Cited]:
        """Return a draft, cited while it is written; a `silent` one is heard once it is whole."""
        citer = Citer(request.retrieval.passages, self.checker, request.retrieval.language, strict)
        wrote = False

        def say(written: str) -> None:
            nonlocal wrote
            wrote = True
            tell(citer.add(written))

        def tell(settled: str) -> None:
            following.stop.check()
            if not silent:
                following.said(settled)

        draft = self.backend.generate(request, say, following.stop)
        if not wrote:
            citer.add(draft.text)
        rest = citer.close()
        if wrote and not draft.abstained:
            tell(rest)
        return draft, citer.cited

    def _cited(self, said: str, retrieval: Retrieval, strict: bool) -> Cited:
        citer = Citer(retrieval.passages, self.checker, retrieval.language, strict)
        citer.add(said)
        citer.close()
        return citer.cited


def _removed(cited: Cited) -> list[Notice]:
    if not cited.removed:
        return []
    said = f"{len(cited.removed)} sentences were left out, as nothing that was found supports them."
    return [Notice("sentences_removed", said)]


def _ends(draft: Draft, options: ChatOptions) -> list[Notice]:
    if draft.ended == "stop" or draft.abstained:
        return []
    if draft.ended == "length":
        said = f"The reply was cut at about {options.max_tokens} tokens; its end is missing."
        return [Notice("reply_cut", said)]
    return [Notice("reply_cut", f"The reply did not end by itself but by {draft.ended!r}.")]


def _arrived(draft: Draft, messages: Sequence[Message]) -> list[Notice]:
    """Say so where the server read far less than it was sent."""
    read = (draft.usage or {}).get("prompt_tokens")
    sent = sum(len(message.content.encode()) for message in messages)
    if read is None or read >= sent / _CUT:
        return []
    said = (
        f"The model's server read {read} tokens of a prompt that has at least {sent // _CUT}: it cuts "
        "what does not fit into its context, so passages were lost. `rag doctor --backend` tells more."
    )
    return [Notice("prompt_cut", said)]
