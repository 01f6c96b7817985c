"""Models that think aloud at the start of a reply: `<think>…</think>` is not its text."""

_OPEN, _CLOSE = "<think>", "</think>"


class Thinking:
    """Leaves the thinking out, however it is cut into bits."""

    def __init__(self) -> None:
        self.thought = False
        self._held = ""
        self._inside = False
        self._passed = False

    def add(self, bit: str) -> str:
        """Return what of it is text."""
        if self._passed:
            return bit
        self._held += bit
        if self._inside:
            return self._within()
        begun = self._held.lstrip()
        if begun.startswith(_OPEN):
            self.thought = self._inside = True
            self._held = begun.removeprefix(_OPEN)
            return self._within()
        if _OPEN.startswith(begun) and not (self.thought and not begun):
            return ""
        return self._pass()

    def close(self) -> str:
        """Return what was held back and turned out to be text."""
        return "" if self._inside else self._pass()

    def _within(self) -> str:
        _, closed, after = self._held.partition(_CLOSE)
        if not closed:
            self._held = self._held[1 - len(_CLOSE) :]
            return ""
        self._held = after.lstrip()
        self._inside = False
        return self._pass() if self._held else ""

    def _pass(self) -> str:
        said = self._held.lstrip() if self.thought else self._held
        self._held = ""
        self._passed = bool(said) or not self.thought
        return said
