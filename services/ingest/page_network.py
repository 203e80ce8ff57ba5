"""yt-dlp's way to the network: our own client, with its checks.

Import this module late, as it imports yt-dlp.
"""

from __future__ import annotations

import io
from typing import Any

import httpx
from yt_dlp.networking import Request, RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, TransportError

from services.ingest.fetch import host_of
from services.ingest.network import explained, http_client
from services.ingest.policy import SourcePolicy
from services.runtime.errors import VoxmeshError


class CheckedRH(RequestHandler):  # type: ignore[misc]  # yt-dlp has no types, and asks for this name
    """Sends yt-dlp's requests to addresses that the policy allows."""

    _SUPPORTED_URL_SCHEMES = ("http", "https")
    _SUPPORTED_PROXY_SCHEMES = None  # those of the environment are left aside

    def __init__(self, *, policy: SourcePolicy, **options: Any) -> None:  # noqa: ANN401 - yt-dlp's own
        super().__init__(timeout=policy.timeout_s, **options)
        self._policy = policy
        self._client = http_client(policy, cookies=self.cookiejar)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _check_extensions(self, extensions: dict[str, Any]) -> None:
        super()._check_extensions(extensions)
        for known in ("cookiejar", "timeout", "legacy_ssl", "keep_header_casing"):
            extensions.pop(known, None)

    def _send(self, request: Request) -> Response:
        try:
            with explained(host_of(request.url)):
                response = self._client.send(self._translated(request), stream=True)
        except VoxmeshError as error:
            raise TransportError(str(error), cause=error) from error
        body = io.BufferedReader(_Body(response))
        answer = Response(body, str(response.url), response.headers, response.status_code)
        if response.is_error:
            raise HTTPError(answer)
        return answer

    def _translated(self, request: Request) -> httpx.Request:
        return self._client.build_request(
            request.method,
            request.url,
            content=request.data,
            headers={**self._get_headers(request), "Accept-Encoding": "gzip, deflate"},
            timeout=self._calculate_timeout(request),
        )


class _Body(io.RawIOBase):
    """What an answer holds, as a file."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._pieces = response.iter_bytes()
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - typeshed's WriteableBuffer is private
        data = self._left or next(self._pieces, b"")
        size = min(len(buffer), len(data))
        buffer[:size], self._left = data[:size], data[size:]
        return size

    def close(self) -> None:
        self._response.close()
        super().close()
