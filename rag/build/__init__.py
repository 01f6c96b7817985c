"""Seeds → a new generation: what changed is chunked and embedded, the rest is carried over.

`gather` reads all documents into a spool file and orders them; `write` turns them into chunks,
vectors and postings; `run` holds the lock and publishes. Memory holds the documents' ids and not
their text, and the order of files leaves no trace.
"""

from rag.build.gather import changed_documents
from rag.build.run import BuildReport, Progress, build_documents, build_index, plan_sources

__all__ = [
    "BuildReport",
    "Progress",
    "build_documents",
    "build_index",
    "changed_documents",
    "plan_sources",
]
