"""From what a user wrote to bytes that can be decoded, under a policy."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from services.ingest.container import needs_seeking
from services.ingest.fetch import HttpFile, RefusedError, host_of
from services.ingest.guarded import ByteSource, References
from services.ingest.names import name_from_url, shown_name
from services.ingest.policy import SourcePolicy
from services.runtime.errors import BadInputError
from voxmesh_schemas import Source

if TYPE_CHECKING:
    from services.ingest.pages import PageMedia

__all__ = ["OpenedSource", "SourcePolicy", "expand", "open_source"]

_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_WEB = {"http", "https"}
_HEAD_BYTES = 4096
_COPY_BYTES = 1 << 18
_HLS_START = b"#EXTM3U"
_HLS_SUFFIX = ".m3u8"  # FFmpeg looks for it
_PAGE_TYPES = {
    "text/html",
    "application/xhtml+xml",
    "application/rss+xml",
    "application/xml",
    "text/xml",
}
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<?xml")


@dataclass(frozen=True)
class OpenedSource:
    """The bytes of a recording, and what was learnt on the way to them."""

    file: ByteSource
    name: str
    page: PageMedia | None = None
    references: References | None = None


def expand(source: Source, policy: SourcePolicy) -> list[Source]:
    """The recordings of a playlist, each a source of its own, when the policy takes playlists.

    Anything else is itself, and so is any page when the policy does not.

    Raises:
        BadInputError: for a page without recordings.
        TransientError: for a network or a server that fails now.
    """
    if not policy.playlists or _scheme(source.uri) not in _WEB:
        return [source]
    from services.ingest.pages import list_entries  # takes most of a second

    entries = list_entries(source.uri, policy)
    return entries if len(entries) > 1 else [source]


@contextmanager
def open_source(source: Source, policy: SourcePolicy) -> Iterator[OpenedSource]:
    """The bytes of a recording on this machine, on the web or on a web page.

    Raises:
        BadInputError: for what cannot be had, or may not be.
        TransientError: for a network or a server that fails now.
    """
    scheme = _scheme(source.uri)
    with ExitStack() as stack:
        if scheme in _WEB:
            yield _open_web(source, policy, stack)
        elif scheme in {"", "file"}:
            path = Path(_local_path(source.uri))
            name = shown_name(source.name) or shown_name(path.name) or "the recording"
            yield OpenedSource(stack.enter_context(_open_local(path, name, policy)), name)
        else:
            raise BadInputError(
                f"{scheme}:// addresses cannot be read; give a file or an http(s) address"
            )


def _scheme(uri: str) -> str:
    match = _URL.match(uri)
    return match[1].lower() if match else ""


def _local_path(uri: str) -> str:
    if not _scheme(uri):
        return uri
    parts = urlsplit(uri)
    if parts.netloc not in {"", "localhost"}:
        raise BadInputError("a file:// address names another machine; give a path on this one")
    return unquote(parts.path)


def _open_local(path: Path, name: str, policy: SourcePolicy) -> IO[bytes]:
    if not policy.local_files:
        raise BadInputError(
            "this mesh does not read files of its own machine; upload the recording instead"
        )
    try:
        if path.is_dir():
            raise BadInputError(f"{name} is a folder; give a recording in it")
        if path.exists() and not path.is_file():
            raise BadInputError(f"{name} is a device or a pipe; give a file")
        return path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise BadInputError(f"{name} does not exist; check the path") from error
    except PermissionError as error:
        raise BadInputError(f"{name} may not be read; change its permissions") from error
    except (OSError, ValueError) as error:
        raise BadInputError(f"{name} cannot be opened; check the path") from error


def _open_web(source: Source, policy: SourcePolicy, stack: ExitStack) -> OpenedSource:
    file = _direct(source.uri, policy, stack)
    page = None
    if file is None:
        from services.ingest.pages import find_media  # takes most of a second

        page = find_media(source.uri, policy)
        file = stack.enter_context(closing(HttpFile(page.url, policy, page.headers)))
        if _is_page(file):
            raise BadInputError(f"no recording was found at {host_of(source.uri)}; check the link")
    name = shown_name(source.name) or (page.title if page else "") or name_from_url(source.uri)
    references = _references(file, page, policy)
    return OpenedSource(_decodable(file, policy, stack), name, page, references)


def _references(file: HttpFile, page: PageMedia | None, policy: SourcePolicy) -> References | None:
    """For a stream in segments (HLS), how to fetch them; nothing else may refer to anything."""
    if not file.head(len(_HLS_START)).startswith(_HLS_START):
        return None
    host = host_of(file.url)
    headers = page.headers if page else {}

    def fetch(url: str) -> ByteSource:
        if _scheme(url) not in _WEB:
            raise BadInputError(f"the stream at {host} is encrypted; give a recording of it")
        kept = headers if host_of(url) == host else {}  # cookies are for who set them
        return HttpFile(url, policy, kept)

    return References(f"{file.url}#{_HLS_SUFFIX}", fetch)


def _direct(url: str, policy: SourcePolicy, stack: ExitStack) -> HttpFile | None:
    """The file at an address; None where a page stands, or a door that yt-dlp may know to open."""
    try:
        file = HttpFile(url, policy, {})
    except RefusedError:
        if Path(urlsplit(url).path).suffix:
            raise
        return None
    if _is_page(file):
        file.close()
        return None
    return stack.enter_context(closing(file))


def _is_page(file: HttpFile) -> bool:
    return file.media_type in _PAGE_TYPES or file.head(64).lstrip().lower().startswith(_PAGE_STARTS)


def _decodable(file: HttpFile, policy: SourcePolicy, stack: ExitStack) -> ByteSource:
    """The file itself, or a copy where its form must be read back and forth and it cannot be."""
    if file.seekable() or not needs_seeking(file.head(_HEAD_BYTES)):
        return file
    # It has no name, so nothing can stay behind.
    copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    while data := file.read(_COPY_BYTES):
        copy.write(data)
    copy.seek(0)
    return copy
