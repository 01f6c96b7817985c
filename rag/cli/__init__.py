"""The `rag` command. People read its default output; `--json` gives programs one JSON value."""

from rag.cli.main import app, main

__all__ = ["app", "main"]
