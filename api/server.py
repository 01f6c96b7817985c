"""How the service is run by uvicorn."""

import socket
import sys

import uvicorn
from fastapi import FastAPI

from rag.config import Settings


class Server(uvicorn.Server):
    """Says where it listens; when told to stop it takes nothing new and lets what runs end."""

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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and tell a person where."""
        await super().startup(sockets)
        if self.started and sys.stderr.isatty():
            port = self.servers[0].sockets[0].getsockname()[1]
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            print(f"seedrag answers at http://{host}:{port} (Ctrl-C ends it)", file=sys.stderr)


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
