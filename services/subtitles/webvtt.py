"""Captions as WebVTT (W3C, WebVTT: The Web Video Text Tracks Format)."""

from __future__ import annotations

from collections.abc import Iterable

from services.subtitles.cues import Cue, build_cues
from services.subtitles.notes import NO_SPEECH, clock, facts, warning
from services.subtitles.palette import BACKGROUND_OPACITY, colour_of
from services.subtitles.passages import speaker_names
from services.subtitles.profiles import WEB, Profile
from voxmesh_schemas import Transcript

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_webvtt(transcript: Transcript, profile: Profile = WEB) -> str:
    """The captions, with a colour per speaker; what is missing is said in comments."""
    names = speaker_names(transcript)
    cues = build_cues(transcript, profile)
    # All comments come first: simple readers take one between cues for the end of a cue's text.
    blocks = ["WEBVTT", _note(f"{name}: {value}" for name, value in facts(transcript))]
    if transcript.warnings or not cues:
        warnings = [f"Warning: {warning(notice)}" for notice in transcript.warnings]
        blocks.append(_note(warnings if cues else [*warnings, NO_SPEECH]))
    blocks.append(_style(names[s.label] for s in transcript.speakers if s.label in names))
    blocks += [_cue(number, cue, names) for number, cue in enumerate(cues, start=1)]
    return "\n\n".join(blocks) + "\n"


def _cue(number: int, cue: Cue, names: dict[str, str]) -> str:
    text = "\n".join(line.translate(_ESCAPES) for line in cue.lines)
    if cue.emotion is not None:
        text = f"<c.{cue.emotion.value}>{text}</c>"
    if name := names.get(cue.speaker or ""):
        text = f"<v {name.translate(_ESCAPES)}>{text}"
    times = f"{clock(cue.start_ms)} --> {clock(cue.end_ms)}{_settings(cue)}"
    return f"{number}\n{times}\n{text}"


def _settings(cue: Cue) -> str:
    """Where the cue stands: at the bottom without saying so, else above the cues below it.

    Lines are counted from the bottom, and it is a cue's first line that is placed.
    """
    if cue.lines_below == 0:
        return ""
    return f" line:-{cue.lines_below + len(cue.lines)}"


def _note(lines: Iterable[str]) -> str:
    """A comment; an arrow in it would be taken for the times of a cue."""
    return "\n".join(["NOTE", *(line.replace("-->", "-- >") for line in lines)])


def _style(names: Iterable[str]) -> str:
    rules = [f"::cue {{\n  background-color: rgba(0, 0, 0, {BACKGROUND_OPACITY});\n}}"]
    rules += [
        f'::cue(v[voice="{_css_string(name)}"]) {{\n  color: {colour_of(index)};\n}}'
        for index, name in enumerate(dict.fromkeys(names))
    ]
    return "\n".join(["STYLE", *rules])


def _css_string(text: str) -> str:
    """The inside of a CSS string; what is not plain is written by its number (CSS Syntax, 2.1)."""
    return "".join(char if char.isalnum() or char == " " else f"\\{ord(char):x} " for char in text)
