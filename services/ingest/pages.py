"""Recordings that are shown on web pages, found by yt-dlp.

Import this module late: yt-dlp takes most of a second. All of its traffic goes through
`services.ingest.network`, so a page cannot lead it anywhere that the policy does not allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.networking import RequestDirector
from yt_dlp.utils import UnsupportedError, YoutubeDLError

from services.ingest.fetch import host_of
from services.ingest.names import shown_name
from services.ingest.page_network import CheckedRH
from services.ingest.policy import SourcePolicy
from services.runtime.errors import BadInputError, VoxmeshError
from voxmesh_schemas import Source

_FORMAT = "/".join(
    f"{best}[protocol{protocol}]"
    for protocol in ("=https", "=http", "^=m3u8")
    for best in ("bestaudio", "best", "bestaudio*")
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


class _Extractor(YoutubeDL):  # type: ignore[misc]  # yt-dlp has no types
    """yt-dlp as a library: silent, without files of its own, on our network."""

    def __init__(self, policy: SourcePolicy, *, most_entries: int) -> None:
        self._policy = policy
        options = {
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
        }
        super().__init__(options, auto_init=False)
        self.add_default_info_extractors()

    def build_request_director(self, *_: object) -> RequestDirector:
        """Replaces all of yt-dlp's own ways to the network by ours."""
        director = RequestDirector(logger=_Silence())
        director.add_handler(
            CheckedRH(
                policy=self._policy,
                logger=_Silence(),
                headers=self.params["http_headers"],
                cookiejar=self.cookiejar,
            )
        )
        return director


class _Silence:
    """A logger for yt-dlp: what matters comes as an exception."""

    def _ignore(self, *_: object, **__: object) -> None: ...

    debug = info = warning = error = stdout = stderr = _ignore


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except YoutubeDLError as error:
        host = host_of(url)
        causes = list(_causes(error))
        for cause in causes:
            if isinstance(cause, VoxmeshError):
                raise cause from error
        if any(isinstance(cause, UnsupportedError) for cause in causes):
            message = f"no recording was found at {host}; give the address of one"
        else:
            message = f"the recording at {host} cannot be had: {_plain(str(error))}"
        raise BadInputError(message) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """All that led to an error; yt-dlp keeps it in more than one place."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        kept = getattr(cause, "exc_info", None) or (None, None, None)
        waiting += [getattr(cause, "cause", None), kept[1], cause.__cause__, cause.__context__]


def _plain(message: str) -> str:
    """What yt-dlp says, without what it says to its own users."""
    message = re.sub(r"\x1b\[[0-9;]*m", "", message)
    message = re.sub(r"^(ERROR: )?(\[[^\]]*\] )?", "", message)
    message = re.split(r"; please report|\(caused by|\. (?:Use|See) |\n", message)[0]
    return shown_name(message).rstrip(". ") or "yt-dlp gives no reason"


def _entries(info: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return [entry for entry in (info or {}).get("entries") or () if entry]


def _address(entry: Mapping[str, Any]) -> str:
    formats = entry.get("formats") or [entry]
    return str(entry.get("url") or formats[-1].get("url") or entry.get("webpage_url"))


def _page_media(extractor: _Extractor, info: Mapping[str, Any], url: str) -> PageMedia:
    headers = dict(info.get("http_headers") or {})
    if cookies := extractor.cookiejar.get_cookie_header(info["url"]):
        headers["Cookie"] = cookies
    captions = info.get("subtitles") or {}
    return PageMedia(
        url=info["url"],
        headers=headers,
        title=shown_name(re.sub(r" \(1\)$", "", info.get("title") or "")),  # of the only one
        page_url=info.get("webpage_url") or url,
        uploader=shown_name(info.get("uploader") or info.get("channel") or "") or None,
        language=_language(info.get("language")),
        captions=tuple(sorted(tag for tag in captions if _language(tag))),
    )


def _language(tag: str | None) -> str | None:
    return tag if tag and _LANGUAGE.match(tag) else None
