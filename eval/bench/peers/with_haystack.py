"""Haystack: pipelines over its in-memory store; `DocumentJoiner` adds its BM25 by reciprocal ranks."""

from pathlib import Path
from typing import Any

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import (
    InMemoryBM25Retriever,
    InMemoryEmbeddingRetriever,
)
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

from eval.bench.peers.protocol import Hit, Plan, Search, records, serve


class Haystack:
    """A document store in memory; what is saved is one JSON file of texts and vectors.

    Embedders that are told the same share one loaded model; each pipeline needs one of its own.
    """

    def __init__(self, plan: Plan) -> None:
        self._mode = plan.mode
        self._model: dict[str, Any] = {
            "model": str(plan.weights),
            "progress_bar": False,
            **plan.onnx,
        }
        SentenceTransformersTextEmbedder(**self._model).warm_up()

    def build(self, corpus: Path, index: Path) -> int:
        """Run the indexing pipeline and save the store."""
        store = InMemoryDocumentStore()
        pipeline = Pipeline()
        pipeline.add_component("splitter", DocumentSplitter())
        pipeline.add_component("embedder", SentenceTransformersDocumentEmbedder(**self._model))
        pipeline.add_component("writer", DocumentWriter(store))
        pipeline.connect("splitter", "embedder")
        pipeline.connect("embedder", "writer")
        documents = [
            Document(content=each["text"], meta={"doc": each["id"], "title": each["title"]})
            for each in records(corpus)
        ]
        pipeline.run({"splitter": {"documents": documents}})
        index.mkdir()
        store.save_to_disk(str(index / "store.json"))
        return int(store.count_documents())

    def open(self, index: Path) -> None:
        """Load the store, which counts its words anew."""
        self._store = InMemoryDocumentStore.load_from_disk(str(index / "store.json"))

    def searcher(self, k: int) -> Search:
        """Return the query pipeline, with both retrievers and a joiner if hybrid."""
        pipeline = Pipeline()
        pipeline.add_component("embedder", SentenceTransformersTextEmbedder(**self._model))
        pipeline.add_component("dense", InMemoryEmbeddingRetriever(self._store, top_k=k))
        pipeline.connect("embedder.embedding", "dense.query_embedding")
        if self._mode == "hybrid":
            pipeline.add_component("bm25", InMemoryBM25Retriever(self._store, top_k=k))
            joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=k)
            pipeline.add_component("joiner", joiner)
            pipeline.connect("bm25", "joiner")
            pipeline.connect("dense", "joiner")
        last = "joiner" if self._mode == "hybrid" else "dense"

        def search(question: str) -> list[Hit]:
            asked: dict[str, dict[str, str]] = {"embedder": {"text": question}}
            if self._mode == "hybrid":
                asked["bm25"] = {"query": question}
            found = pipeline.run(asked)[last]["documents"]
            return [(each.meta["doc"], each.content) for each in found]

        return search


if __name__ == "__main__":
    serve(Haystack)
