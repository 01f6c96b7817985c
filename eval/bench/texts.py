"""The text that benchmarks work on: real chunks, questions, and documents made of real sentences."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from eval.bench.rows import ROOT
from rag.chunk import ChunkSize, chunk_document, embedded_text
from rag.config import Settings
from rag.corpus import Found, read_source
from rag.protocols import Tokenizer
from rag.text import sentences, squeeze
from rag.types import Document

SEED = 20260101
PREFERRED = "squad2_dev"


def source(data: Path) -> tuple[Path, str]:
    """Return where the text comes from, and a note where that is not the preferred set."""
    corpus = data / PREFERRED / "corpus.jsonl"
    if corpus.exists():
        return corpus, ""
    return ROOT / "seeds", f"{PREFERRED} is absent: seeds/, its sentences recombined"


def documents(data: Path) -> list[Document]:
    """Return the documents that all other text here is taken from."""
    path, _ = source(data)
    return [item.document for item in read_source(path, 1000) if isinstance(item, Found)]


def chunks(data: Path, count: int, tokenizer: Tokenizer, settings: Settings) -> list[str]:
    """Return `count` texts as they are embedded; made documents follow where real ones run out."""
    size = ChunkSize(settings.chunk_tokens, settings.overlap_tokens)
    real = documents(data)
    order = np.random.default_rng(SEED).permutation(len(real))
    every = (document for part in ([real[at] for at in order], made(data)) for document in part)
    texts = (
        embedded_text(chunk)
        for document in every
        for chunk in chunk_document(document, tokenizer, size)
    )
    return list(islice(texts, count))


def questions(data: Path, count: int) -> list[str]:
    """Return `count` questions: real ones where there are any, else sentences, over and over."""
    gold = data / PREFERRED / "gold.jsonl"
    if gold.exists():
        lines = gold.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line)["question"] for line in lines]
    else:
        found = _sentences(data)
    order = np.random.default_rng(SEED).permutation(max(len(found), count))
    return [found[at % len(found)] for at in order[:count].tolist()]


def made(data: Path, words: int = 1600, seed: int = SEED) -> Iterator[Document]:
    """Yield documents of at least `words` words without end, real sentences in random order."""
    known = _sentences(data)
    lengths = [len(said.split()) for said in known]
    random = np.random.default_rng(seed)
    number = 0
    while True:
        said: list[str] = []
        total = 0
        while total < words:
            at = int(random.integers(len(known)))
            said.append(known[at] + ("\n\n" if random.random() < 0.15 else " "))
            total += lengths[at]
        yield Document(f"made-{number:06d}.txt", "".join(said).strip(), f"made {number:06d}")
        number += 1


def _sentences(data: Path) -> list[str]:
    found = [
        squeeze(document.text[start:end])
        for document in documents(data)
        for start, end in sentences(document.text)
    ]
    return [said for said in found if 5 <= len(said.split()) <= 60]
