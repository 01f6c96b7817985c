"""Checks whether a `ChatModel` keeps what it promises: `python -m rag.backends.conformance SPEC`.

For who writes a backend of their own; `conform` gives the same to a test.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.backends.conformance.checks import CHECKS, Broken, Unclear
from rag.errors import BackendError
from rag.protocols import ChatModel

__all__ = ["Result", "conform", "table"]

Verdict = Literal["ok", "failed", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found."""

    name: str
    verdict: Verdict
    detail: str = ""


def conform(chat: ChatModel) -> list[Result]:
    """Return what every check finds of a model, whatever the ones before it found."""
    return [_result(name, check, chat) for name, check in CHECKS.items()]


def table(results: Sequence[Result]) -> str:
    """Return the results for people to read."""
    return "\n".join(f"{each.verdict:<12} {each.name:<11} {each.detail}".rstrip() for each in results)


def _result(name: str, check: Callable[[ChatModel], str], chat: ChatModel) -> Result:
    try:
        return Result(name, "ok", check(chat))
    except Unclear as unclear:
        return Result(name, "cannot tell", str(unclear))
    except Broken as broken:
        return Result(name, "failed", str(broken))
    except BackendError as error:
        return Result(name, "failed", f"it did not reply: {error}")
    except Exception as error:  # whatever a plug-in raises is a finding
        return Result(name, "failed", f"{type(error).__name__}: {error}; a BackendError was due")
