"""Around a command line: whatever goes wrong becomes one sentence on stderr, never a traceback."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import NoReturn

from rag.errors import RagError


@contextmanager
def fence(program: str) -> Iterator[None]:
    """Exit 0 at the end, with a `RagError`'s own code or 1 for any other failure; 2 is for usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        yield
    except RagError as error:
        _fail(program, str(error), error.exit_code)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(program, f"{error.filename or 'The system'}: {error.strerror or error}.")
    except Exception as error:  # the last fence: a person gets a sentence, not a traceback
        _fail(program, f"seedrag itself failed ({type(error).__name__}: {error}); please report this.")
    sys.exit(0)


def _fail(program: str, sentence: str, code: int = 1) -> NoReturn:
    print(f"{program}: {sentence}", file=sys.stderr)
    sys.exit(code)
