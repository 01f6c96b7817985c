"""Writing and removing seed files on behalf of an admin; each is followed by a build."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from api.collections import Collection
from api.jobs import build
from api.problems import ProblemError
from rag.build import BuildReport
from rag.corpus import READERS, File, Unreadable, kind_of

WRITABLE = (".markdown", ".md", ".text", ".txt")
"""Kinds of files that are one document each, under their own name."""
LONGEST_ID = 200
_BARRED = r"\x00-\x1f\x7f\\/:*?\"<>|"
"""What some file system does not take in a name."""
_NAME = rf"[^{_BARRED}.\s](?:[^{_BARRED}]*[^{_BARRED}.\s])?"
_ENDING = "|".join("".join(f"[{c}{c.upper()}]" for c in kind[1:]) for kind in WRITABLE)
SEED_ID = rf"^(?:{_NAME}/)*[^{_BARRED}.\s][^{_BARRED}]*\.(?:{_ENDING})$"
"""Ids that name a file below the seeds on every system, hidden ones and ways out left aside."""


def put_document(collection: Collection, doc: str, data: bytes) -> tuple[BuildReport, bool]:
    """Write a seed file and build; tell whether it is new. Where the build fails, it is as it was.

    `doc` matches `SEED_ID`. Raises `ProblemError` for a file that cannot be written, or a body that
    cannot be indexed.
    """
    target = _target(collection, doc)
    _check_readable(File(doc, data))
    before = target.read_bytes() if target.is_file() else None
    try:
        _write(target, data)
    except OSError:
        raise ProblemError("conflict", "A file of this name cannot be written here.") from None
    try:
        return build(collection), before is None
    except BaseException:
        if before is None:
            target.unlink(missing_ok=True)
        else:
            _write(target, before)
        raise


def remove_document(collection: Collection, doc: str) -> BuildReport:
    """Remove a seed file and build; raises `ProblemError` where `doc` is no file of the seeds."""
    target = _target(collection, doc) if re.fullmatch(SEED_ID, doc) and len(doc) <= LONGEST_ID else None
    if target is None or not target.is_file():
        if not collection.ready or collection.snapshot.find(doc) is None:
            raise ProblemError("not_found", "There is no document with this id.")
        if target is not None:
            raise ProblemError("conflict", "Its file is gone already; build, and so is the document.")
        raise ProblemError(
            "conflict",
            "Only Markdown and text files are removed here; take what holds this document out of the "
            "seeds folder, and build.",
        )
    before = target.read_bytes()
    target.unlink()
    try:
        report = build(collection)
    except BaseException:
        _write(target, before)
        raise
    with suppress(OSError):  # folders that it leaves empty go too, the seeds' own aside
        for folder in target.parents:
            if folder == collection.seeds.resolve():
                break
            folder.rmdir()
    return report


def _check_readable(file: File) -> None:
    try:
        kind = kind_of(file.id, file.data)
        list(READERS.get(kind, READERS["plain"])(file))
    except Unreadable as news:
        raise ProblemError("invalid", f"The body cannot be indexed: {news}.") from None


def _target(collection: Collection, doc: str) -> Path:
    """Return the file that an id names; raises `ProblemError` unless it lies in the seeds."""
    root = collection.seeds.resolve()
    if not root.is_dir():
        raise ProblemError(
            "conflict", "The seeds of this collection are no folder that can be written."
        )
    if collection.directory.exists() and root not in collection.directory.sources():
        raise ProblemError("conflict", "The index is built from other seeds than RAG_SEEDS names.")
    target = root.joinpath(*doc.split("/"))
    if not target.resolve().is_relative_to(root) or target.is_symlink() or target.is_dir():
        raise ProblemError("conflict", "This id cannot be written: a link or a folder is in the way.")
    if any(above.exists() and not above.is_dir() for above in target.parents if above != root):
        raise ProblemError("conflict", "This id cannot be written: a part of it is a document.")
    return target


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{secrets.token_hex(6)}.new")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    finally:
        with suppress(OSError):
            fresh.unlink()
