"""What goes wrong between us and a server → one sentence for the person who meets it."""

from rag.backends.http.complaint import Complaint
from rag.backends.http.server import Server
from rag.errors import BackendError, BackendUnreachableError

PASSING = frozenset({429, 500, 502, 503, 504, 529})
"""Statuses of servers that may well answer a little later."""
_PASSING_KINDS = ("overloaded", "rate_limit", "server_error", "api_error", "timeout", "unavailable")
_NO_MONEY = ("insufficient_quota", "billing")


class PassingError(Exception):
    """A trouble that may be over soon; `error` is what to raise if it is not."""

    def __init__(self, error: BackendError, after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after
        """Seconds after which the server wants to be asked again."""


class BrokenOffError(Exception):
    """The reply ended before its end."""


class Unusable(Exception):  # noqa: N818 - read as `raise Unusable("sent …")`
    """The reply is none; the text goes on from the backend's name and ends without a stop."""


def problem(
    server: Server, complaint: Complaint, after: float | None = None
) -> PassingError | BackendError:
    """Return what to raise for a status that is no success, or for an error within a reply."""
    status, name = complaint.status, server.name
    quoted = complaint.quoted(server.key)
    if 300 <= status < 400:
        return BackendError(
            f"{name} sends us elsewhere (status {status}), where your key must not follow; put the "
            f"address that it is at now into {server.url_setting}."
        )
    if any(each in complaint.kind for each in _NO_MONEY):
        return BackendError(f"{name} has no quota left{quoted}; see to the account of its key.")
    if status in PASSING or (not status and _passes(complaint)):
        said = f" (status {status})" if status else ""
        return PassingError(
            BackendUnreachableError(f"{name} is not able to answer now{said}{quoted}."), after
        )
    if not status or status >= 500:
        said = f" (status {status})" if status else ""
        return BackendUnreachableError(f"{name} reported an error{said}{quoted}.")
    return BackendError(f"{name} {_refusal(server, complaint, quoted)}.")


def _passes(complaint: Complaint) -> bool:
    return any(each in complaint.kind for each in _PASSING_KINDS)


def _refusal(server: Server, complaint: Complaint, quoted: str) -> str:
    """Return the sentence for a request that is refused, without its subject and its stop."""
    status = complaint.status
    if complaint.too_long:
        return (
            f"finds the prompt too long for the model's context{quoted}; lower RAG_CONTEXT_TOKENS, or "
            "set RAG_MODEL_CONTEXT_TOKENS"
        )
    if status in (401, 403):
        setting = server.key_setting
        if setting is None:
            return f"does not let us in (status {status}); check {server.url_setting}"
        mend = f"check {setting}" if server.key else f"set {setting}"
        return f"{'refused the key' if server.key else 'asks for a key'} (status {status}); {mend}"
    if complaint.is_page or status == 405:
        return f"replied with a web page (status {status}); check {server.url_setting}"
    if status == 404:
        return f"has no such model or address (status 404){quoted}; {server.absent}"
    return f"refused the request (status {status}){quoted}"
