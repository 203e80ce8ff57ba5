"""Speakers' colours can be read and told apart, by colour-blind viewers too."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from services.subtitles.palette import BACKGROUND_OPACITY, COLOURS, colour_of, contrast_ratio

Floats = npt.NDArray[np.float64]

# Machado, Oliveira, Fernandes: "A Physiologically-based Model for Simulation of Color Vision
# Deficiency" (2009), severity 1, for linear sRGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Linear sRGB to CIE XYZ, and the white of D65 (IEC 61966-2-1).
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def _lab(colour: str, vision: Floats) -> Floats:
    """CIELAB of a colour as somebody with this vision sees it."""
    srgb = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    ratio = TO_XYZ @ np.clip(vision @ linear, 0, 1) / WHITE
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_can_be_read_on_black_even_over_a_white_picture(colour: str) -> None:
    """WCAG AA asks for 4.5 to 1."""
    grey = round(255 * (1 - BACKGROUND_OPACITY))
    assert contrast_ratio(colour, f"#{grey:02x}{grey:02x}{grey:02x}") >= 4.5
    assert contrast_ratio(colour, "#000000") >= 4.5


@pytest.mark.parametrize("vision", VISIONS.values(), ids=VISIONS)
def test_any_two_colours_are_told_apart(vision: Floats) -> None:
    """A distance of 20 is far above the 2.3 that can just be noticed (CIE 1976)."""
    distances = [
        float(np.linalg.norm(_lab(one, vision) - _lab(other, vision)))
        for one, other in combinations(COLOURS, 2)
    ]
    assert min(distances) >= 20


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)


def test_colours_begin_again_after_the_last() -> None:
    assert colour_of(len(COLOURS)) == colour_of(0) == "#ffffff"
