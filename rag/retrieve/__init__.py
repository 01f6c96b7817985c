"""Question → ranked passages: dense and lexical search over one snapshot, fused.

from rag import Retriever
for passage in Retriever.open("index").search("Who was freed?"):
    print(passage.score, passage.doc, passage.text)
"""

from rag.retrieve.retriever import Retriever

__all__ = ["Retriever"]
