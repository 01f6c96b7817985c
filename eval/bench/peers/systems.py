"""Which systems are measured, each in which ways."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.bench.peers.environment import version_of


@dataclass(frozen=True, slots=True)
class Way:
    """A system with one kind of weights and one way of ranking; `said` is for people to read."""

    system: str
    mode: str
    kind: str
    environment: str | None
    """None is the project's own."""
    said: str

    @property
    def name(self) -> str:
        """As in `txtai.hybrid.int8`."""
        return f"{self.system}.{self.mode}.{self.kind}"

    @property
    def module(self) -> str:
        """The program to run."""
        return f"eval.bench.peers.with_{self.system}"


AGAINST = "seedrag.hybrid.int8"
"""What everything is compared with: our search without the reader."""

_OURS = (
    ("hybrid", "int8", "words and vectors, without the reader"),
    ("default", "int8", "as it comes: the reader orders the passages"),
    ("dense", "int8", "vectors alone"),
    ("hybrid", "float32", "the published weights by sentence-transformers"),
)
_PEERS = {
    "txtai": ("txtai", "whole documents, content=True", "hybrid=True"),
    "langchain": (
        "langchain langchain-community langchain-huggingface",
        "RecursiveCharacterTextSplitter(1000, 200), FAISS",
        "EnsembleRetriever with BM25Retriever",
    ),
    "llamaindex": (
        "llama-index-core llama-index-vector-stores-faiss llama-index-retrievers-bm25",
        "SentenceSplitter, FAISS",
        "QueryFusionRetriever with BM25Retriever",
    ),
    "haystack": (
        "haystack-ai sentence-transformers-haystack",
        "DocumentSplitter, InMemoryDocumentStore",
        "DocumentJoiner with InMemoryBM25Retriever",
    ),
}
_INT8 = {
    "txtai": ("main", "onnxruntime", "its own ONNX vectors"),
    "langchain": ("onnx", "sentence-transformers optimum-onnx", "backend=onnx"),
    "llamaindex": ("onnx", "sentence-transformers optimum-onnx", "backend=onnx"),
    "haystack": ("onnx", "sentence-transformers optimum-onnx", "backend=onnx"),
}
"""How each takes an int8 model: the environment, the packages that run it, and by what."""


def ways() -> Sequence[Way]:
    """Return ours first, then each peer's."""
    found = [Way("seedrag", mode, kind, None, said) for mode, kind, said in _OURS]
    for system in _PEERS:
        for kind in ("float32", "int8"):
            found += [_peer(system, mode, kind) for mode in ("dense", "hybrid")]
    return found


def _peer(system: str, mode: str, kind: str) -> Way:
    packages, dense, hybrid = _PEERS[system]
    environment, runner, by = _INT8[system] if kind == "int8" else ("main", "", "")
    if kind == "float32" and system != "txtai":
        runner = "sentence-transformers"
    if kind == "float32" and system == "txtai":
        runner = "transformers"
    versions = [f"{name} {version_of(environment, name)}" for name in f"{packages} {runner}".split()]
    how = [dense, *([hybrid] if mode == "hybrid" else []), *([by] if by else [])]
    return Way(system, mode, kind, environment, f"{', '.join(versions)}: {'; '.join(how)}")
