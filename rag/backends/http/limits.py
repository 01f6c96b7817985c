"""How long and how often a server is waited for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.config import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. They hold whatever the server drips meanwhile that is no token."""

    connect: float = 5
    first_token: float = 120
    """From asking to the first token; a long prompt takes a processor minutes to read."""
    silence: float = 60
    """Between two tokens."""
    total: float = 600
    """From the first asking to the end, retries and what lies between them included."""
    retries: int = 2
    """How often a server is asked again that could not answer, before it has said anything."""
    backoff: float = 0.5
    """Least time before the first retry; doubled for each further one."""

    @classmethod
    def of(cls, settings: "Settings") -> "Limits":
        """Return the settings' limits."""
        return cls(
            settings.connect_seconds,
            settings.first_token_seconds,
            settings.silence_seconds,
            settings.reply_seconds,
            settings.retries,
        )
