"""Captions as segmented WebVTT with a playlist, for HTTP Live Streaming (RFC 8216, 3.5)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence

from services.subtitles.captions import Captions
from services.subtitles.cues import Cue
from services.subtitles.webvtt import cue_block, style_block

PLAYLIST = "captions.m3u8"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a ZIP file can hold: equal captions give equal bytes."""


def to_hls(captions: Captions) -> bytes:
    """The files of `hls_files` in a ZIP file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in hls_files(captions).items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def hls_files(captions: Captions) -> dict[str, str]:
    """The playlist and its segments by name; a cue is in every segment that it is shown in."""
    cues, length = captions.cues(), captions.options.hls_segment_ms
    end_ms = max([captions.transcript.media.duration_ms, 1, *(cue.end_ms for cue in cues)])
    count = -(-end_ms // length)
    names = [f"captions-{number:05d}.vtt" for number in range(count)]
    lasts = [min(length, end_ms - length * number) for number in range(count)]
    head = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:"
    head = f"{head}{captions.options.hls_mpegts}\n\n{style_block(captions)}\n"
    shown: list[list[str]] = [[] for _ in names]
    for number, cue in enumerate(cues, start=1):
        block = cue_block(number, cue, captions)
        for segment in _segments(cue, length):
            shown[segment].append(f"\n{block}\n")
    files = {PLAYLIST: "\n".join(_playlist(names, lasts)) + "\n"}
    files.update((name, head + "".join(blocks)) for name, blocks in zip(names, shown, strict=True))
    return files


def _segments(cue: Cue, length_ms: int) -> range:
    return range(cue.start_ms // length_ms, -(-cue.end_ms // length_ms))


def _playlist(names: Sequence[str], lengths_ms: Sequence[int]) -> Iterator[str]:
    yield "#EXTM3U"
    yield "#EXT-X-VERSION:3"
    yield f"#EXT-X-TARGETDURATION:{-(-max(lengths_ms) // 1000)}"
    yield "#EXT-X-MEDIA-SEQUENCE:0"
    yield "#EXT-X-PLAYLIST-TYPE:VOD"
    for name, length in zip(names, lengths_ms, strict=True):
        yield f"#EXTINF:{length / 1000:.3f},"
        yield name
    yield "#EXT-X-ENDLIST"
