"""Where a model is asked, and what its user can set about that."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from rag.backends.http.limits import Limits


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a backend. Neither its key nor its headers show in its `repr`."""

    name: str
    """The backend's spec, such as `openai:gpt-x`; every error begins with it."""
    base_url: str = field(repr=False)
    url_setting: str
    absent: str
    """What to do where the server knows no such model: `check …` or `run …`."""
    limits: Limits
    key_setting: str | None = None
    key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transport: httpx.BaseTransport | None = None

    def at(self, path: str) -> str:
        """Return the address of a path below the base URL."""
        return self.base_url.rstrip("/") + path
