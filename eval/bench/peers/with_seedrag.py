"""seedrag: a `Retriever` over words and vectors; as it comes, the reader orders what they find."""

from pathlib import Path
from typing import Any

from eval.bench.peers.protocol import Hit, Plan, Search, serve
from rag import Retriever
from rag.build import build_index
from rag.config import Settings
from rag.embed import open_encoder
from rag.embed.models import BUNDLED
from rag.reader import open_reranker
from rag.store import IndexDirectory, open_snapshot

_MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "hybrid": {"reader": "off"},
    "dense": {"reader": "off", "alpha": 1.0, "alpha_blind": 1.0},
}


class Seedrag:
    """An index folder; no question's vector is remembered, so that none is had for nothing."""

    def __init__(self, plan: Plan) -> None:
        kind = "onnx" if plan.kind == "int8" else "st"
        self._settings = Settings.load(encoder=f"{kind}:{BUNDLED}", remembered=0, **_MODES[plan.mode])
        self._encoder = open_encoder(self._settings)

    def build(self, corpus: Path, index: Path) -> int:
        """Build and publish a generation."""
        return build_index(IndexDirectory(index), [corpus], self._encoder, self._settings).chunks

    def open(self, index: Path) -> None:
        """Open the published generation, and the reader if it is wanted."""
        snapshot = open_snapshot(IndexDirectory(index))
        self._retriever = Retriever(
            snapshot, self._encoder, self._settings, open_reranker(self._settings)
        )

    def searcher(self, k: int) -> Search:
        """Return the retriever's search."""

        def search(question: str) -> list[Hit]:
            return [(each.doc, each.text) for each in self._retriever.search(question, k)]

        return search


if __name__ == "__main__":
    serve(Seedrag)
