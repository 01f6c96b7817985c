"""Bytes → text, and text as it is indexed."""

import unicodedata

import regex

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
_EASTERN = frozenset({"hu", "ro", "tr"})
"""Languages of the Latin alphabet that cp1252 is not made for."""
_BORROWED = "àáâçèéêëîïñóôöü"
_ALPHABETS = [
    frozenset(_BORROWED + own) for own in ("äß", "æùûœÿ", "íú", "ãíõú", "ìíòùú", "åäæø", "ðíúýþæ")
]
"""Letters beyond ASCII of German, French, Spanish, Portuguese, Italian, Nordic and Icelandic texts."""
_BEYOND_ASCII = regex.compile(r"[^\x00-\x7f]+")
_STRANGE = regex.compile(r"(?<=\p{L})[^\x00-\x7f\p{L}’·\xad](?=\p{L})|\ufffd")
"""What stands within no word of these languages."""


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
    if _is_western(western) and language(western) not in _EASTERN:
        return western, "cp1252"
    return str(best), best.encoding


def _is_western(text: str) -> bool:
    """Tell whether what was decoded as cp1252 looks like a language that it is made for.

    Its letters beyond ASCII are of one alphabet, few, and mostly alone. What is short or a table says
    too little for a guess by the language, which is how encodings are told otherwise.
    """
    runs = [run for run in _BEYOND_ASCII.findall(text) if run.isalpha()]
    beyond = frozenset("".join(runs).lower()) - {"ª", "º"}
    few = sum(map(len, runs)) * 3 <= sum(map(str.isalpha, text))
    alone = sum(len(run) == 1 or run.islower() for run in runs) * 2 >= len(runs)
    return few and alone and not _STRANGE.search(text) and any(map(beyond.issubset, _ALPHABETS))


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
