"""Keeps what others print while a model loads from whoever asked for an answer."""

import contextlib
import io
import os
import threading
import warnings
from collections.abc import Iterator

_ONE_AT_A_TIME = threading.RLock()
"""What is kept quiet is the whole process; two that overlap would put the wrong things back."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings and progress bars of model libraries from the user."""
    with _ONE_AT_A_TIME:
        before = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS")
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        try:
            with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                yield
        finally:
            if before is None:
                del os.environ["HF_HUB_DISABLE_PROGRESS_BARS"]
            else:
                os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = before
