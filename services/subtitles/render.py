"""Every file a job can leave, by format."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.subtitles.ass import to_ass
from services.subtitles.captions import Captions
from services.subtitles.hls import to_hls
from services.subtitles.markdown import to_markdown
from services.subtitles.scc import to_scc
from services.subtitles.srt import to_srt
from services.subtitles.tables import to_csv, to_text, to_tsv
from services.subtitles.transcript_json import to_json
from services.subtitles.ttml import to_ttml
from services.subtitles.webvtt import to_webvtt
from voxmesh_schemas import OutputFormat

FILE_NAMES = {
    OutputFormat.VTT: "captions.vtt",
    OutputFormat.SRT: "captions.srt",
    OutputFormat.ASS: "captions.ass",
    OutputFormat.TTML: "captions.ttml",
    OutputFormat.SCC: "captions.scc",
    OutputFormat.HLS: "captions-hls.zip",
    OutputFormat.TEXT: "transcript.txt",
    OutputFormat.CSV: "transcript.csv",
    OutputFormat.TSV: "transcript.tsv",
    OutputFormat.JSON: "transcript.json",
    OutputFormat.MARKDOWN: "transcript.md",
}

MEDIA_TYPES = {
    OutputFormat.VTT: "text/vtt",
    OutputFormat.SRT: "application/x-subrip",
    OutputFormat.ASS: "text/x-ssa",
    OutputFormat.TTML: "application/ttml+xml",
    OutputFormat.SCC: "text/x-scc",
    OutputFormat.HLS: "application/zip",
    OutputFormat.TEXT: "text/plain",
    OutputFormat.CSV: "text/csv",
    OutputFormat.TSV: "text/tab-separated-values",
    OutputFormat.JSON: "application/json",
    OutputFormat.MARKDOWN: "text/markdown",
}

_TEXTS: Mapping[OutputFormat, Callable[[Captions], str]] = {
    OutputFormat.VTT: to_webvtt,
    OutputFormat.SRT: to_srt,
    OutputFormat.ASS: to_ass,
    OutputFormat.TTML: to_ttml,
    OutputFormat.SCC: to_scc,
    OutputFormat.TEXT: lambda captions: to_text(captions.transcript),
    OutputFormat.CSV: lambda captions: to_csv(captions.transcript),
    OutputFormat.TSV: lambda captions: to_tsv(captions.transcript),
    OutputFormat.JSON: lambda captions: to_json(captions.transcript),
    OutputFormat.MARKDOWN: lambda captions: to_markdown(captions.transcript),
}


def render(captions: Captions, format: OutputFormat) -> bytes:  # noqa: A002 - the contract's word
    """The file, text in UTF-8; equal transcripts give equal bytes.

    Raises:
        BadInputError: when the format cannot hold what was said.
    """
    if format is OutputFormat.HLS:
        return to_hls(captions)
    return _TEXTS[format](captions).encode()
