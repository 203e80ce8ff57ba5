"""Artifacts, sources and what is known of a recording."""

from __future__ import annotations

from pydantic import Field

from voxmesh_schemas.base import Milliseconds, Record, Span


class ArtifactRef(Record):
    """A claim check: where the bytes are that an event speaks of."""

    uri: str = Field(description="address in the mesh's object store")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes, in hex")
    size: int = Field(ge=0, description="length in bytes")
    media_type: str = Field(description="IANA media type")


class Source(Record):
    """What a job is to caption."""

    uri: str = Field(
        min_length=1, description="a file, an http(s) address or an artifact of the mesh"
    )
    name: str = Field(default="", description="name to show people; from the uri when empty")


class MediaFacts(Record):
    """What ingest found out about a recording."""

    name: str = Field(description="title or file name")
    duration_ms: Milliseconds = Field(description="end of the audio on the job's timeline")
    container: str = Field(default="", description="container format, as FFmpeg names it")
    audio_codec: str = Field(default="", description="audio codec, as FFmpeg names it")
    sample_rate_hz: int = Field(default=0, ge=0, description="sample rate of the original")
    channels: int = Field(default=1, ge=1, description="audio channels of the original")
    audio_start_ms: Milliseconds = Field(
        default=0, description="silence before the audio starts in its container"
    )
    frame_rate: str | None = Field(
        default=None, pattern=r"^\d+/\d+$", description="video frames per second as a fraction"
    )
    page_url: str | None = Field(default=None, description="page that the recording was found on")
    uploader: str | None = Field(default=None, description="who published it there")
    language_hint: str | None = Field(default=None, description="BCP 47 tag that the page gives")
    existing_captions: tuple[str, ...] = Field(
        default=(), description="BCP 47 tags of captions that the page already offers"
    )


class ChunkSpan(Span):
    """Where a piece of audio lies on its job's timeline."""

    index: int = Field(ge=0, description="position in the job, over all channels")
    channel: int = Field(default=0, ge=0, description="channel, when channels are kept apart")
    overlap_ms: Milliseconds = Field(
        default=0, description="how much of its start the chunk before it in the channel also holds"
    )


class Chunk(ChunkSpan):
    """A piece of a job's audio."""

    artifact: ArtifactRef = Field(description="16 kHz mono 16-bit WAV")
