"""Captions as Advanced SubStation Alpha: a style per speaker, and karaoke tags if wanted.

Written here because the libraries at hand (pysubs2 1.8) cannot say a time after ten hours.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.subtitles.captions import Captions
from services.subtitles.cues import Cue
from services.subtitles.emotion_styles import STYLES
from services.subtitles.palette import BACKGROUND_OPACITY
from services.subtitles.units import Unit

_WIDTH, _HEIGHT = 1920, 1080
_FONT_PX, _LINE_PX, _MARGIN_PX = 54, 66, 54

_HEAD = f"""\
[Script Info]
ScriptType: v4.00+
WrapStyle: 2
ScaledBorderAndShadow: yes
PlayResX: {_WIDTH}
PlayResY: {_HEIGHT}

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
"""

# A backslash before some letters is a tag, and so is all between braces. No escape of braces is
# understood everywhere, so their full-width forms stand for them. A word joiner (U+2060), which
# shows as nothing, keeps a backslash from its letter.
_TEXT = str.maketrans({"{": "\uff5b", "}": "\uff5d", "\\": "\\\u2060"})
_FIELD = str.maketrans({",": ";", "{": "(", "}": ")"})


def to_ass(captions: Captions) -> str:
    """The captions; times are in hundredths of a second, as the format has them."""
    styles = {name: f"Speaker {at}" for at, name in enumerate(captions.colours, start=1)}
    lines = [_HEAD + _style("Default", "#ffffff")]
    lines += [_style(style, captions.colours[name]) for name, style in styles.items()]
    lines += ["", "[Events]"]
    lines.append("Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text")
    for cue in captions.cues():
        name = captions.name_of(cue)
        start, end = _hundredths(cue.start_ms), _hundredths(cue.end_ms)
        margin = _MARGIN_PX + _LINE_PX * cue.lines_below
        lines.append(
            f"Dialogue: 0,{_clock(start)},{_clock(max(end, start + 1))},"
            f"{styles.get(name, 'Default')},{name.translate(_FIELD)},0,0,{margin},,"
            f"{_text(cue, captions)}"
        )
    return "\n".join(lines) + "\n"


def _style(name: str, colour: str) -> str:
    """A style with a box behind the text; its colours are written blue first, alpha before."""
    box = f"&H{round(255 * (1 - BACKGROUND_OPACITY)):02X}000000"
    red, green, blue = colour[1:3], colour[3:5], colour[5:7]
    text = f"&H00{blue}{green}{red}".upper()
    return (
        f"Style: {name},Arial,{_FONT_PX},{text},&H00AAAAAA,{box},{box},"
        f"0,0,0,0,100,100,0,0,3,4,0,2,60,60,{_MARGIN_PX},1"
    )


def _text(cue: Cue, captions: Captions) -> str:
    if captions.options.karaoke:
        text = "\\N".join(_timed_lines(cue))
    else:
        text = "\\N".join(line.translate(_TEXT) for line in cue.lines)
    style = STYLES.get(cue.emotion) if cue.emotion and cue.is_strong else None
    if style is None or not captions.styles_emotions:
        return text
    tags = ("\\b1" if style.bold else "") + ("\\i1" if style.italic else "")
    return f"{{{tags}}}{text}"


def _timed_lines(cue: Cue) -> Iterator[str]:
    """Lines with each word's time to sing; the first word's begins with the cue."""
    last = _hundredths(cue.end_ms)
    reached = _hundredths(cue.start_ms)
    ends = [_hundredths(unit.start_ms) for line in cue.units for unit in line][1:]
    following = iter([*ends, last])
    for line in cue.units:
        parts = []
        for at, unit in enumerate(line):
            until = min(last, max(reached, next(following)))
            parts.append(f"{_spaced(unit, at)}{{\\k{until - reached}}}{unit.text.translate(_TEXT)}")
            reached = until
        yield "".join(parts)


def _spaced(unit: Unit, at: int) -> str:
    return " " if unit.spaced and at else ""


def _hundredths(time_ms: int) -> int:
    return (time_ms + 5) // 10


def _clock(hundredths: int) -> str:
    seconds, hundredths = divmod(hundredths, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}.{hundredths:02d}"
