"""A colour per speaker, for captions on a black or nearly black ground.

White and yellow come first, as in the BBC Subtitle Guidelines ("Use of colour to identify
speakers"). Yellow and sky blue are those of Okabe and Ito, "Color Universal Design" (2008); the
others were searched for on a grid of sRGB so that the least distance between any two, for normal
vision and for three kinds of colour-blindness, is as large as can be.
"""

from __future__ import annotations

COLOURS = (
    "#ffffff",
    "#f0e442",
    "#56b4e9",
    "#ee6666",
    "#aaff88",
    "#9977ff",
    "#bb8800",
    "#99bbbb",
)

BACKGROUND_OPACITY = 0.85
"""Of the black behind captions: on the brightest picture it leaves #262626."""


def colour_of(index: int) -> str:
    """The colour of a speaker by order of appearance; after the last it begins again."""
    return COLOURS[index % len(COLOURS)]


def relative_luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_ratio(colour: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2); text needs 4.5 for level AA."""
    dark, light = sorted((relative_luminance(colour), relative_luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _linear(channel: float) -> float:
    """A channel of sRGB in [0, 1] as linear light (IEC 61966-2-1)."""
    if channel <= 0.04045:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)
