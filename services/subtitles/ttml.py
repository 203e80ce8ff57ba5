"""Captions as TTML, in the IMSC 1.1 Text Profile (W3C, TTML Profiles for Internet Media).

Written here rather than with ttconv so that ttconv can check it, and because it is a template more
than a document: ten hours take a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from services.subtitles.captions import Captions
from services.subtitles.cues import Cue
from services.subtitles.emotion_styles import STYLES
from services.subtitles.graphemes import is_language_tag, visible
from services.subtitles.notes import NO_SPEECH, clock, warning
from services.subtitles.palette import BACKGROUND_OPACITY

# A line takes one of the 15 rows that a picture has (TTML2, "cellResolution"): type of 80 % of a
# row, 125 % apart. The lowest tenth of the picture stays free.
_ROW_PERCENT = 100 / 15
_BOTTOM_PERCENT = 90

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" \
xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tts="http://www.w3.org/ns/ttml#styling" \
ttp:contentProfiles="http://www.w3.org/ns/ttml/profile/imsc1.1/text" ttp:timeBase="media" \
ttp:cellResolution="32 15" xml:lang={language}>
<head>"""

Place = tuple[int, int]
"""Lines below it, and lines of its own: places on the screen together do not overlap."""


def to_ttml(captions: Captions) -> str:
    """The captions, with an agent and a colour per speaker, and a region per place."""
    cues, main = captions.cues(), captions.transcript.language or ""
    agents = {name: f"speaker-{at}" for at, name in enumerate(captions.colours, start=1)}
    parts = [
        _HEAD.format(language=quoteattr(main if is_language_tag(main) else "")),
        *_metadata(captions, agents, is_silent=not cues),
        *_styling(captions, agents),
        *_layout({_place(cue) for cue in cues}),
        '</head>\n<body style="caption">\n<div>',
        *(_paragraph(cue, captions, agents) for cue in cues),
        "</div>\n</body>\n</tt>",
    ]
    return "\n".join(parts) + "\n"


def _metadata(captions: Captions, agents: dict[str, str], *, is_silent: bool) -> Iterator[str]:
    transcript = captions.transcript
    title = visible(transcript.media.name)
    about = [f"Warning: {warning(notice)}" for notice in transcript.warnings]
    about += [NO_SPEECH] if is_silent else []
    yield "<metadata>"
    yield f"<ttm:title>{escape(title)}</ttm:title>"
    if about:
        yield f"<ttm:desc>{escape(' '.join(about))}</ttm:desc>"
    for name, agent in agents.items():
        alias = f'<ttm:name type="alias">{escape(name)}</ttm:name>'
        yield f'<ttm:agent xml:id="{agent}" type="character">{alias}</ttm:agent>'
    yield "</metadata>"


def _styling(captions: Captions, agents: dict[str, str]) -> Iterator[str]:
    ground = f"#000000{round(255 * BACKGROUND_OPACITY):02x}"
    yield "<styling>"
    yield (
        '<style xml:id="caption" tts:fontFamily="proportionalSansSerif" tts:fontSize="80%"'
        ' tts:lineHeight="125%" tts:textAlign="center" tts:color="#ffffff"/>'
    )
    yield f'<style xml:id="ground" tts:backgroundColor="{ground}"/>'
    for name, colour in captions.colours.items():
        yield f'<style xml:id="colour-{agents[name]}" tts:color="{colour}"/>'
    for emotion, style in STYLES.items():
        weight = ' tts:fontWeight="bold"' if style.bold else ""
        slant = ' tts:fontStyle="italic"' if style.italic else ""
        yield f'<style xml:id="{emotion.value}"{weight}{slant}/>'
    yield "</styling>"


def _layout(places: Iterable[Place]) -> Iterator[str]:
    yield "<layout>"
    for below, lines in sorted({*places, (0, 2)}):
        top = max(0.0, _BOTTOM_PERCENT - (below + lines) * _ROW_PERCENT)
        yield (
            f'<region xml:id="{_region((below, lines))}" tts:origin="10% {top:.2f}%"'
            f' tts:extent="80% {lines * _ROW_PERCENT:.2f}%" tts:displayAlign="after"/>'
        )
    yield "</layout>"


def _paragraph(cue: Cue, captions: Captions, agents: dict[str, str]) -> str:
    name = captions.name_of(cue)
    agent = agents.get(name)
    spoken = f' ttm:agent="{agent}"' if agent else ""
    styles = [f"colour-{agent}"] if agent else []
    if cue.emotion and cue.emotion in STYLES and cue.is_strong and captions.styles_emotions:
        styles.append(cue.emotion.value)
    styled = f' style="{" ".join(styles)}"' if styles else ""
    language = captions.foreign_language(cue)
    foreign = f' xml:lang="{language}"' if language else ""
    lines = "<br/>".join(escape(line) for line in cue.lines)
    return (
        f'<p begin="{clock(cue.start_ms)}" end="{clock(cue.end_ms)}"'
        f' region="{_region(_place(cue))}"{spoken}{styled}{foreign}>'
        f'<span style="ground">{lines}</span></p>'
    )


def _place(cue: Cue) -> Place:
    return cue.lines_below, len(cue.lines)


def _region(place: Place) -> str:
    return f"above-{place[0]}-lines-{place[1]}"
