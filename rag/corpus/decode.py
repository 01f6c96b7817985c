"""Bytes → text, and text as it is indexed."""

import unicodedata

from rag.corpus.values import Unreadable
from rag.text import language

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SAMPLE = 1 << 16
_CENTRAL = frozenset({"cp1250", "iso8859_2", "mac_latin2", "cp852", "cp1257", "cp1254", "iso8859_9"})
_WESTERN = frozenset({"da", "de", "en", "es", "fi", "fr", "it", "nl", "no", "pt", "sv"})
"""Encodings that are guessed for short texts in these languages, whose own is another."""


def decode(data: bytes) -> tuple[str, str | None]:
    """Return the text of `data`, and the encoding's name where it had to be guessed.

    Raises `Unreadable` for bytes that are no text.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding), None
            except UnicodeDecodeError as error:
                raise Unreadable(f"it begins as {encoding} but breaks at byte {error.start}") from None
    sample = data[:_SAMPLE]
    if b"\x00" in sample:
        return _utf16(data), None
    if sum(byte < 9 or (13 < byte < 32 and byte != 27) for byte in sample) > max(3, len(sample) // 100):
        raise Unreadable("it is binary, not text")
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    if best is None:
        raise Unreadable("its encoding cannot be told; save it as UTF-8")
    western = data.decode("cp1252", "replace")
    if best.encoding in _CENTRAL and "\ufffd" not in western and language(western) in _WESTERN:
        return western, "cp1252"
    return str(best), best.encoding


def _utf16(data: bytes) -> str:
    """Decode UTF-16 without a mark, by where the zero bytes of its blanks and letters stand."""
    sample = data[: _SAMPLE // 2 * 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(data) % 2 == 0 and max(even, odd) > max(len(sample) // 4, 4 * min(even, odd)):
        try:
            text = data.decode("utf-16-le" if odd > even else "utf-16-be")
        except UnicodeDecodeError:
            text = ""
        if text and all(char.isprintable() or char.isspace() for char in text[:_SAMPLE]):
            return text
    raise Unreadable("it is binary, not text")


def normalise(text: str) -> str:
    r"""Return `text` as it is indexed: newlines as `\n`, NFC."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
