"""Every file a job can leave, by format."""

from __future__ import annotations

from services.subtitles.markdown import to_markdown
from services.subtitles.profiles import WEB, Profile
from services.subtitles.srt import to_srt
from services.subtitles.transcript_json import to_json
from services.subtitles.webvtt import to_webvtt
from voxmesh_schemas import OutputFormat, Transcript

FILE_NAMES = {
    OutputFormat.VTT: "captions.vtt",
    OutputFormat.SRT: "captions.srt",
    OutputFormat.JSON: "transcript.json",
    OutputFormat.MARKDOWN: "transcript.md",
}

MEDIA_TYPES = {
    OutputFormat.VTT: "text/vtt",
    OutputFormat.SRT: "application/x-subrip",
    OutputFormat.JSON: "application/json",
    OutputFormat.MARKDOWN: "text/markdown",
}


def render(transcript: Transcript, format: OutputFormat, profile: Profile = WEB) -> bytes:  # noqa: A002 - the contract's word
    """The file in UTF-8; equal transcripts give equal bytes."""
    match format:
        case OutputFormat.VTT:
            text = to_webvtt(transcript, profile)
        case OutputFormat.SRT:
            text = to_srt(transcript, profile)
        case OutputFormat.JSON:
            text = to_json(transcript)
        case OutputFormat.MARKDOWN:
            text = to_markdown(transcript)
    return text.encode()
