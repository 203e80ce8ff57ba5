"""The numbers that captions are held to, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil


@dataclass(frozen=True)
class Profile:
    """A house style. Widths are in cells: a Latin letter takes one, a CJK character two."""

    # Netflix Timed Text Style Guide (TTSG), English: 42 characters per line.
    line_cells: int = 42
    # Netflix TTSG, General Requirements, "Line Treatment": 2 lines maximum.
    max_lines: int = 2
    # Netflix TTSG, General Requirements, "Duration": 5/6 s to 7 s.
    min_duration_ms: int = 833
    max_duration_ms: int = 7000
    # Netflix TTSG, English: 20 characters per second for adult programmes.
    cells_per_second: float = 20.0
    # Netflix TTSG, Subtitle Timing Guidelines: 2 frames between cues at any frame rate.
    gap_frames: int = 2
    # Netflix TTSG, Subtitle Timing Guidelines: out-time at most half a second after the speech, and
    # gaps shorter than that are closed to two frames.
    linger_ms: int = 500
    # The European television rate (ITU-R BT.709), for recordings without a picture.
    frames_per_second: Fraction = Fraction(25)
    # Ends and starts of turns are no surer than the collar they are scored with: 250 ms (NIST Rich
    # Transcription evaluations). Speech that overlaps by less counts as taking turns.
    overlap_ms: int = 250
    # A pause of this length inside a cue starts to cost, so that text does not run ahead of speech:
    # BBC Subtitle Guidelines, "Match subtitle to pace of speaking", lets it lead by at most 1.5 s.
    pause_ms: int = 750
    # Our own judgement: what is cut off after less, by another speaker, is hardly noticed; it may
    # rather stay on beside the other's cue.
    flash_ms: int = 500
    # Our own judgement: a wrong note harms more than a missing one.
    note_confidence: float = 0.6

    @cached_property
    def frame_ms(self) -> int:
        """One frame, rounded up."""
        return ceil(1000 / self.frames_per_second)

    @cached_property
    def gap_ms(self) -> int:
        """The gap between two cues, rounded up so that it never falls short of its frames."""
        return ceil(1000 * self.gap_frames / self.frames_per_second)


WEB = Profile()
"""For players in browsers and on phones."""


def frame_rate_of(text: str | None) -> Fraction:
    """Frames per second from a fraction such as 30000/1001; the default where it is no such rate.

    Containers with a variable rate report a clock instead, such as 90000/1.
    """
    if text is None:
        return WEB.frames_per_second
    numerator, _, denominator = text.partition("/")
    if int(denominator) == 0 or not 10 <= int(numerator) / int(denominator) <= 240:
        return WEB.frames_per_second
    return Fraction(int(numerator), int(denominator))
