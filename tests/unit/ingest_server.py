"""A small web server on loopback, for the tests of ingest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Site:
    """What the server has, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    ranges: bool = True
    drop_after: list[int] = field(default_factory=list)
    """Each answer but the last few ends after so many bytes."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, Range and Host of each request."""
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        path = self.path.split("?")[0]
        site.asked.append((path, self.headers.get("Range", ""), self.headers.get("Host", "")))
        if path in site.redirects:
            self._answer(302, {"Location": site.redirects[path]}, b"")
        elif path in site.files and path not in site.statuses:
            self._give(site.files[path], site.types.get(path, "application/octet-stream"))
        else:
            self._answer(site.statuses.get(path, 404), {"Retry-After": "7"}, b"no")

    def _give(self, data: bytes, media_type: str) -> None:
        headers = {"Content-Type": media_type}
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not wanted or not self.site.ranges:
            self._answer(200, headers, data)
            return
        start = int(wanted[1])
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._answer(206, {**headers, "ETag": '"1"'}, data[start:])

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        drop = self.site.drop_after.pop(0) if body and self.site.drop_after else len(body)
        with suppress(OSError):  # the client has read enough
            self.wfile.write(body[:drop])

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    handler: Callable[..., Any] = type("Handler", (_Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
