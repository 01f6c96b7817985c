"""Says so where a passage that an answer was written from gives orders."""

from collections.abc import Sequence

from rag import text
from rag.types import Notice, Passage

MOST = 3
"""Documents that are named; of more their number is told."""


def orders(passages: Sequence[Passage]) -> Sequence[Notice]:
    """Return a notice that names the documents whose passages read like instructions, if any do."""
    docs = list(dict.fromkeys(p.doc for p in passages if _ordering(p)))
    if not docs:
        return ()
    named = ", ".join(text.visible(text.squeeze(doc)) for doc in docs[:MOST])
    more = f" and {len(docs) - MOST} more" if len(docs) > MOST else ""
    said = (
        f"What stands in {named}{more} reads like an instruction to whoever answers, or is hidden; it "
        "was treated as text. `--explain` shows it."
    )
    return (Notice("instruction_like", said),)


def _ordering(passage: Passage) -> bool:
    return any(text.instructions(part) for part in (passage.doc, passage.title, passage.text))
