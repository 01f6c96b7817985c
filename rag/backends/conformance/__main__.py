"""python -m rag.backends.conformance SPEC: exits 1 where a check failed, 2 for wrong usage."""

import sys

from rag.backends import open_chat
from rag.backends.conformance import conform, table
from rag.config import Settings
from rag.errors import RagError


def main(arguments: list[str]) -> int:
    """Print the table of checks of one spec's model, and return what to exit with."""
    if arguments in (["-h"], ["--help"]):
        print("usage: python -m rag.backends.conformance SPEC\n\nChecks what a model promises.")
        return 0
    if len(arguments) != 1:
        print("usage: python -m rag.backends.conformance SPEC", file=sys.stderr)
        return 2
    try:
        chat = open_chat(arguments[0], Settings.load())
    except RagError as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 1
    if chat is None:
        print(f"conformance: {arguments[0]} reads no prompts; nothing to check.", file=sys.stderr)
        return 1
    results = conform(chat)
    print(table(results), flush=True)
    return int(any(each.verdict == "failed" for each in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
