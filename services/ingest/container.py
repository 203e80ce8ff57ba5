"""Opening what a recording comes in, and choosing what to hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from services.ingest.guarded import Guarded
from services.runtime.errors import BadInputError

_BUFFER_BYTES = 1 << 18
_MP4_BOXES = {b"ftyp", b"styp", b"free", b"skip", b"wide", b"pnot", b"uuid", b"moov", b"mdat"}


_OPTIONS = {
    # Persistent connections are FFmpeg's own; it crashes when they are not.
    "http_persistent": "0",
    "http_multiple": "0",
    # Names of segments are judged by who opens them, not by how they end.
    "allowed_extensions": "ALL",
    "extension_picky": "0",
}


@contextmanager
def open_container(file: Guarded, name: str) -> Iterator[InputContainer]:
    """A container ready to be demuxed.

    Raises:
        BadInputError: for bytes that are no container of audio or video.
    """
    try:
        container = av.open(
            file,
            mode="r",
            metadata_errors="replace",
            buffer_size=_BUFFER_BYTES,
            io_open=file.refer,
            options=_OPTIONS,
        )
    except (av.error.FFmpegError, ValueError) as error:
        file.check()
        raise BadInputError(_why_not(file.head, name)) from error
    with container:
        yield container


def pick_audio(container: InputContainer, name: str) -> AudioStream:
    """The audio track a player would choose; the rest is not even read.

    Raises:
        BadInputError: without an audio track that can be decoded.
    """
    tracks = container.streams.audio
    if not tracks:
        what = "only pictures" if container.streams.video else "nothing to hear"
        raise BadInputError(f"{name} has no audio track, {what}; give a recording with sound")
    usable = [track for track in tracks if track.codec_context is not None]
    if not usable:
        raise BadInputError(f"the audio of {name} is in a codec that cannot be decoded here")
    best = container.streams.best("audio")
    chosen = next((track for track in usable if track is best), usable[0])
    for stream in container.streams:
        if stream is not chosen:
            stream.discard = Discard.all
    return chosen


def pick_video(container: InputContainer) -> VideoStream | None:
    """The moving pictures, if any; cover art is none."""
    for stream in container.streams.video:
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            return stream
    return None


def _why_not(head: bytes, name: str) -> str:
    if not head:
        return f"{name} is empty; give a recording that holds audio"
    if head[4:8] == b"ftyp":
        return (
            f"{name} is an MP4 file whose index is missing or damaged, as where a recording was "
            "cut off; repair it or export it again"
        )
    return f"{name} is not audio or video, or too damaged to be read; give a media file"


def needs_seeking(head: bytes) -> bool:
    """Whether a container has to be read back and forth, judged by its first bytes.

    MP4 and its kin do when their samples (mdat) come before their index (moov); CAF and AIFF may
    keep theirs at the end too.
    """
    if head[:4] in {b"caff", b"FORM"}:
        return True
    at = 0
    while at + 8 <= len(head):
        size, kind = int.from_bytes(head[at : at + 4]), head[at + 4 : at + 8]
        if kind not in _MP4_BOXES:
            return False
        if kind in {b"moov", b"mdat"}:
            return kind == b"mdat"
        at += max(size, 8)
    return False
