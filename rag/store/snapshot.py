"""One generation, open for reading: its bytes are checked once, then mapped."""

import json
import mmap
import os
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag import lexical
from rag.errors import FilterError, IndexCorruptError, IndexFormatError
from rag.lexical import Lexical
from rag.store import layout
from rag.store.directory import IndexDirectory
from rag.store.layout import DocumentRow, Manifest
from rag.store.writer import checksum, describe
from rag.types import Filter, Rows, Vectors

LARGE = 1 << 30
"""Bytes of a generation from which what searches have looked at does not stay in our memory."""
FEW = 16
"""Searches after which it is let go."""
_CAN_LET_GO = hasattr(mmap, "MADV_DONTNEED") and hasattr(os, "preadv")
_ROWS = 1024
"""Documents whose rows stay decoded."""


class Snapshot:
    """A generation's documents, chunks, vectors and postings; nothing in it ever changes."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.generation = folder.name
        self.manifest = manifest
        self._maps: list[mmap.mmap] = []
        self._lines = self._mapped(layout.DOCUMENTS, "u1")
        self._documents = self._mapped(layout.DOCUMENT_TABLE, layout.DOCUMENT_DTYPE)
        self._texts = self._mapped(layout.TEXTS, "u1")
        self.chunks = self._mapped(layout.CHUNK_TABLE, layout.CHUNK_DTYPE)
        dimension = int(manifest.encoder["dimension"])
        self.vectors: Vectors = self._mapped(layout.VECTORS, "<f4").reshape(-1, dimension)
        self.hashes = self._mapped(layout.HASHES, f"V{layout.HASH_BYTES}")
        arrays = [self._mapped(name, kind) for name, kind in lexical.ARRAYS.items()]
        self.lexical = Lexical(*arrays)
        self._searches = count(1)
        self._lets_go = _CAN_LET_GO and sum(map(len, self._maps)) > LARGE
        self._vector_file: int | None = None
        if self._lets_go:
            self._vector_file = os.open(folder / layout.VECTORS, os.O_RDONLY)
            weakref.finalize(self, os.close, self._vector_file)
        self._row = lru_cache(_ROWS)(partial(_read_row, self._lines, self._documents))

    @property
    def digest(self) -> str:
        """What names its content."""
        return self.manifest.digest

    @property
    def search(self) -> Mapping[str, Any]:
        """How its vectors are searched where they lie."""
        return self.manifest.search

    @property
    def words(self) -> Lexical:
        """Its chunks' terms."""
        return self.lexical

    def searched(self) -> None:
        """Take note of a search; every few, a large generation's pages leave this process' memory.

        The system keeps them and gives them back to whoever looks. It maps sixteen for each that is
        looked at, so that after some hundred searches of a million chunks all would be mapped.
        """
        if self._lets_go and next(self._searches) % FEW == 0:
            for each in self._maps:
                with suppress(OSError):  # they are locked into memory
                    each.madvise(mmap.MADV_DONTNEED)

    def vectors_of(self, rows: Rows) -> Vectors:
        """Return the vectors of some rows, which rise, shape (len(rows), d).

        Those of a large generation are read, as looking at them would map the pages around them.
        Raises `IndexCorruptError` where the file has become shorter.
        """
        if self._vector_file is None or len(rows) == 0:
            return self.vectors[rows]
        found = np.empty((len(rows), self.vectors.shape[1]), "<f4")
        cuts = np.flatnonzero(np.diff(rows) != 1) + 1
        for start, end in pairwise([0, *cuts.tolist(), len(rows)]):
            some = found[start:end]
            at = int(rows[start]) * found.strides[0]
            if os.preadv(self._vector_file, [some.data], at) != some.nbytes:
                raise IndexCorruptError(_broken([f"{self.folder / layout.VECTORS} is damaged"]))
        return found

    def _mapped(self, name: str, kind: Any) -> NDArray[Any]:
        with (self.folder / name).open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return np.empty(0, kind)
            self._maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return np.frombuffer(self._maps[-1], kind)

    def __len__(self) -> int:
        return len(self.chunks)

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return len(self._documents)

    def document(self, number: int) -> DocumentRow:
        """Return a document by its number; numbers follow the order of ids."""
        return self._row(number)

    def document_line(self, number: int) -> bytes:
        """Return a document's line as it was written."""
        return _line(self._lines, self._documents, number)

    def document_bytes(self, number: int) -> bytes:
        """Return a document's text in UTF-8."""
        entry = self._documents[number]
        return bytes(self._texts[entry["text"] : entry["text_end"]])

    def text_start(self, number: int) -> int:
        """Return the byte at which a document's text begins in the texts."""
        return int(self._documents[number]["text"])

    def text(self, doc: str) -> str:
        """Return a document's text as it was indexed; raises `KeyError` for an unknown id."""
        number = self.find(doc)
        if number is None:
            raise KeyError(doc)
        return self.document_bytes(number).decode()

    def find(self, doc: str) -> int | None:
        """Return the number of the document with an id, or None."""
        at = self._at_or_after(doc.encode())
        return at if at < self.documents and self.document(at).id == doc else None

    def after(self, doc: str) -> int:
        """Return the number of the first document whose id comes after this one."""
        at = self._at_or_after(doc.encode())
        return at + (at < self.documents and self.document(at).id == doc)

    def chunk_range(self, number: int) -> tuple[int, int]:
        """Return the rows of a document's chunks, half open."""
        last = number + 1 == self.documents
        end = len(self) if last else int(self._documents[number + 1]["chunk"])
        return int(self._documents[number]["chunk"]), end

    def slice(self, first_byte: int, last_byte: int) -> str:
        """Return what stands between two byte offsets of the texts, as chunk entries give them."""
        return bytes(self._texts[first_byte:last_byte]).decode()

    def rows(self, where: Filter) -> Rows:
        """Return the rows of all chunks whose documents pass a filter, rising.

        Raises `FilterError` for a key other than `doc`, `title` and `meta.<key>`.
        """
        numbers = np.ones(self.documents, bool)
        for key, wanted in where.items():
            values = [wanted] if isinstance(wanted, str | int | float | bool) else wanted
            if not isinstance(values, Sequence) or not values:
                raise FilterError(f"Filter {key!r} needs a value or a list of values.")
            if key == "doc":
                numbers &= self._matching_ids(values)
            elif key == "title" or key.startswith("meta."):
                numbers &= np.isin(np.arange(self.documents), self._with_value(key, values))
            else:
                raise FilterError(f"Unknown filter {key!r}; use doc, title or meta.<key>.")
        return np.flatnonzero(numbers[self.chunks["doc"]]).astype(np.int64)

    def _matching_ids(self, patterns: Sequence[Any]) -> NDArray[np.bool_]:
        mask = np.zeros(self.documents, bool)
        for pattern in patterns:
            if not isinstance(pattern, str):
                raise FilterError("Filter 'doc' needs an id, or a prefix that ends in *.")
            prefix = pattern.removesuffix("*").encode("utf-8", "surrogatepass")
            first = self._at_or_after(prefix)
            if pattern.endswith("*"):
                mask[first : self._at_or_after(prefix + b"\xff")] = True
            elif first < self.documents and self.document(first).id == pattern:
                mask[first] = True
        return mask

    def _with_value(self, key: str, values: Sequence[Any]) -> list[int]:
        known = self._values.get(key, {})
        return [number for value in values for number in known.get(_comparable(value), ())]

    @cached_property
    def _values(self) -> Mapping[str, Mapping[str, list[int]]]:
        """For `title` and each key of the documents' meta: value → numbers."""
        known: dict[str, dict[str, list[int]]] = {"title": {}}
        for number in range(self.documents):
            row = self.document(number)
            for key, value in [("title", row.title), *_flat(row.meta)]:
                known.setdefault(key, {}).setdefault(_comparable(value), []).append(number)
        return known

    def _at_or_after(self, doc: bytes) -> int:
        low, high = 0, self.documents
        while low < high:
            middle = (low + high) // 2
            if self.document(middle).id.encode() < doc:
                low = middle + 1
            else:
                high = middle
        return low


