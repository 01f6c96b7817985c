"""`python -m api`: the service on a port, or over stdio for a program that speaks MCP."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from rag.cli.fence import fence


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to bind to.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, show_default="8000", help="Port.")
    ] = None,
    new_key: Annotated[
        str | None, typer.Option(metavar="ROLE", help="Make an API key, read or admin, and end.")
    ] = None,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Speak MCP over stdio; no port is opened.")
    ] = False,
) -> None:
    """Answer questions over HTTP, or over stdio for a program that speaks MCP."""
    if new_key is not None:
        _make_key(new_key)
    elif mcp:
        if host is not None or port is not None:
            raise typer.BadParameter("nothing is bound, so leave --host and --port", param_hint="--mcp")
        _speak_mcp()
    else:
        _serve(host, port)


def _make_key(role: str) -> None:
    from api.security.keys import new_key

    if role not in ("read", "admin"):
        raise typer.BadParameter("the role is read or admin", param_hint="--new-key")
    key, digest = new_key()
    print(f"key (shown once; give it to whoever asks):  {key}")
    print(f"hash (add it to RAG_API_KEYS):              {role}:{digest}")


def _speak_mcp() -> None:
    import asyncio

    def end(_: int, __: FrameType | None) -> None:
        # A thread waits for the next line of stdin and cannot be woken; there is nothing to save.
        os._exit(0)

    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, end)

    from mcp.server.stdio import stdio_server

    from api import logs
    from api.app import running
    from api.mcp import mcp_server
    from api.metrics import Metrics
    from rag.config import Settings

    settings = Settings.load()
    logs.set_up(settings.log_level)

    async def speak() -> None:
        # Within `stdio_server` whatever is printed goes to stderr, so it comes first.
        async with stdio_server() as (heard, said), running(settings, Metrics()) as service:
            server = mcp_server(service)
            await server.run(heard, said, server.create_initialization_options())

    try:
        asyncio.run(speak())
    except* BrokenPipeError:  # whoever spoke with us is gone
        pass


def _serve(host: str | None, port: int | None) -> None:
    from api import logs
    from api.app import create_app
    from api.security.keys import Keys
    from api.server import Server, can_bind
    from rag.config import Settings
    from rag.errors import ConfigError

    settings = Settings.load(host=host, port=port)
    if not can_bind(settings.host, settings.port):
        raise ConfigError(
            f"{settings.host} port {settings.port} cannot be listened on, as it is in use or not ours; "
            "name another with --host and --port."
        )
    logs.set_up(settings.log_level)
    app = create_app(settings)
    if Keys(settings).needed and not settings.api_keys:
        logs.log.warning(
            "No key is configured, so nobody can ask: make one with `python -m api --new-key read`, "
            "or set RAG_ANONYMOUS=read."
        )
    try:
        Server(app, settings).run()
    except SystemExit:
        if app.state.failure is not None:
            raise app.state.failure from None
        raise


def main() -> None:
    """Run the service: exit 0 when asked to stop, 1 with one sentence on stderr, 2 for wrong usage."""
    for sign in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises it again once what ran has ended
        signal.signal(sign, lambda *_: sys.exit(0))
    with fence("api"):
        typer.run(serve)


if __name__ == "__main__":
    main()
