"""What probing a backend found, as the doctor tells it."""

import sys

from rag.backends import open_chat
from rag.backends.known import Known, remember
from rag.backends.probe import Probed, probe
from rag.cli.doctor import Check
from rag.config import Settings
from rag.errors import BackendError, ConfigError


def examine_backend(spec: str, settings: Settings) -> tuple[list[Check], Known | None]:
    """Probe one backend and remember what was found.

    Raises `ConfigError` for an unknown one, for several, and where the cache is not writable.
    """
    if "," in spec:
        raise ConfigError(f"{spec} names several backends; probe each by itself.")
    chat = open_chat(spec, settings)
    if chat is None:
        return [Check("reply", True, f"{spec} reads no prompts, so there is nothing to probe")], None
    needed = settings.context_tokens + settings.reply_tokens
    try:
        own = chat.context_tokens
        if own is None:
            said = f"Probing {spec} with prompts of up to {needed} tokens; a slow server takes minutes."
            print(said, file=sys.stderr, flush=True)
        probed = probe(chat, needed)
    except BackendError as error:
        return [Check("reply", False, str(error))], None
    remember(spec, settings, probed.known)
    return [
        Check("reply", True, f"{chat.name} replies as {probed.known.model}"),
        _context(probed) if own is None else Check("context", True, f"takes {own} tokens, it says"),
        *_abilities(probed.known),
    ], probed.known


def _context(probed: Probed) -> Check:
    known = probed.known
    if known.overflow == "cut":
        return Check(
            "context",
            False,
            f"cuts prompts at about {known.context_tokens} tokens without saying so, and an answer may "
            f"take {probed.needed}: raise the server's context. Until then answers are made of the "
            "passages that fit.",
        )
    if known.overflow == "refused":
        return Check(
            "context",
            True,
            f"refuses prompts of more than about {known.context_tokens} tokens; answers are made of "
            "the passages that fit",
        )
    if known.whole_tokens is not None and known.whole_tokens >= 0.95 * probed.needed:
        read = f"reads prompts of {known.whole_tokens} tokens whole"
        if probed.repeats and probed.words < 3:
            read = (
                f"cannot tell whether long prompts arrive whole: the server says it read all "
                f"{known.whole_tokens} tokens, but only {probed.words} of 3 code words came back"
            )
        return Check("context", True, read)
    why = (
        "a long prompt takes longer than the settings wait"
        if probed.slow
        else "the server does not say how much it reads, and the model does not repeat code words"
    )
    return Check("context", True, f"cannot tell whether long prompts arrive whole: {why}")


def _abilities(known: Known) -> list[Check]:
    speed = "cannot tell"
    if known.first_ms is not None:
        rate = known.tokens_per_second
        speed = f"begins after {known.first_ms:.0f} ms" + (f", {rate:.0f} tokens/s" if rate else "")
    return [
        Check("stream", True, _said(known.streams, "comes bit by bit", "comes in one piece")),
        Check("stop", True, _said(known.stop, "ends before stop texts", "does not heed stop texts")),
        Check("usage", True, _said(known.usage, "tells the tokens used", "does not tell tokens used")),
        Check("json", True, _said(known.json, "gives JSON on demand", "gives no JSON on demand")),
        Check("speed", True, speed),
    ]


def _said(found: bool | None, yes: str, no: str) -> str:
    return "cannot tell" if found is None else yes if found else no
