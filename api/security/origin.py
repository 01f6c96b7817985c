"""Where a request is meant to go, and which page sent it."""

import ipaddress
from collections.abc import Sequence

from api.problems import ProblemError
from api.security.keys import is_loopback
from rag.config import Settings

_SAFE = ("GET", "HEAD", "OPTIONS")


class Origins:
    """Refuses what a foreign page had a browser send.

    DNS rebinding needs a name, so an address always passes as Host; a name has to be known.
    """

    def __init__(self, settings: Settings) -> None:
        named = () if is_loopback(settings.host) else (settings.host,)
        self._names = {name.lower() for name in ("localhost", *named, *settings.allowed_hosts)}
        self._origins = set(settings.cors_origins)

    def check_host(self, hosts: Sequence[str]) -> None:
        """Raise `ProblemError` unless exactly one Host was named, and it is ours."""
        if len(hosts) != 1:
            raise ProblemError("malformed", "Name exactly one Host.")
        name = _host_name(hosts[0])
        if name not in self._names and not _is_address(name):
            raise ProblemError(
                "wrong_host",
                "This Host is not served here; its keeper can add it to RAG_ALLOWED_HOSTS.",
            )

    def check_sender(self, method: str, host: str, origin: str | None, site: str | None) -> None:
        """Raise `ProblemError` where a page of another origin wants to do more than read."""
        if method in _SAFE or (origin is None and site in (None, "same-origin", "none")):
            return
        if origin is not None:
            given = origin.lower().rstrip("/")
            if given in self._origins or given.partition("://")[2] == host.lower():
                return
        raise ProblemError("forbidden", "Pages of this origin may not call the service.")


def _host_name(host: str) -> str:
    name = host.lower().strip()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
