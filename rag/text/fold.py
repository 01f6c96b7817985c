"""Text made comparable, with the way back: every folded character knows where it came from."""

import unicodedata
from dataclasses import dataclass

from rag.types import Span

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)


@dataclass(frozen=True, slots=True)
class Folded:
    """`text[i]` came from the original's characters `origin[i]` up to `origin[i + 1]`."""

    text: str
    origin: list[int]
    """len(text) + 1 offsets into the original, rising."""

    def find(self, needle: str, start: int = 0) -> Span | None:
        """Return where the folded `needle` stands in the original, or None."""
        at = self.text.find(needle, start) if needle else -1
        while at >= 0:
            end = at + len(needle)
            if not (self._inside(at) or self._inside(end)):
                return self.origin[at], self.origin[end - 1] + 1
            at = self.text.find(needle, at + 1)
        return None

    def _inside(self, at: int) -> bool:
        """Tell whether the folded text parts at `at` what was one character, as in "½"."""
        return 0 < at < len(self.text) and self.origin[at - 1] == self.origin[at]


def fold(text: str) -> Folded:
    """Fold case, width, quotes, dashes and white space; drop what cannot be seen."""
    out: list[str] = []
    origin: list[int] = []
    for at, char in enumerate(text):
        if char.isspace():
            if out and out[-1] != " ":
                out.append(" ")
                origin.append(at)
            continue
        if unicodedata.category(char) == "Cf":
            continue
        for piece in unicodedata.normalize("NFKC", char.translate(_PLAIN)).casefold():
            out.append(piece)
            origin.append(at)
    if out and out[-1] == " ":
        out.pop()
        origin.pop()
    origin.append(len(text))
    return Folded("".join(out), origin)


def squeeze(text: str) -> str:
    """Return the text on one line, each run of white space as one blank."""
    return " ".join(text.split())
