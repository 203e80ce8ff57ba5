"""Captions as SubRip, the format that every player reads; it has no standard and no escapes."""

from __future__ import annotations

import re

from services.subtitles.captions import Captions
from services.subtitles.naming import named_lines
from services.subtitles.notes import clock
from services.subtitles.passages import Labels

_NO_SPEECH = "[no speech recognised]"
_NO_SPEECH_MS = 5000

# Readers take these for the times of a cue, for the beginnings of tags (<i>, {\an8}) and, where a
# line holds nothing else, for the number of the next cue. A word joiner (U+2060), which shows as
# nothing, keeps them from it.
_MARKUP = re.compile(r"--(?=>)|<(?=\s*[/!A-Za-z])|\{(?=\\)|\\(?=[NnhA-Za-z{}])|^(?=\d+$)")
_WORD_JOINER = "\u2060"


def to_srt(captions: Captions) -> str:
    """The captions, with names before speaker changes; silence is said in a cue of its own."""
    cues = captions.cues(Labels.NAMES)
    if not cues:
        # A file without a cue is no SubRip file to many readers, and there are no comments.
        end_ms = min(_NO_SPEECH_MS, captions.transcript.media.duration_ms) or _NO_SPEECH_MS
        return _block(1, 0, end_ms, [_NO_SPEECH])
    named = named_lines(cues, captions.names, Labels.NAMES, captions.profile)
    return "\n".join(
        _block(number, cue.start_ms, cue.end_ms, lines)
        for number, (cue, lines) in enumerate(named, start=1)
    )


def _block(number: int, start_ms: int, end_ms: int, lines: list[str]) -> str:
    text = "\n".join(_MARKUP.sub(rf"\g<0>{_WORD_JOINER}", line) for line in lines)
    return f"{number}\n{clock(start_ms, ',')} --> {clock(end_ms, ',')}\n{text}\n"
