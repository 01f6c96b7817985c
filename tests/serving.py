"""A live service on loopback, for tests that speak to it as its users do."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from api import create_app
from api.server import Server
from rag.config import Settings

HELD = "How many people walked free on 16 September?"
NOT_HELD = "Who won the 2018 World Cup?"


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Give the address of a service with these settings, which ends with the block."""
    app = create_app(settings)
    bound = settings.model_copy(update={"host": "127.0.0.1", "port": 0, "drain_seconds": 3})
    server = Server(app, bound)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def events(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Return the server-sent events of a response that was read whole."""
    told = []
    for block in response.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if fields:
            told.append((fields["event"], json.loads(fields["data"])))
    return told
