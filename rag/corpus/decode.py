"""Bytes → text, and text as it is indexed."""

import unicodedata

import regex

from rag.corpus.values import Unreadable
from rag.text import UNKNOWN, language

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
_WESTERN_ALPHABETS = [*map(frozenset, (
    "àáâçèéêëîïñóôöü", "äöüßàâçèéê", "àâçèéêëîïôùûüœÿ", "áéíóúüñç", "àçèéíïòóúü", "àáâãçéêíóôõúüñ",
    "àèéìíîòóùú", "åäöæøàáéêôü", "áéíóúýþæðö",
))]  # fmt: skip
"""Letters beyond ASCII of words in English, and of texts in German, French, Spanish, Catalan,
Portuguese, Italian, Nordic languages and Icelandic."""
_EASTERN_ALPHABETS = [*map(frozenset, (
    "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţșț", "âçğıîöşüû",
))]  # fmt: skip
"""Those of Czech, Slovak, Polish, Hungarian, South Slavic, Romanian and Turkish texts."""
_FOR_THEM = frozenset({"cp1250", "cp1254", "iso8859_2", "iso8859_9", "iso8859_16"})
"""Encodings that they are in."""
_BEYOND_ASCII = regex.compile(r"[^\x00-\x7f]+")
_STRANGE = regex.compile(r"(?<=\p{L})[[^\x00-\x7f\p{L}’·\xad]ªº](?=\p{L})|\ufffd", regex.V1)
"""What stands within no word of western languages."""


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
    guessed = str(best)
    if _is_western(western) and not (best.encoding in _FOR_THEM and _is_eastern(guessed, western)):
        return western, "cp1252"
    return guessed, best.encoding


def _is_western(text: str) -> bool:
    """Tell whether what was decoded as cp1252 looks like a language that it is made for.

    Its letters beyond ASCII are of one alphabet, few, and mostly alone. What is short or a table says
    too little for a guess by the language, which is how encodings are told otherwise.
    """
    runs = [run for run in _BEYOND_ASCII.findall(text) if run.isalpha()]
    few = sum(map(len, runs)) * 3 <= sum(map(str.isalpha, text))
    alone = sum(len(run) <= 2 for run in runs) * 2 >= len(runs)
    if not few or not alone or _STRANGE.search(text) or language(text) in _EASTERN:
        return False
    return _is_of_one("".join(runs), _WESTERN_ALPHABETS)


def _is_eastern(guessed: str, western: str) -> bool:
    """Tell whether what could be both is rather what was guessed, character by character another.

    Where no function word tells, and Icelandic is not all that is against it, the letters beside do:
    "č" stands beside vowels, "è" in its place between consonants or after an "i".
    """
    if not _is_of_one("".join(filter(str.isalpha, guessed)), _EASTERN_ALPHABETS):
        return False
    if language(western) not in (UNKNOWN, *_EASTERN):
        return False
    others = [at for at, (one, other) in enumerate(zip(western, guessed, strict=True)) if one != other]
    if language(guessed) in _EASTERN or {western[at].lower() for at in others} <= {*"ðþýº"}:
        return True
    votes = 0
    for at in others:
        if _is_vowel(western[at]) and not _is_vowel(guessed[at]):
            before, after = western[at - 1 : at], western[at + 1 : at + 2]
            votes += 1 if (_is_vowel(before) and before != "i") or _is_vowel(after) else -1
    return votes > 0


def _is_of_one(letters: str, alphabets: list[frozenset[str]]) -> bool:
    """Tell whether one of the alphabets has all letters beyond ASCII."""
    beyond = {letter for letter in letters.lower() if not letter.isascii()} - {"ª", "º"}
    return any(map(beyond.issubset, alphabets))


def _is_vowel(letter: str) -> bool:
    return bool(letter) and unicodedata.normalize("NFD", letter)[0].lower() in "aeiou"


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
