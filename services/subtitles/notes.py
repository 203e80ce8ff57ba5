"""What a file says about itself, in comments: title, speakers, engines and what is missing."""

from __future__ import annotations

from services.subtitles.graphemes import visible
from services.subtitles.passages import speaker_names
from voxmesh_schemas import Notice, Transcript

NO_SPEECH = "No speech was recognised."


def clock(time_ms: int, decimal_mark: str = ".") -> str:
    """A time as hh:mm:ss.mmm; hours take a third digit from 100 on."""
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{decimal_mark}{milliseconds:03d}"


def facts(transcript: Transcript) -> list[tuple[str, str]]:
    """What is known of a transcript as names and values, each on one line."""
    engines = [
        (planned.stage.value, f"{planned.engine} {planned.model}")
        for planned in transcript.plan.engines
    ]
    named = speaker_names(transcript)
    speakers = ", ".join(named[s.label] for s in transcript.speakers if s.label in named)
    found = [
        ("Title", transcript.media.name),
        ("Source", transcript.media.page_url or ""),
        ("Duration", clock(transcript.media.duration_ms)),
        ("Language", transcript.language or ""),
        ("Speakers", speakers),
        *((f"Engine ({stage})", engine) for stage, engine in engines),
        ("Created", transcript.created_at),
    ]
    return [(name, shown) for name, value in found if (shown := visible(value))]


def warning(notice: Notice) -> str:
    """A warning on one line, with its place where it has one."""
    message = visible(notice.message)
    if notice.start_ms is None:
        return message
    if notice.end_ms is None:
        return f"from {clock(notice.start_ms)}: {message}"
    return f"{clock(notice.start_ms)} to {clock(notice.end_ms)}: {message}"
