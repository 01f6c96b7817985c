"""What users say of answers: one JSON object a line, only ever appended.

    {"receipt", "time", "thumb", "correction", "comment", "question", "history", "filter", "answer"}

`python -m eval harvest` reads it.
"""

import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()


def append_feedback(file: Path, said: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Append one line, and wait until it is on the disk. Raises `OSError`."""
    time = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    line = {"receipt": said["receipt"], "time": time, **said, **record}
    data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
    with _LOCK:
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            while data:
                data = data[os.write(handle, data) :]
            os.fsync(handle)
        finally:
            os.close(handle)
