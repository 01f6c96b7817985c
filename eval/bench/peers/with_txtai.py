"""txtai: documents as they are, content stored with the vectors; `hybrid=True` adds its BM25."""

from pathlib import Path

from txtai import Embeddings

from eval.bench.peers.protocol import Hit, Plan, Search, records, serve


class Txtai:
    """An `Embeddings` database."""

    def __init__(self, plan: Plan) -> None:
        config = {"path": str(plan.weights), "content": True}
        if plan.kind == "int8":
            config["path"] = str(plan.weights / "onnx" / "model_int8.onnx")
            config |= {"tokenizer": str(plan.weights / "tokenizer.json"), "maxlength": 256}
        if plan.mode == "hybrid":
            config["hybrid"] = True
        self._embeddings = Embeddings(config)

    def build(self, corpus: Path, index: Path) -> int:
        """Index every document whole, as txtai does where nothing is said of parts."""
        self._embeddings.index(
            (each["id"], {"text": each["text"], "title": each["title"]}) for each in records(corpus)
        )
        self._embeddings.save(str(index))
        return int(self._embeddings.count())

    def open(self, index: Path) -> None:
        """Load the saved index."""
        self._embeddings.load(str(index))

    def searcher(self, k: int) -> Search:
        """Search as the configuration says, weights even."""

        def search(question: str) -> list[Hit]:
            return [(row["id"], row["text"]) for row in self._embeddings.search(question, k)]

        return search


if __name__ == "__main__":
    serve(Txtai)
