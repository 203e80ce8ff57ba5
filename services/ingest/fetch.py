"""A recording on the web as a file that is read while it comes, without a copy on disk."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

import httpx

from services.ingest.network import explained, http_client
from services.ingest.policy import SourcePolicy
from services.runtime.errors import BadInputError, PermanentError, TransientError

_READ_OVER_BYTES = 1 << 20
"""Going forward this far is quicker by reading on than by asking again."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_REFUSED = {401, 402, 403, 407, 451}


class RefusedError(BadInputError):
    """The server wants to know who asks."""


class HttpFile:
    """The bytes behind an address, asked for in ranges where the server knows them.

    A dropped connection is taken up where it broke. Without ranges the bytes come once, in order.

    Raises:
        RefusedError: for what is not public.
        BadInputError: for an address that is wrong, not allowed or of something too large.
        TransientError: for a network or a server that fails now.
    """

    def __init__(self, url: str, policy: SourcePolicy, headers: Mapping[str, str]) -> None:
        self._url = url
        self._policy = policy
        self._host = host_of(url)
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._deadline = time.monotonic() + policy.longest_fetch_s
        self._position = 0  # of the reader
        self._arrived = 0  # of the first byte in the buffer, else of the next one to come
        self._buffer = b""
        self._received = 0
        self._ranges = False
        self._size: int | None = None
        self._validator = ""
        self._pieces: Iterator[bytes] | None = None
        self._client = http_client(policy)
        try:
            with explained(self._host):
                self._response = self._ask()
        except BaseException:
            self._client.close()
            raise
        content_type = self._response.headers.get("Content-Type", "")
        self.media_type = content_type.split(";")[0].strip().lower()
        """As the server says, without parameters."""
        self.url = str(self._response.url)
        """Where redirects have led to."""

    def head(self, size: int) -> bytes:
        """The next bytes, left to be read again; fewer only at the end."""
        self._align()
        while len(self._buffer) < size and (piece := self._next_piece()):
            self._buffer += piece
        return self._buffer[:size]

    def read(self, size: int, /) -> bytes:
        """Some bytes, at most so many; none at the end."""
        self._align()
        data = self._take(size)
        self._position = self._arrived
        return data

    def seekable(self) -> bool:
        """Whether the server gives ranges and has told the size."""
        return self._ranges and self._size is not None

    def tell(self) -> int:
        """Position of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a position; the server hears of it when something is read there."""
        self._position = max(0, offset + (0, self._position, self._size or 0)[whence])
        return self._position

    def close(self) -> None:
        """Hang up."""
        self._response.close()
        self._client.close()

    def _align(self) -> None:
        ahead = self._position - self._arrived
        if not 0 <= ahead <= _READ_OVER_BYTES:
            self._buffer, self._pieces, self._arrived = b"", None, self._position
        while self._arrived < self._position and self._take(self._position - self._arrived):
            pass

    def _take(self, size: int) -> bytes:
        data = self._buffer or self._next_piece()
        data, self._buffer = data[:size], data[size:]
        self._arrived += len(data)
        return data

    def _next_piece(self) -> bytes:
        failures = 0
        while True:
            try:
                return self._piece()
            except httpx.TransportError as error:
                if not self._ranges or failures >= self._policy.retries:
                    raise TransientError(
                        f"the connection to {self._host} broke while the recording was read"
                    ) from error
            self._pieces = None
            time.sleep(self._policy.retry_wait_s * 2**failures)
            failures += 1

    def _piece(self) -> bytes:
        arrived = self._arrived + len(self._buffer)
        if self._size is not None and arrived >= self._size:
            return b""
        if self._pieces is None:
            self._response.close()
            self._response = self._ask(arrived)
        piece = next(self._pieces or iter(()), b"")
        if not piece and self._size is not None:
            raise httpx.ReadError("the connection was closed early")
        self._received += len(piece)
        self._check_limits()
        return piece

    def _check_limits(self) -> None:
        if max(self._received, self._size or 0) > self._policy.most_bytes:
            most = f"{self._policy.most_bytes / 1e9:.1f} GB"
            raise BadInputError(f"the recording at {self._host} is larger than {most}; give a part")
        if time.monotonic() > self._deadline:
            raise BadInputError(f"{self._host} is too slow to fetch from; upload the file instead")

    def _ask(self, start: int = 0) -> httpx.Response:
        headers = {**self._headers, "Range": f"bytes={start}-"}
        if start and self._validator:
            headers["If-Range"] = self._validator
        request = self._client.build_request("GET", self._url, headers=headers)
        response = self._client.send(request, stream=True)
        try:
            self._understand(response, start)
        except BaseException:
            response.close()
            raise
        self._pieces = response.iter_raw()
        return response

    def _understand(self, response: httpx.Response, start: int) -> None:
        if response.is_error:
            raise refusal(self._host, response)
        given = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if response.status_code == httpx.codes.PARTIAL_CONTENT and given:
            self._ranges, self._size = True, int(given[2])
        elif length := response.headers.get("Content-Length", ""):
            self._size = int(length) if length.isdecimal() else None
        if start != (int(given[1]) if given else 0):
            raise PermanentError(f"the recording at {self._host} changed while it was read")
        etag = response.headers.get("ETag", "")
        # A weak tag does not promise the same bytes, and must not be used in If-Range.
        self._validator = etag if etag.startswith('"') else ""
        self._check_limits()


def host_of(url: str) -> str:
    """The host, to name it to people; the rest of an address may hold secrets."""
    try:
        return httpx.URL(url).host or "the address"
    except httpx.InvalidURL:
        return "the address"


def refusal(host: str, response: httpx.Response) -> Exception:
    """The error that an answer of 400 and above amounts to."""
    status = response.status_code
    if status in _BUSY:
        wait = response.headers.get("Retry-After", "")
        return TransientError(
            f"{host} cannot serve the recording now (HTTP {status})",
            retry_after_s=float(wait) if wait.isdecimal() else None,
        )
    if status in _REFUSED:
        return RefusedError(
            f"{host} does not give the recording to everyone (HTTP {status}); "
            "make it public or upload the file instead"
        )
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return BadInputError(f"the recording at {host} is empty; give one that holds audio")
    return BadInputError(f"{host} has no recording at that address (HTTP {status}); check it")
