import re

from tests.conftest import ROOT, shared

LONGEST = 6


def _grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[\w'’]+", text.lower())
    return {tuple(words[at : at + LONGEST]) for at in range(len(words) - LONGEST + 1)}


def test_seeds_take_over_no_sentence() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in shared("seeds").glob("*.txt"))
    for seed in (ROOT / "seeds").glob("*.md"):
        assert not _grams(seed.read_text(encoding="utf-8")) & _grams(source), seed.name


def test_seeds_state_no_figure_that_the_source_lacks() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in shared("seeds").glob("*.txt"))
    for seed in (ROOT / "seeds").glob("*.md"):
        assert _figures(seed.read_text(encoding="utf-8")) <= _figures(source), seed.name


def _figures(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:,\d+)*", text))
