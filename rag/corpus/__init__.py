"""Seeds on disk → `Document`s; what cannot be read is reported with its reason, never fatal."""

from rag.corpus.decode import decode, normalise
from rag.corpus.kinds import kind_of, reader_versions
from rag.corpus.readers import READERS, File, found_in_memory, read_jsonl
from rag.corpus.values import Failure, Found, Unchanged, Unreadable, document_of
from rag.corpus.walk import read_source
from rag.corpus.workers import Asked, Limits, Readers, Said, Workers

__all__ = [
    "READERS",
    "Asked",
    "Failure",
    "File",
    "Found",
    "Limits",
    "Readers",
    "Said",
    "Unchanged",
    "Unreadable",
    "Workers",
    "decode",
    "document_of",
    "found_in_memory",
    "kind_of",
    "normalise",
    "read_jsonl",
    "read_source",
    "reader_versions",
]
