"""seedrag: ask your own documents, and get an answer you can check.

from rag import Answerer, Retriever
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answer import Answerer
    from rag.config import Settings
    from rag.errors import RagError
    from rag.retrieve import Retriever
    from rag.types import Answer, Citation, Document, Passage

__version__ = "0.1.0"

_WHERE = {
    "Answer": "rag.types",
    "Answerer": "rag.answer",
    "Citation": "rag.types",
    "Document": "rag.types",
    "Passage": "rag.types",
    "RagError": "rag.errors",
    "Retriever": "rag.retrieve",
    "Settings": "rag.config",
}
__all__ = [  # noqa: RUF022 - the order that a reader needs them in
    "Retriever",
    "Answerer",
    "Document",
    "Passage",
    "Answer",
    "Citation",
    "Settings",
    "RagError",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for, so that `import rag` costs next to nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
