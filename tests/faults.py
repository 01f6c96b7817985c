"""A server that speaks OpenAI's chat completions, and fails in every way that servers do."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class FaultServer(ThreadingHTTPServer):
    """Replies with what it was told to say, or fails as `fault` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fault = ""
        self.raw = False
        """Whether text is sent as it is, not escaped."""
        self.bits: tuple[str, ...] = ("Nothing.",)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.released = threading.Event()
        self._hung_up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def says(self, *bits: str) -> None:
        self.bits = bits

    def hung_up(self) -> None:
        self._hung_up.set()

    def wait_for_hang_up(self) -> None:
        """Wait until a client went away in the middle of an endless reply."""
        assert self._hung_up.wait(5), "the client is still there"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are what this is for."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FaultServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(json.loads(body))
        self.server.keys.append(self.headers["authorization"])
        fault = self.server.fault
        if fault.isdigit():
            self.send_error(int(fault), "a message with /secret/path in it")
        elif fault == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/")
            self.end_headers()
        elif fault == "hang":
            self.server.released.wait(60)
        elif fault == "die_at_once":
            self._reset()
        elif fault in ("binary", "not_json", "wrong_shape", "whole"):
            self._whole(fault)
        else:
            self._stream(fault)

    def _whole(self, fault: str) -> None:
        said = "".join(self.server.bits)
        bodies = {
            "binary": b"\x00\xff\xfe" * 100,
            "not_json": b"<html>It works!</html>",
            "wrong_shape": b'{"choices": "none"}',
            "whole": json.dumps(
                {"choices": [{"message": {"content": said}}], "model": "tiny-1"}
            ).encode(),
        }
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(bodies[fault])

    def _stream(self, fault: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with suppress(ConnectionError):
            for bit in self._bits(fault):
                self._event({"model": "tiny-1", "choices": [{"delta": {"content": bit}}]})
                if fault in ("hang_midway", "die_midway", "garbage", "error_event"):
                    break
            self._end(fault)
            return
        self.server.hung_up()

    def _bits(self, fault: str) -> Iterator[str]:
        if fault == "endless":
            while not self.server.released.wait(0.02):
                yield "and so on "
        yield from self.server.bits

    def _end(self, fault: str) -> None:
        if fault == "hang_midway":
            self.server.released.wait(60)
        elif fault == "die_midway":
            self._reset()
        elif fault == "garbage":
            self.wfile.write(b"data: {{{ no JSON\n\n")
        elif fault == "error_event":
            self._event({"error": {"message": "out of memory at /secret/path"}})
        elif fault != "end_early":
            self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
            self._event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
            if fault != "no_done":
                self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, value: dict[str, Any]) -> None:
        text = json.dumps(value, ensure_ascii=not self.server.raw)
        self.wfile.write(b"data: " + text.encode() + b"\n\n")

    def _reset(self) -> None:
        """Break the connection off, as a process that dies does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
