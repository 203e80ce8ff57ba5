"""Recordings that are shown on web pages, found by yt-dlp.

Import this module late: yt-dlp takes most of a second. All of its traffic goes through
`services.ingest.network`, so a page cannot lead it anywhere that the policy does not allow.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from yt_dlp import YoutubeDL
from yt_dlp.networking import Request, RequestDirector, RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
from yt_dlp.utils import UnsupportedError, YoutubeDLError

from services.ingest.fetch import host_of
from services.ingest.network import explained, http_client
from services.ingest.policy import SourcePolicy
from services.runtime.errors import BadInputError, TransientError, VoxmeshError
from voxmesh_schemas import Source

_FORMAT = "/".join(
    f"{best}[protocol={protocol}]"
    for best in ("bestaudio", "best", "bestaudio*")
    for protocol in ("https", "http")
)
_MOST_ENTRIES = 1000
_LANGUAGE = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")


@dataclass(frozen=True)
class PageMedia:
    """A recording found on a page."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    """To be sent along, cookies among them."""
    title: str
    page_url: str
    uploader: str | None
    language: str | None
    captions: tuple[str, ...]


def find_media(url: str, policy: SourcePolicy) -> PageMedia:
    """The one recording of a page.

    Raises:
        BadInputError: when there is none, or more than one.
        TransientError: for a network or a server that fails now.
    """
    with _Extractor(policy, most_entries=2) as extractor, _explained(url):
        info = extractor.extract_info(url, download=False)
        entries = _entries(info)
        if len(entries) > 1:
            raise BadInputError(
                f"{host_of(url)} shows several recordings there; give the address of one of them, "
                "or take all with --playlist"
            )
        if entries:
            info = extractor.process_ie_result(entries[0], download=False)
        if not info or not info.get("url"):
            raise BadInputError(
                f"{host_of(url)} gives its recording in no form that can be read here; "
                "download it and give the file"
            )
        return _page_media(extractor, info, url)


def list_entries(url: str, policy: SourcePolicy) -> list[Source]:
    """The recordings of a page in its own order; the page itself when it shows but one.

    Raises:
        BadInputError: when there is none.
        TransientError: for a network or a server that fails now.
    """
    with _Extractor(policy, most_entries=_MOST_ENTRIES) as extractor, _explained(url):
        entries = _entries(extractor.extract_info(url, download=False))
        if len(entries) <= 1:
            return [Source(uri=url)]
        return [Source(uri=_address(entry), name=entry.get("title") or "") for entry in entries]


class _Extractor(YoutubeDL):  # type: ignore[misc]  # yt-dlp ships no types
    """yt-dlp as a library: silent, without files of its own, on our network."""

    def __init__(self, policy: SourcePolicy, *, most_entries: int) -> None:
        self._policy = policy
        super().__init__(
            {
                "format": _FORMAT,
                "extract_flat": "in_playlist",
                "playlistend": most_entries,
                "noplaylist": True,
                "logger": _Silence(),
                "quiet": True,
                "noprogress": True,
                "color": "never",
                "cachedir": False,
                "socket_timeout": policy.timeout_s,
                "extractor_retries": 1,
            },
            auto_init=False,
        )
        self.add_default_info_extractors()

    def build_request_director(self, handlers: object, preferences: object = None) -> Any:  # noqa: ANN401
        """Replaces all of yt-dlp's own ways to the network by ours."""
        director = RequestDirector(logger=_Silence())
        director.add_handler(
            _CheckedRH(logger=_Silence(), cookiejar=self.cookiejar, policy=self._policy)
        )
        return director


class _Silence:
    """A logger for yt-dlp: what matters comes as an exception."""

    def _ignore(self, *_: object, **__: object) -> None: ...

    debug = info = warning = error = stdout = stderr = _ignore


class _CheckedRH(RequestHandler):  # type: ignore[misc]  # yt-dlp asks for this ending
    _SUPPORTED_URL_SCHEMES = ("http", "https")

    def __init__(self, *, policy: SourcePolicy, **options: Any) -> None:
        super().__init__(**options)
        self._client = http_client(policy, cookies=self.cookiejar)
    ...
