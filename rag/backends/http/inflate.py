"""Compressed bodies, unpacked in small pieces, so that a bomb is noticed before it bursts."""

import zlib
from collections.abc import Iterable, Iterator

from rag.backends.http.problems import BrokenOffError, Unusable

ACCEPTED = "gzip, deflate"
MOST = 16_000_000
"""Bytes beyond which a reply is no chat completion; the longest replies come in small events."""
_PIECE = 1 << 16
_EITHER = zlib.MAX_WBITS | 32
"""A window for gzip's and zlib's headers; which of them stands there is found out."""


def unpacked(parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a body's bytes as they come, none longer than 64 kB, all together at most `MOST`.

    Raises `Unusable` where there is more or they cannot be unpacked, and `BrokenOffError`.
    """
    size = 0
    for piece in _pieces(parts, encoding.strip().lower()):
        size += len(piece)
        if size > MOST:
            raise Unusable(f"sent more than {MOST // 1_000_000} MB, which is no chat completion")
        yield piece


def _pieces(parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        yield from parts
    elif encoding in ("gzip", "x-gzip", "deflate"):
        yield from _inflated(parts)
    else:
        raise Unusable("packed its reply in a way that was not asked for")


def _inflated(parts: Iterable[bytes]) -> Iterator[bytes]:
    unpacking = None
    for part in parts:
        if unpacking is None and part:
            unpacking = zlib.decompressobj(_window(part))
        while part and unpacking is not None and not unpacking.eof:
            try:
                yield unpacking.decompress(part, _PIECE)
            except zlib.error:
                raise Unusable("sent a reply that cannot be unpacked") from None
            part = unpacking.unconsumed_tail
    if unpacking is None or not unpacking.eof:
        raise BrokenOffError


def _window(begin: bytes) -> int:
    """Return the window of a body that begins so: some servers' deflate comes without a header."""
    return _EITHER if begin[0] == 0x1F or begin[0] & 0x0F == 8 else -zlib.MAX_WBITS
