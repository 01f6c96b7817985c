"""How long searches take one by one, and in which of their parts."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.lexical import Lexical
from rag.reader import ReadingReranker
from rag.retrieve import Retriever
from rag.stores.faiss import FaissStore

Milliseconds = NDArray[np.float64]


def timed(retriever: Retriever, asked: Sequence[str], rerank: bool) -> Mapping[str, Milliseconds]:
    """Return what each search took: in all, in each part, and in the `rest`; shape (len(asked),)."""
    parts: list[tuple[str, type, str]] = [
        ("embed", type(retriever.encoder), "encode_queries"),
        ("dense", type(retriever.store), "search"),
        ("dense", FaissStore, "scores"),
        ("lexical", Lexical, "top"),
        ("lexical", Lexical, "scores"),
        ("reader", ReadingReranker, "rerank"),
    ]
    spent = {name: np.zeros(len(asked)) for name in ("total", "embed", "dense", "lexical", "reader")}
    for at, question in enumerate(asked):
        with _noted(parts, spent, at):
            began = time.perf_counter()
            retriever.search(question, rerank=rerank)
            spent["total"][at] = time.perf_counter() - began
    spent["rest"] = 2 * spent["total"] - sum(spent.values())
    return {name: 1000 * seconds for name, seconds in spent.items()}


@contextmanager
def _noted(
    parts: Sequence[tuple[str, type, str]], spent: dict[str, Milliseconds], at: int
) -> Iterator[None]:
    """Add what each part takes within this context to `spent[part][at]`, in seconds."""
    running: set[str] = set()
    with ExitStack() as stack:
        for part, owner, name in parts:
            method = getattr(owner, name)
            stack.callback(setattr, owner, name, method)
            setattr(owner, name, _noting(method, part, running, spent[part], at))
        yield


def _noting(
    method: Callable[..., Any], part: str, running: set[str], into: Milliseconds, at: int
) -> Callable[..., Any]:
    def noting(*args: Any, **kwargs: Any) -> Any:
        if part in running:
            return method(*args, **kwargs)
        running.add(part)
        began = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            into[at] += time.perf_counter() - began
            running.discard(part)

    return noting
