"""Seeds on disk → `Document`s; what cannot be read is reported with its reason, never fatal."""

from rag.corpus.decode import decode, normalise
from rag.corpus.readers import READERS, File, found_in_memory, read_jsonl
from rag.corpus.values import Failure, Found, Unreadable
from rag.corpus.walk import read_source

__all__ = [
    "READERS",
    "Failure",
    "File",
    "Found",
    "Unreadable",
    "decode",
    "found_in_memory",
    "normalise",
    "read_jsonl",
    "read_source",
]
