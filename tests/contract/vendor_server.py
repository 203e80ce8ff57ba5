"""A local HTTP server in a vendor's place, and what it hears in the audio that it is sent."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np

KEY = "sk-0123456789-abcdefghij"
"""The one key that the servers take."""
SCRIPT = ("Ask", "not", "what", "50%", "of", "your", "well-known", "friends", "want.")
LANGUAGES = ("en", "de", "ja")


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, list[bytes]]:
        """Fields of a multipart body, each with all its values."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields: dict[str, list[bytes]] = {}
        for part in BytesParser().parsebytes(head + self.body).get_payload():
            assert isinstance(part, Message)
            name = str(part.get_param("name", header="content-disposition"))
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            fields.setdefault(name, []).append(payload)
        return fields


@dataclass(frozen=True)
class Reply:
    """What the server answers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    stalls: bool = False
    """Half of the body never comes."""
    drops: bool = False
    """The connection ends before the answer."""


def as_json(record: object, status: int = 200) -> Reply:
    body = json.dumps(record).encode()
    return Reply(status, body, {"Content-Type": "application/json"})


@dataclass(frozen=True)
class Word:
    """A word that the server hears; times in seconds."""

    text: str
    start: float
    end: float


def words_in(audio: bytes) -> list[Word]:
    """A word of the script for every 200 ms of sound in a FLAC file."""
    with av.open(io.BytesIO(audio)) as container:
        assert container.format.name == "flac"
        stream = container.streams.audio[0]
        assert (stream.rate, stream.layout.name) == (16_000, "mono")
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320).astype(np.float64)
    loud = np.sqrt((frames**2).mean(axis=1)) > 300
    words: list[Word] = []
    run = 0
    for at, sounds in enumerate([*loud, False]):
        run = run + 1 if sounds else 0
        if run == 10:
            text = SCRIPT[len(words) % len(SCRIPT)]
            words.append(Word(text, (at - 9) * 0.02, (at + 1) * 0.02))
            run = 0
    return words


class VendorServer:
    """Answers with `reply`, or with `fault` once it is set."""

    def __init__(self, reply: Callable[[Request], Reply]) -> None:
        self._reply = reply
        self._over = threading.Event()
        self.url = ""
        self.requests: list[Request] = []
        self.fault: tuple[str, Reply] | None = None
        """Start of the paths that fail, as `METHOD /path`, and how they fail."""

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.fault and f"{request.method} {request.path}".startswith(self.fault[0]):
            return self.fault[1]
        return self._reply(request)

    @contextmanager
    def failing(self, step: str, reply: Reply) -> Iterator[None]:
        """Fail at a step for as long as the block runs; requests are counted anew."""
        self.requests.clear()
        self.fault = (step, reply)
        try:
            yield
        finally:
            self.fault = None

    @contextmanager
    def running(self) -> Iterator[VendorServer]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            self._over.set()
            server.shutdown()
            server.server_close()
            thread.join()

    def write(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.drops:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body[: len(reply.body) // 2] if reply.stalls else reply.body)
        if reply.stalls:
            self._over.wait()
            handler.close_connection = True


def _handler(vendor: VendorServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            address = urlsplit(self.path)
            body = self._body()
            request = Request(
                method=self.command,
                path=address.path,
                query=parse_qs(address.query),
                headers=self.headers,
                body=body,
            )
            vendor.write(self, vendor.answer(request))

        do_GET = do_POST  # noqa: N815 - the names that http.server looks for
        do_DELETE = do_POST  # noqa: N815 - as above

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Says nothing."""

    return Handler
