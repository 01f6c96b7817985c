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
        if policy == "repair":
            draft, cited = self._drafted(request, following, strict=False, silent=True)
            failed = [each for each in cited.sentences if each.verdict in ("unsupported", "not_found")]
            notices: list[Notice] = []
            if failed and not draft.abstained and self.backend.chat is not None:
                said = f"{len(failed)} sentences were not supported, so the model was asked again."
                notices.append(Notice("repaired", said))
                messages = self.prompter.repair(messages, draft.text, [each.text for each in failed])
                again = replace(options, prompt_tokens=self._tokens(messages))
                request = replace(request, messages=messages, options=again)
                draft, cited = self._drafted(request, following, strict=True)
            elif failed:
                cited = self._cited(draft.text, retrieval, strict=True)
        else:
            draft, cited = self._drafted(request, following, strict=policy == "strict")
            notices = []
        notices += [*dropped, *draft.notices, *_removed(cited), *_ends(draft, options)]
        notices += _arrived(draft, messages)
        return Written(self.backend.name, retrieval, draft, cited, messages, options, notices)

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
                "passage takes more; use a model with a larger context, or smaller chunks."
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
        kept: list[str] = []

        def say(written: str) -> None:
            nonlocal wrote
            wrote = True
            following.stop.check()
            tell(citer.add(written))

        tell = kept.append if silent else following.said
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
