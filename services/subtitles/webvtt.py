"""Captions as WebVTT (W3C, WebVTT: The Web Video Text Tracks Format)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.subtitles.captions import Captions
from services.subtitles.cues import Cue
from services.subtitles.emotion_styles import STYLES
from services.subtitles.notes import NO_SPEECH, clock, facts, warning
from services.subtitles.palette import BACKGROUND_OPACITY

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_webvtt(captions: Captions) -> str:
    """The captions, with a colour per speaker; what is missing is said in comments."""
    transcript, cues = captions.transcript, captions.cues()
    # All comments come first: simple readers take one between cues for the end of a cue's text.
    blocks = ["WEBVTT", _note(f"{name}: {value}" for name, value in facts(transcript))]
    if transcript.warnings or not cues:
        warnings = [f"Warning: {warning(notice)}" for notice in transcript.warnings]
        blocks.append(_note(warnings if cues else [*warnings, NO_SPEECH]))
    blocks.append(style_block(captions))
    blocks += [cue_block(number, cue, captions) for number, cue in enumerate(cues, start=1)]
    return "\n\n".join(blocks) + "\n"


def style_block(captions: Captions) -> str:
    """The colours of speakers and the type of emotions."""
    rules = [_rule("", f"background-color: rgba(0, 0, 0, {BACKGROUND_OPACITY})")]
    rules += [
        _rule(f'v[voice="{_css_string(name)}"]', f"color: {colour}")
        for name, colour in captions.colours.items()
    ]
    if captions.styles_emotions:
        strong = {cue.emotion for cue in captions.cues() if cue.is_strong}
        for emotion, style in STYLES.items():
            if emotion in strong:
                bold = ["font-weight: bold"] if style.bold else []
                italic = ["font-style: italic"] if style.italic else []
                rules.append(_rule(f".{emotion.value}.strong", *bold, *italic))
    if captions.options.karaoke:
        rules.append(_rule(":past", "text-decoration: underline"))
    return "\n".join(["STYLE", *rules])


def cue_block(number: int, cue: Cue, captions: Captions) -> str:
    """One cue, by its number in the whole recording."""
    text = "\n".join(_timed_lines(cue) if captions.options.karaoke else map(_escaped, cue.lines))
    if language := captions.foreign_language(cue):
        text = f"<lang {language}>{text}</lang>"
    if cue.emotion is not None and captions.styles_emotions:
        strength = "strong" if cue.is_strong else "mild"
        text = f"<c.{cue.emotion.value}.{strength}>{text}</c>"
    if name := captions.name_of(cue):
        text = f"<v {_escaped(name)}>{text}"
    times = f"{clock(cue.start_ms)} --> {clock(cue.end_ms)}{_settings(cue)}"
    return f"{number}\n{times}\n{text}"


def _timed_lines(cue: Cue) -> Iterator[str]:
    """Lines with the time before each word, where it rises and lies within the cue."""
    reached = cue.start_ms
    for line in cue.units:
        parts = []
        for at, unit in enumerate(line):
            space = " " if unit.spaced and at else ""
            stamp = ""
            if reached < unit.start_ms < cue.end_ms:
                reached = unit.start_ms
                stamp = f"<{clock(reached)}>"
            parts.append(f"{space}{stamp}{_escaped(unit.text)}")
        yield "".join(parts)


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


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _rule(selector: str, *declarations: str) -> str:
    lines = "".join(f"  {declaration};\n" for declaration in declarations)
    return f"::cue{f'({selector})' if selector else ''} {{\n{lines}}}"


def _css_string(text: str) -> str:
    """The inside of a CSS string; what is not plain is written by its number (CSS Syntax, 2.1)."""
    return "".join(char if char.isalnum() or char == " " else f"\\{ord(char):x} " for char in text)
