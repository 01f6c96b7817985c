"""Source files → values of a known shape; whatever is wrong is one sentence that names the file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from eval.errors import EvalError

_POINTER = b"version https://git-lfs.github.com/"

T = TypeVar("T")


class Source(BaseModel):
    """A value as other tools write it: more keys than we know, numbers for ids."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


def read_bytes(file: Path, form: str) -> bytes:
    """Return what a file holds; raises `EvalError` that says which `form` is wanted."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise EvalError(f"There is no {file}; {form}.") from None
    except IsADirectoryError:
        raise EvalError(f"{file} is a folder; {form}.") from None
    except OSError as error:
        raise EvalError(f"{file} cannot be read: {error.strerror or error}.") from None
    if data.startswith(_POINTER):
        raise EvalError(f"{file} is a pointer to a file of Git LFS; fetch that by `git lfs pull`.")
    return data


def read_json(file: Path, shape: type[T], form: str) -> T:
    """Return a JSON file's value; raises `EvalError` that says which `form` is wanted."""
    return _shaped(str(file), read_bytes(file, form), TypeAdapter(shape), form)


def read_jsonl(file: Path, shape: type[T], form: str) -> Iterator[tuple[int, T]]:
    """Yield the lines that are not blank, numbered from 1; raises `EvalError` as `read_json` does."""
    adapter = TypeAdapter(shape)
    for number, line in enumerate(read_bytes(file, form).split(b"\n"), 1):
        if line.strip():
            yield number, _shaped(f"{file} line {number}", line, adapter, form)


def problem(error: ValidationError) -> str:
    """Say the first thing that is wrong with a value, and where in it."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _shaped(name: str, data: bytes, adapter: TypeAdapter[T], form: str) -> T:
    try:
        return adapter.validate_python(_decoded(data))
    except RecursionError:
        raise EvalError(f"{name} nests too deeply.") from None
    except json.JSONDecodeError as error:
        at = f"line {error.lineno} column {error.colno}"
        raise EvalError(f"{name} is not JSON: {error.msg} at {at}; {form}.") from None
    except UnicodeDecodeError as error:
        raise EvalError(f"{name} is not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    except ValidationError as error:
        raise EvalError(f"{name} has another shape: {problem(error)}; {form}.") from None


def _decoded(data: bytes) -> Any:
    """Decode JSON, a byte order mark before it allowed."""
    return json.loads(data.decode("utf-8-sig"))
