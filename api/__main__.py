"""`python -m api`: the service on a port, or over stdio for a program that speaks MCP."""

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
) -> None:
    """Answer questions over HTTP."""
    if new_key is not None:
        _make_key(new_key)
        return
    _serve(host, port)


def _make_key(role: str) -> None:
    from api.security.keys import new_key

    if role not in ("read", "admin"):
        raise typer.BadParameter("the role is read or admin", param_hint="--new-key")
    key, digest = new_key()
    print(f"key (shown once; give it to whoever asks):  {key}")
    print(f"hash (add it to RAG_API_KEYS):              {role}:{digest}")


def _serve(host: str | None, port: int | None) -> None:
    import uvicorn

    from api import logs
    from api.app import create_app
    from api.security.keys import Keys
    from rag.config import Settings

    settings = Settings.load(host=host, port=port)
    logs.set_up(settings.log_level)
    app = create_app(settings)
    if Keys(settings).needed and not settings.api_keys:
        logs.log.warning(
            "No key is configured, so nobody can ask: make one with `python -m api --new-key read`, "
            "or set RAG_ANONYMOUS=read."
        )

    class Server(uvicorn.Server):
        """Tells the load balancer before it stops."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if app.state.service is not None:
                app.state.service.draining = True
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=round(settings.drain_seconds),
    )
    server = Server(config)
    server.run()
    if not server.started:
        raise SystemExit(1)


def main() -> None:
    """Run the service: exit 0 when asked to stop, 1 with one sentence on stderr, 2 for wrong usage."""
    with fence("api"):
        typer.run(serve)


if __name__ == "__main__":
    main()
