"""How the service is run by uvicorn."""

import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from rag.config import Settings


class Server(uvicorn.Server):
    """Lets `/readyz` say that the end is near before connections are drained."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
        )
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down."""
        if self._app.state.service is not None:
            self._app.state.service.draining = True
        super().handle_exit(sig, frame)


def can_bind(host: str, port: int) -> bool:
    """Tell whether a port is free to listen on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
