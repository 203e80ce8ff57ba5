"""Captions as SubRip, the format that every player reads; it has no standard and no escapes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.subtitles.cues import Cue, build_cues
from services.subtitles.graphemes import cells
from services.subtitles.notes import clock
from services.subtitles.passages import UNKNOWN_SPEAKER, speaker_names
from services.subtitles.profiles import WEB, Profile
from services.subtitles.timing import Voice
from voxmesh_schemas import Transcript

_NO_SPEECH = "[no speech recognised]"
_NO_SPEECH_MS = 5000

# Readers take these for the times of a cue, for the beginnings of tags (<i>, {\an8}) and, where a
# line holds nothing else, for the number of the next cue. A word joiner (U+2060), which shows as
# nothing, keeps them from it.
_MARKUP = re.compile(r"--(?=>)|<(?=\s*[/!A-Za-z])|\{(?=\\)|\\(?=[NnhA-Za-z{}])|^(?=\d+$)")
_WORD_JOINER = "\u2060"


def to_srt(transcript: Transcript, profile: Profile = WEB) -> str:
    """The captions, with names before speaker changes; silence is said in a cue of its own."""
    cues = build_cues(transcript, profile, named=True)
    if not cues:
        # A file without a cue is no SubRip file to many readers, and there are no comments.
        end_ms = min(_NO_SPEECH_MS, transcript.media.duration_ms) or _NO_SPEECH_MS
        return _block(1, 0, end_ms, [_NO_SPEECH])
    names = speaker_names(transcript)
    return "\n".join(
        _block(number, cue.start_ms, cue.end_ms, lines)
        for number, (cue, lines) in enumerate(_named(cues, names, profile), start=1)
    )


def _named(
    cues: tuple[Cue, ...], names: dict[str, str], profile: Profile
) -> Iterator[tuple[Cue, list[str]]]:
    """Cues with a name wherever the cue before is another speaker's.

    `build_cues` has set names where a passage begins. They are missing where a speaker goes on
    after a cue of somebody who spoke at the same time.
    """
    previous: Voice | None = None
    for cue in cues:
        lines = list(cue.lines)
        name = names.get(cue.speaker or "")
        label = f"{name}:" if name else UNKNOWN_SPEAKER
        is_change = cue.voice != previous and (name or previous is not None)
        if is_change and not cue.named:
            lines = _labelled(label, lines, profile)
        previous = cue.voice
        yield cue, lines


def _labelled(label: str, lines: list[str], profile: Profile) -> list[str]:
    first = f"{label} {lines[0]}"
    return [first, *lines[1:]] if cells(first) <= profile.line_cells else [label, *lines]


def _block(number: int, start_ms: int, end_ms: int, lines: list[str]) -> str:
    text = "\n".join(_MARKUP.sub(rf"\g<0>{_WORD_JOINER}", line) for line in lines)
    return f"{number}\n{clock(start_ms, ',')} --> {clock(end_ms, ',')}\n{text}\n"
