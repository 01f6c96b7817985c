"""A server that silently cuts prompts to what fits, as some do, before a real model reads them."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

import httpx


class CuttingProxy(ThreadingHTTPServer):
    """Drops the middle of the longest message until prompt and reply fit into `context` tokens."""

    daemon_threads = True

    def __init__(self, upstream: str, context: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context = context
        self.upstream = httpx.Client(
            base_url=upstream.removesuffix("/v1"), timeout=120, trust_env=False
        )
        self.cuts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self.server_close()

    def fit(self, body: dict[str, Any]) -> None:
        """Cut the longest message, if need be."""
        tokens = [
            self._call("tokenize", content=each["content"])["tokens"] for each in body["messages"]
        ]
        frame = 16 + 8 * len(tokens)
        over = sum(map(len, tokens)) + frame + body["max_tokens"] - self.context
        if over > 0:
            self.cuts += 1
            longest = max(range(len(tokens)), key=lambda n: len(tokens[n]))
            half = (len(tokens[longest]) - over) // 2
            left = tokens[longest][:half] + tokens[longest][-half:]
            body["messages"][longest]["content"] = self._call("detokenize", tokens=left)["content"]

    def _call(self, path: str, **body: Any) -> Any:
        return self.upstream.post(f"/{path}", json=body).raise_for_status().json()


class _Handler(BaseHTTPRequestHandler):
    server: CuttingProxy
    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.fit(body)
        with self.server.upstream.stream("POST", "/v1/chat/completions", json=body) as reply:
            self.send_response(reply.status_code)
            self.send_header("Content-Type", reply.headers["content-type"])
            self.end_headers()
            for part in reply.iter_bytes():
                self.wfile.write(part)
                self.wfile.flush()
