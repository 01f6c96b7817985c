"""A request's body, read whole before anything is done with it: bounded in size and time."""

import asyncio

from starlette.types import Message, Receive

from api.problems import ProblemError

_CLOSE = {"Connection": "close"}
"""What is left of the body is not worth reading."""


class ClientGoneError(Exception):
    """The client went away; there is nobody to answer."""


async def read_body(receive: Receive, declared: str | None, limit: int, seconds: float) -> bytes:
    """Return the whole body.

    Raises `ProblemError` where it is larger than `limit` bytes or not here after `seconds`,
    `ClientGoneError` where the client hangs up.
    """
    if declared is not None and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
                more = message.get("more_body", False)
    except TimeoutError:
        raise ProblemError(
            "slow_body", f"The body was not complete after {seconds:g} s.", _CLOSE
        ) from None
    return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body that was read, then what comes after it."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


def _too_large(limit: int) -> ProblemError:
    return ProblemError("too_large", f"The body has more than {limit:,} bytes.", _CLOSE)
