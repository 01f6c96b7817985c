"""Log lines as JSON, one a line on stderr. An error is told by its kind and place, not its stack."""

import logging
import re
import secrets
import sys
import traceback
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
log = logging.getLogger("seedrag.api")


class _Formatter(JsonFormatter):
    """Leaves out stacks, which tell of folders and may hold what users wrote."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and record.exc_info[1]:
            record.__dict__.update(kind_and_place(record.exc_info[1]))
        if "Traceback (most recent call last)" in record.getMessage():
            record.msg, record.args = "failed; its stack is left out", ()
        record.exc_info = record.exc_text = record.stack_info = None
        return super().format(record)


def set_up(level: str) -> None:
    """Write the service's log, and uvicorn's, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level"},
            json_ensure_ascii=True,
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
        )
    )
    for name in ("seedrag.api", "rag", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name != "uvicorn.error" else []
        logger.setLevel(level.upper())
        logger.propagate = name == "uvicorn.error"


def kind_and_place(error: BaseException) -> dict[str, Any]:
    """Return what an error is and where it arose: no message, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if re.search(r"[/\\](api|rag)[/\\]", f.filename)] or frames
    place = None
    if ours:
        parts = re.split(r"[/\\]", ours[-1].filename)[-3:]
        place = f"{'/'.join(parts)}:{ours[-1].lineno}"
    return {"error": type(error).__name__, "place": place}


def request_id(given: str | None) -> str:
    """Return the id that a proxy gave a request if it is a plain one, or else a new one."""
    return given if given and _ID.fullmatch(given) else secrets.token_hex(8)
