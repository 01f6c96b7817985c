"""API keys. Only their hashes are configured; a key is 256 random bits, so a plain hash is enough."""

import hashlib
import hmac
import ipaddress
import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from api.problems import ProblemError
from rag.config import Settings

Role = Literal["none", "read", "admin"]
_CHALLENGES = {"WWW-Authenticate": 'Bearer realm="seedrag", Basic realm="seedrag", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request: what they may do, and a name that tells nothing of their key."""

    role: Role
    name: str


def new_key() -> tuple[str, str]:
    """Return a fresh key and the hash of it that is configured."""
    key = f"sr_{secrets.token_urlsafe(32)}"
    return key, key_hash(key)


def key_hash(key: str) -> str:
    """Return the hexadecimal sha256 of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def is_loopback(host: str) -> bool:
    """Tell whether an address to bind to is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_near(peer: str | None) -> bool:
    """Tell whether a request came from this machine; one without an address came by no network."""
    try:
        return peer is None or ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return True


class Keys:
    """Tells callers apart by the key that they show."""

    def __init__(self, settings: Settings) -> None:
        self._known: Sequence[tuple[Role, str]] = [
            ("admin" if role == "admin" else "read", digest)
            for role, _, digest in (each.partition(":") for each in settings.api_keys)
        ]
        self.anonymous = _anonymous(settings)
        self._only_near = settings.anonymous == "loopback"

    @property
    def needed(self) -> bool:
        """Whether a caller without a key may do nothing."""
        return self.anonymous == "none"

    def caller(self, authorization: str | None, own_header: str | None, near: bool) -> Caller:
        """Return who shows a key, as `Authorization: Bearer` or `Basic`, or as `X-API-Key`.

        `near` tells whether the request came from this machine. Every configured hash is compared,
        each in constant time. Where no key is configured, what is shown does not matter: many clients
        cannot do without; and where only this machine is open, strangers that a proxy brings are not
        let in. Raises `ProblemError` for a key that is not known, and for none where one is needed.
        """
        shown = (_shown(authorization) or own_header) if self._known else None
        digest = key_hash(shown or "")
        role: Role = "none"
        for known, expected in self._known:
            if hmac.compare_digest(digest, expected):
                role = known
        if shown is None:
            role = self.anonymous if near or not self._only_near else "none"
        if role == "none":
            said = "Send a key as Authorization: Bearer <key>."
            if shown is not None:
                said = "The key is not one of those that are known here."
            raise ProblemError("unauthorized", said, _CHALLENGES)
        return Caller(role, digest[:8] if shown is not None else "anonymous")


def _anonymous(settings: Settings) -> Role:
    if settings.anonymous == "loopback":
        return "admin" if is_loopback(settings.host) and not settings.api_keys else "none"
    return settings.anonymous


def _shown(authorization: str | None) -> str | None:
    """Return the key in an Authorization header: a browser sends it as a Basic password."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(value.strip(), validate=True).decode("utf-8", "replace").partition(":")[2]
        except (Base64Error, ValueError):
            return ""
    return None if authorization is None else ""
