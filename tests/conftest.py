"""Shared by all tests: no network but loopback, no settings from outside, a plain encoder."""

import os
import socket
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import regex

from rag.config import Settings, cache_dir
from rag.embed import open_encoder
from rag.protocols import Encoder, EncoderSpec
from rag.types import Span, Vectors

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


class LetterTokenizer:
    """A token is a word or a mark."""

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[m.span() for m in regex.finditer(r"\w+|[^\w\s]", text)] for text in texts]


class LetterEncoder:
    """A text's vector is how often it holds each letter, so one can check it in the head."""

    spec = EncoderSpec("letters", "f" * 64, 26, 256, "float32", None)
    tokenizer = LetterTokenizer()

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        counts = [[1e-3 + text.lower().count(chr(97 + n)) for n in range(26)] for text in texts]
        rows = np.array(counts, np.float32).reshape(-1, 26)
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return self.encode_queries(texts)


@cache
def _is_ours(host: str) -> bool:
    """Tell whether an address is this machine's, as that of a cluster on it is."""
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "unix"
        if host not in ("127.0.0.1", "::1", "localhost", "unix") and not _is_ours(host):
            raise AssertionError(f"a test reached for the network: {address}")
        real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def _empty_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders to work in, one for each test; `mktemp` would look through all of them each time."""
    parent = tmp_path_factory.mktemp("cwd")
    return (parent / str(n) for n in count())


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, _empty_folders: Iterator[Path]) -> None:
    for name in list(os.environ):
        if name.startswith("RAG_") and name != "RAG_CACHE_DIR":
            monkeypatch.delenv(name)
    folder = next(_empty_folders)
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def letters() -> LetterEncoder:
    return LetterEncoder()


@pytest.fixture(scope="session")
def minilm() -> Encoder:
    return open_encoder(Settings())


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
def seed_index(tmp_path_factory: pytest.TempPathFactory, minilm: Encoder) -> Path:
    """An index of the shipped seeds."""
    from rag.build import build_index
    from rag.store import IndexDirectory

    folder = tmp_path_factory.mktemp("seed-index")
    build_index(IndexDirectory(folder), [ROOT / "seeds"], minilm, Settings())
    return folder


def shared(*parts: str) -> Path:
    """Return a path of the development data; skips the test where that is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the development data is not beside the checkout: {Path(*parts)}")
    return path


@pytest.fixture
def eval_cache(tmp_path: Path, minilm: Encoder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, in which the compiled encoders stand already."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "encoders").symlink_to(cache_dir(Settings()) / "encoders")
    monkeypatch.setenv("RAG_CACHE_DIR", str(folder))
    return folder
