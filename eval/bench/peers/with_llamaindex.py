"""LlamaIndex: its default splitter, FAISS; `QueryFusionRetriever` adds its BM25, one query each."""

from pathlib import Path

import faiss
from llama_index.core import (
    Document,
    Settings,
    StorageContext,
    VectorStoreIndex,
    load_index_from_storage,
)
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.faiss import FaissVectorStore

from eval.bench.peers.protocol import DIMENSION, Hit, Plan, Search, records, serve


class LlamaIndex:
    """A vector index over FAISS, and a BM25 saved beside it.

    Its FAISS example takes distances (`IndexFlatL2`), which its fusion would read as scores, the
    farthest first; inner products of its unit vectors order alike and are scores.
    """

    def __init__(self, plan: Plan) -> None:
        self._mode = plan.mode
        Settings.embed_model = HuggingFaceEmbedding(model_name=str(plan.weights), **plan.onnx)

    def build(self, corpus: Path, index: Path) -> int:
        """Split, embed and save; the title is metadata, which it embeds and indexes with the text."""
        documents = [
            Document(text=each["text"], id_=each["id"], metadata={"title": each["title"]})
            for each in records(corpus)
        ]
        store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(DIMENSION))
        context = StorageContext.from_defaults(vector_store=store)
        built = VectorStoreIndex.from_documents(documents, storage_context=context)
        built.storage_context.persist(str(index))
        if self._mode == "hybrid":
            BM25Retriever.from_defaults(docstore=built.docstore).persist(str(index / "bm25"))
        return len(built.docstore.docs)

    def open(self, index: Path) -> None:
        """Load both."""
        store = FaissVectorStore.from_persist_dir(str(index))
        context = StorageContext.from_defaults(vector_store=store, persist_dir=str(index))
        self._index = load_index_from_storage(context)
        if self._mode == "hybrid":
            self._bm25 = BM25Retriever.from_persist_dir(str(index / "bm25"))

    def searcher(self, k: int) -> Search:
        """Return the index's retriever, or reciprocal rank fusion of both."""
        retriever = self._index.as_retriever(similarity_top_k=k)
        if self._mode == "hybrid":
            self._bm25.similarity_top_k = k
            retriever = QueryFusionRetriever(
                [retriever, self._bm25],
                llm=MockLLM(),
                mode="reciprocal_rerank",
                similarity_top_k=k,
                num_queries=1,
                use_async=True,
            )

        def search(question: str) -> list[Hit]:
            found = retriever.retrieve(question)
            return [(each.node.ref_doc_id, each.node.get_content()) for each in found]

        return search


if __name__ == "__main__":
    serve(LlamaIndex)