def open_snapshot(directory: IndexDirectory) -> Snapshot:
    """Open the published generation, every byte of it checked.

    Raises `IndexMissingError`, `IndexCorruptError`, `IndexFormatError`.
    """
    while True:
        generation = directory.current()
        try:
            return _open(directory.folder(generation))
        except IndexCorruptError:
            if directory.current() == generation:  # else it was being removed
                raise


def _open(folder: Path) -> Snapshot:
    path = folder / layout.MANIFEST
    try:
        manifest = Manifest.parse(path.read_bytes(), str(path))
        if damage := list(verify_generation(folder, checksum)):
            raise IndexCorruptError(_broken(damage))
        return Snapshot(folder, manifest)
    except FileNotFoundError as error:
        raise IndexCorruptError(_broken([f"{error.filename} is missing"])) from None
    except OSError as error:
        said = f"{error.filename or folder} cannot be read ({error.strerror})"
        raise IndexCorruptError(_broken([said])) from None


def verify_generation(
    folder: Path, measured: Callable[[Path], Mapping[str, Any]] = describe
) -> Iterator[str]:
    """Yield one phrase for each file of a generation that is not as it was written.

    Each is compared by what is `measured` of it: all that the manifest knows, or the quick checksum.
    """
    path = folder / layout.MANIFEST
    try:
        manifest = Manifest.parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        yield f"{path} is missing"
        return
    except OSError as error:
        yield f"{path} cannot be read ({error.strerror})"
        return
    except IndexCorruptError:
        yield f"{path} is damaged"
        return
    except IndexFormatError as error:
        yield str(error).removesuffix(".")
        return

    files = {**manifest.files, **manifest.search.get("files", {})}

    def check(name: str) -> str | None:
        try:
            whole = measured(folder / name).items() <= files[name].items()
        except FileNotFoundError:
            return f"{folder / name} is missing"
        except OSError as error:
            return f"{folder / name} cannot be read ({error.strerror})"
        return None if whole else f"{folder / name} is damaged"

    with ThreadPoolExecutor(2) as pool:
        yield from (said for said in pool.map(check, files) if said)


def _broken(damage: Sequence[str]) -> str:
    more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
    return f"{damage[0]}{more}; run `rag rollback` to return to an earlier generation."


def _line(lines: NDArray[Any], documents: NDArray[Any], number: int) -> bytes:
    entry = documents[number]
    return bytes(lines[entry["line"] : entry["line_end"]])


def _read_row(lines: NDArray[Any], documents: NDArray[Any], number: int) -> DocumentRow:
    return DocumentRow(**json.loads(_line(lines, documents, number)))


def _flat(meta: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in meta.items():
        for each in value if isinstance(value, list) else [value]:
            yield f"meta.{key}", each


def _comparable(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    except TypeError:
        raise FilterError(
            f"A filter cannot compare {value!r}; use text, numbers or booleans."
        ) from None
