"""One request and its response, over a connection of its own that is under watch."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx
from pydantic import SecretStr

from rag.backends.http.complaint import Complaint
from rag.backends.http.events import parsed
from rag.backends.http.inflate import ACCEPTED, unpacked
from rag.backends.http.problems import BrokenOffError, PassingError, Unusable, problem
from rag.backends.http.server import Server
from rag.backends.http.watch import FIRST, SILENCE, CutError, Watch
from rag.errors import BackendError, BackendTimeoutError, BackendUnreachableError

_COMPLAINT = 64_000
"""Bytes of an error's body that are read."""
_STEPS = ("connect_tcp.complete", "start_tls.complete", "send_request_body.complete")
"""Events of a connection after which nothing is read from it yet."""
_HERE = ("127.0.0.1", "localhost", "::1")


def key_of(secret: SecretStr | None) -> str | None:
    """Return a key as it is sent; None where there is none."""
    return secret.get_secret_value().strip() or None if secret else None


@contextmanager
def exchange(
    server: Server, path: str, body: Mapping[str, Any], watch: Watch
) -> Iterator[httpx.Response]:
    """Send a request and give its response, whose body is not read yet.

    Whatever goes wrong, also within the block, becomes a `BackendError`, or a `PassingError` where
    it may be over soon.
    """
    try:
        watch.check()
        with _client(server) as client:
            request = client.build_request("POST", server.at(path), json=body)
            request.extensions["trace"] = lambda event, info: _traced(watch, event, info)
            with closing(client.send(request, stream=True)) as response:
                yield response
    except (CutError, httpx.HTTPError, OSError, BrokenOffError) as error:
        raise lost(server, watch, error) from None
    except Unusable as error:
        raise BackendError(f"{server.name} {error}; check {server.url_setting}.") from None
    except (httpx.InvalidURL, UnicodeError, OverflowError):
        raise _impossible(server) from None


def body_of(response: httpx.Response) -> Iterator[bytes]:
    """Yield a response's bytes, unpacked and bounded; raises `Unusable` and `BrokenOffError`."""
    stream = response.stream
    assert isinstance(stream, httpx.SyncByteStream)
    return unpacked(stream, response.headers.get("content-encoding", ""))


def refused(server: Server, response: httpx.Response) -> Complaint | None:
    """Return what a server complains of; None where it does not."""
    if response.is_success:
        return None
    body = b""
    # Where it breaks off, its status still says what is wrong.
    with suppress(httpx.HTTPError, Unusable, BrokenOffError):
        for part in body_of(response):
            body += part
            if len(body) >= _COMPLAINT:
                break
    return Complaint.of(response.status_code, body)


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a server wants to be left alone for, told as such or as a date."""
    said = response.headers.get("retry-after", "").strip()
    if said.isascii() and said.replace(".", "", 1).isdigit():
        return float(said)
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def ask(server: Server, path: str, body: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
    """Return the JSON object that a server replies with in time; raises `BackendError`."""
    try:
        with Watch(seconds) as watch, exchange(server, path, body, watch) as response:
            complaint = refused(server, response)
            if complaint is not None:
                raise problem(server, complaint)
            value = parsed(b"".join(body_of(response)))
            watch.check()
            return value
    except PassingError as passing:
        raise passing.error from None


def _client(server: Server) -> httpx.Client:
    """Return a client for one request. What runs on this machine is never asked through a proxy."""
    limits = server.limits
    return httpx.Client(
        headers={"Accept-Encoding": ACCEPTED, "User-Agent": "seedrag", **server.headers},
        timeout=httpx.Timeout(limits.total, connect=min(limits.connect, limits.total)),
        transport=server.transport,
        verify=_certificates(),
        trust_env=httpx.URL(server.base_url).host not in _HERE,
        follow_redirects=False,
    )


def _traced(watch: Watch, event: str, info: Mapping[str, Any]) -> None:
    if event.endswith("connect_tcp.complete"):
        watch.hold(info["return_value"].get_extra_info("socket"))
    if event.endswith(_STEPS):
        watch.check()


def lost(server: Server, watch: Watch, error: Exception) -> PassingError | BackendError:
    """Return what a connection's failing means, which may be that we cut it ourselves."""
    name = server.name
    if watch.closed:
        return BackendError(f"{name} was cut off.")
    if watch.late:
        return BackendTimeoutError(_too_slow(name, watch))
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return _impossible(server)
    if isinstance(error, httpx.ConnectTimeout):
        return BackendUnreachableError(
            f"{name} could not be reached within {server.limits.connect:g} seconds; check "
            f"{server.url_setting}, or raise RAG_CONNECT_SECONDS."
        )
    if isinstance(error, httpx.TimeoutException):
        return BackendTimeoutError(_too_slow(name, watch))
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return BackendUnreachableError(
            f"{name} shows a certificate that this machine does not trust; check {server.url_setting}."
        )
    if isinstance(error, httpx.ConnectError):
        said = f"{name} could not be reached; check that it runs, and {server.url_setting}."
    else:
        said = f"{name} broke off; it may have been stopped, or have run out of memory."
    return PassingError(BackendUnreachableError(said))


def _too_slow(name: str, watch: Watch) -> str:
    said = {FIRST: "said nothing for", SILENCE: "fell silent for"}
    verb = said.get(watch.setting, "did not end its reply within")
    setting = f"RAG_{watch.setting.upper()}"
    return f"{name} {verb} {watch.seconds:g} seconds; raise {setting} if it may take longer."


def _impossible(server: Server) -> BackendError:
    if not server.base_url.startswith(("http://", "https://")):
        return BackendError(
            f"{server.name} cannot be asked: {server.url_setting} must begin with http:// or https://."
        )
    settings = [server.url_setting, *([server.key_setting] if server.key_setting else [])]
    return BackendError(f"{server.name} cannot be asked; check {' and '.join(settings)}.")


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()
