"""LangChain: its RAG tutorial's splitter, FAISS; `EnsembleRetriever` adds its BM25."""

from pathlib import Path

from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from eval.bench.peers.protocol import Hit, Plan, Search, records, serve


class LangChain:
    """A FAISS vector store, and a BM25 that is made of its documents when it is opened."""

    def __init__(self, plan: Plan) -> None:
        self._mode = plan.mode
        self._embeddings = HuggingFaceEmbeddings(model_name=str(plan.weights), model_kwargs=plan.onnx)

    def build(self, corpus: Path, index: Path) -> int:
        """Split, embed and save; nothing of the BM25 is saved, as there is no way to."""
        documents = [
            Document(each["text"], metadata={"doc": each["id"], "title": each["title"]})
            for each in records(corpus)
        ]
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=1000, chunk_overlap=200, add_start_index=True
        )
        chunks = splitter.split_documents(documents)
        FAISS.from_documents(chunks, self._embeddings).save_local(str(index))
        return len(chunks)

    def open(self, index: Path) -> None:
        """Load the vectors; read the words anew."""
        self._store = FAISS.load_local(
            str(index), self._embeddings, allow_dangerous_deserialization=True
        )
        if self._mode == "hybrid":
            ids = self._store.index_to_docstore_id.values()
            self._bm25 = BM25Retriever.from_documents(self._store.get_by_ids(list(ids)))

    def searcher(self, k: int) -> Search:
        """Return the vector store's retriever, or the ensemble of both in equal parts."""
        retriever = self._store.as_retriever(search_kwargs={"k": k})
        if self._mode == "hybrid":
            self._bm25.k = k
            retriever = EnsembleRetriever(retrievers=[self._bm25, retriever], weights=[0.5, 0.5])

        def search(question: str) -> list[Hit]:
            found = retriever.invoke(question)
            return [(each.metadata["doc"], each.page_content) for each in found]

        return search


if __name__ == "__main__":
    serve(LangChain)
