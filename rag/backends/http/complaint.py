"""What a server says is wrong, and as much of it as may be told."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST = 200
_SAID = ("message", "detail")
_SHARED = 6
"""Letters in a row that a word may not share with the key."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_SECRET = re.compile(
    r"""^\W*(?:sk|pk|key|tok|Bearer)[-_]\S+     # a key of somebody
    |://|\\|/\S*/|^\W*[/~]\S                 # an address or a path
    |(?=\S*\d)(?=\S*[a-z])(?=\S*[A-Z])[\w+=-]{24,}""",
    re.VERBOSE,
)
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size|limit)|maximum context|exceed_context|prompt is too long"
    r"|too many (?:input |prompt )?tokens|input is too long|request_too_large",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error as a server tells it, by a status or within its reply."""

    status: int
    """Its status, 0 where it has none."""
    message: str = ""
    kind: str = ""
    """Its `type` and `code`."""
    parameter: str = ""
    raw: str = ""
    """All that it says, to look for names in."""
    is_page: bool = False
    """Whether it is a web page, so that no model's server spoke."""

    @classmethod
    def of(cls, status: int, body: bytes) -> "Complaint":
        """Read the body that came with a status."""
        raw = body.decode("utf-8", "replace").strip()
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            return cls(status, raw=raw, is_page=raw.startswith("<"))
        return cls.within(value, status) if isinstance(value, dict) else cls(status, raw=raw)

    @classmethod
    def within(cls, value: Mapping[str, Any], status: int = 0) -> "Complaint":
        """Read an object that is or holds an `error`."""
        error = value.get("error")
        if isinstance(error, str):
            error = {"message": error}
        if not isinstance(error, dict):
            error = value
        if isinstance(error.get("message"), dict):
            error = error["message"]
        code = error.get("code")
        if not status and isinstance(code, int) and 400 <= code < 600:
            status = code
        message = next((text for text in map(_text, map(error.get, _SAID)) if text), "")
        kind = " ".join(str(error[name]) for name in ("type", "code") if error.get(name))
        parameter = error["param"] if isinstance(error.get("param"), str) else ""
        raw = message or json.dumps(value)[:20_000]
        return cls(status, message, kind, parameter, f"{kind} {raw}")

    def names(self, parameter: str) -> bool:
        """Tell whether it is this parameter of the request that it is about."""
        if self.parameter:
            return self.parameter == parameter
        return re.search(rf"(?<!\w){parameter}(?!\w)", self.raw) is not None

    @property
    def too_long(self) -> bool:
        """Whether the prompt takes more than the model's context."""
        return self.status == 413 or _TOO_LONG.search(f"{self.kind} {self.message}") is not None

    def quoted(self, key: str | None) -> str:
        """Return `, saying “…”`, on one line and short, without keys, paths or addresses.

        It is empty where the server said nothing, or where what it says may be about a key.
        """
        if self.status in (401, 403) or not self.message:
            return ""
        words = _CONTROL.sub(" ", self.message[:2000]).replace("”", '"').split()
        said = " ".join("…" if _may_be_secret(word, key) else word for word in words).rstrip(".")
        if len(said) > _LONGEST:
            said = said[: _LONGEST - 1].rstrip() + "…"
        return f", saying “{said}”" if said else ""


def _text(said: Any) -> str:
    """Return a message, which may be a list of what is wrong where; what was sent is left out."""
    if isinstance(said, str):
        return said
    faults = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    places = [each.get("loc") for each in faults]
    named = [".".join(map(str, place)) if isinstance(place, list) else "" for place in places]
    return "; ".join(f"{name}: {each.get('msg')}" for name, each in zip(named, faults, strict=True))


def _may_be_secret(word: str, key: str | None) -> bool:
    if key and (key in word or (word in key and len(word) >= _SHARED)):
        return True
    if key and any(key[at : at + _SHARED] in word for at in range(len(key) - _SHARED + 1)):
        return True
    return _SECRET.search(word) is not None
