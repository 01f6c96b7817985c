"""What the chat models behind HTTP share: one request → a reply that can be cut, bit by bit."""

from rag.backends.http.chat import HTTPChat
from rag.backends.http.complaint import Complaint
from rag.backends.http.events import DONE, Event
from rag.backends.http.exchange import ask, key_of
from rag.backends.http.limits import Limits
from rag.backends.http.problems import Unusable
from rag.backends.http.reading import Heard, counts
from rag.backends.http.server import Server

__all__ = [
    "DONE",
    "Complaint",
    "Event",
    "HTTPChat",
    "Heard",
    "Limits",
    "Server",
    "Unusable",
    "ask",
    "counts",
    "key_of",
]
