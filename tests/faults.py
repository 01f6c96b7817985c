"""A server that speaks three interfaces of chat models, and fails in every way that servers do."""

import gzip
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.speech import SPEECHES, Speech, joined

PAGE = b"\n <!DOCTYPE html><html>It works!</html>"
PACKED = {"gzip": gzip.compress, "deflate": zlib.compress, "bare_deflate": lambda data: _bare(data)}
HUGE = 20_000_000


class FaultServer(ThreadingHTTPServer):
    """Replies with what it was told to say, or fails as `fault` says."""

    daemon_threads = True
    request_queue_size = 64  # a caller turned away by a full queue tries again only a second later

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fault = ""
        self.script: list[str] = []
        """Faults of the next requests, before `fault` is in force."""
        self.complaint: dict[str, Any] | None = None
        """What comes with a status that is no success; a web page if None."""
        self.raw = False
        """Whether text is sent as it is, not escaped."""
        self.bits: tuple[str, ...] = ("Nothing.",)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.asked_at: list[float] = []
        self.shown = 0
        """How often a model's context was asked for."""
        self.show_drips = False
        """Whether it takes ever more time to tell."""
        self.released = threading.Event()
        self._hung_up = threading.Event()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

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
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FaultServer
    speech: Speech

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/api/show":
            self.server.shown += 1
            if self.server.show_drips:
                self._drip()
            self._send(b'{"model_info": {"general.name": "x", "llama.context_length": 4096}}')
            return
        self.speech = SPEECHES[self.path]
        self.server.requests.append(json.loads(body))
        self.server.keys.append(self.headers["authorization"] or self.headers["x-api-key"])
        self.server.asked_at.append(time.monotonic())
        fault = self.server.script.pop(0) if self.server.script else self.server.fault
        with suppress(ConnectionError):
            self._fail(fault)
            return
        self.server.hung_up()

    def _fail(self, fault: str) -> None:
        status, _, after = fault.partition(" after ")
        whole = self._wholes().get(fault)
        fails: dict[str, Callable[[], None]] = {
            "redirect": lambda: self._status(302, {"Location": "http://192.0.2.1/"}),
            "hang": self._hang,
            "die_at_once": self._reset,
            "close_at_once": lambda: None,
            "drip_headers": self._drip,
            "cut_chunk": self._cut_chunk,
            "cut_length": self._cut_length,
        }
        if status.isdigit():
            self._status(int(status), {"Retry-After": after} if after else {})
        elif fault in fails:
            fails[fault]()
        elif whole is not None:
            self._send(whole)
        elif fault in PACKED:
            encoding = fault.removeprefix("bare_")
            self._send(PACKED[fault](self._reply()), self.speech.label, {"Content-Encoding": encoding})
        elif fault.startswith("huge"):
            self._huge(fault)
        else:
            self._stream(fault)

    def _reply(self, raw: bool = False) -> bytes:
        return joined(self.speech, self.server.bits, raw)

    def _wholes(self) -> dict[str, bytes]:
        """Return the replies that are sent in one piece, labelled as JSON whatever they are."""
        whole = self.speech.whole("".join(self.server.bits))
        return {
            "binary": b"\x00\xff\xfe" * 100,
            "not_json": PAGE,
            "wrong_shape": b'{"choices": "none", "message": "none", "type": "message_start"}',
            "whole": whole,
            "pretty": json.dumps(json.loads(whole), indent=2).encode(),
            "half_json": whole[: len(whole) // 2],
            "label": self._reply(),
            "nothing": b"",
            "bom": b"\xef\xbb\xbf" + self._reply(),
            "crlf": self._reply().replace(b"\n", b"\r\n"),
            "cr": self._reply().replace(b"\n", b"\r"),
        }

    def _status(self, status: int, headers: dict[str, str]) -> None:
        complaint = self.server.complaint
        body = b"<html>a message with /secret/path in it</html>"
        body = body if complaint is None else json.dumps(complaint).encode()
        self._send(body, "application/json" if complaint else "text/html", headers, status)

    def _head(self, label: str, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": label, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(
        self,
        body: bytes,
        label: str = "application/json",
        headers: dict[str, str] | None = None,
        status: int = 200,
    ) -> None:
        self._head(label, headers, status)
        self.wfile.write(body)

    def _stream(self, fault: str) -> None:
        self._head("text/plain" if fault == "plain" else self.speech.label)
        self.wfile.write(self.speech.begin())
        self._alive(fault, "keepalives")
        for bit in self._bits(fault):
            self._say(bit, fault)
            if fault.endswith("_midway") or fault in ("garbage", "error_event"):
                break
        self._alive(fault, "keepalives_midway")
        self._end(fault)

    def _say(self, bit: str, fault: str) -> None:
        if fault != "split":
            self.wfile.write(self.speech.bit(bit, self.server.raw))
            return
        for byte in self.speech.bit(bit, raw=True):
            self.wfile.write(bytes([byte]))

    def _bits(self, fault: str) -> Iterator[str]:
        if fault == "endless":
            while not self.server.released.wait(0.02):
                yield "and so on "
        yield from self.server.bits

    def _alive(self, fault: str, wanted: str) -> None:
        while fault == wanted and not self.server.released.wait(0.02):
            self.wfile.write(self.speech.alive())

    def _end(self, fault: str) -> None:
        if fault == "hang_midway":
            self._hang()
        elif fault == "die_midway":
            self._reset()
        elif fault == "garbage":
            sse = self.speech.label == "text/event-stream"
            self.wfile.write((b"data: " if sse else b"") + b"{{{ no JSON\n\n")
        elif fault == "error_event":
            self.wfile.write(self.speech.error("out of memory at /secret/path"))
        elif fault != "end_early":
            self.wfile.write(
                self.speech.end(
                    done=fault not in ("no_done", "hang_after_end", "keepalives_after"),
                    reason="length" if fault == "stops_at_length" else "",
                )
            )
            self._alive(fault, "keepalives_after")
            if fault.startswith("hang_after"):
                self._hang()

    def _hang(self) -> None:
        self.server.released.wait(60)

    def _drip(self) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 10_000:
            self.wfile.write(bytes([byte]))
            if self.server.released.wait(0.02):
                break

    def _cut_chunk(self) -> None:
        begun = self.speech.begin() + self.speech.bit(self.server.bits[0])
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.wfile.write(b"%x\r\n%s\r\n" % (len(begun), begun) + b"fff\r\ncut")

    def _cut_length(self) -> None:
        begun = self.speech.begin() + self.speech.bit(self.server.bits[0])
        self._send(begun, self.speech.label, {"Content-Length": "100000"})

    def _huge(self, fault: str) -> None:
        """Send 20 MB: as one event, as many, as one object, or packed into a few thousand bytes."""
        piece = "x" * 20_000
        sse = self.speech.label == "text/event-stream"
        packed = {"Content-Encoding": "gzip"} if fault == "huge_packed" else {}
        self._head(self.speech.label, packed)
        if fault == "huge_packed":
            self.wfile.write(_bomb())
        elif fault == "huge_many":
            for _ in range(HUGE // len(piece)):
                self.wfile.write(self.speech.bit(piece))
        else:
            self.wfile.write(b'data: {"x": "' if sse and fault == "huge_event" else b'{"x": "')
            for _ in range(HUGE // len(piece)):
                self.wfile.write(piece.encode())

    def _reset(self) -> None:
        """Break the connection off, as a process that dies does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@cache
def _bomb() -> bytes:
    packing = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    pieces = [packing.compress(b'{"x": "')]
    pieces += [packing.compress(b"x" * 100_000) for _ in range(HUGE // 100_000)]
    return b"".join(pieces) + packing.flush()


def _bare(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()
