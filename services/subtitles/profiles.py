"""The numbers that captions are held to, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import ceil


@dataclass(frozen=True)
class Script:
    """What a language's writing changes of a profile."""

    line_cells: int
    cells_per_second: float


# Netflix Timed Text Style Guides of each language: characters per line and per second, where a
# full-width character takes two cells. Thai: characters that carry no mark above or below.
NETFLIX_SCRIPTS: Mapping[str, Script] = {
    "ja": Script(line_cells=26, cells_per_second=8),  # 13 and 4 full-width characters
    "zh": Script(line_cells=32, cells_per_second=18),  # 16 and 9
    "yue": Script(line_cells=32, cells_per_second=18),
    "ko": Script(line_cells=32, cells_per_second=24),  # 16 and 12
    "th": Script(line_cells=35, cells_per_second=17),
}


@dataclass(frozen=True)
class Profile:
    """A house style. Widths are in cells: a Latin letter takes one, a CJK character two."""

    name: str = "web"
    # Netflix Timed Text Style Guide (TTSG), English: 42 characters per line.
    line_cells: int = 42
    # Netflix TTSG, General Requirements, "Line Treatment": 2 lines maximum.
    max_lines: int = 2
    # Netflix TTSG, General Requirements, "Duration": 5/6 s to 7 s.
    min_duration_ms: int = 833
    max_duration_ms: int = 7000
    # Netflix TTSG, English: 20 characters per second for adult programmes.
    cells_per_second: float = 20.0
    # Where it is not 0, reading is measured in words instead, in languages that have spaces.
    words_per_minute: float = 0.0
    # Netflix TTSG, Subtitle Timing Guidelines: 2 frames between cues at any frame rate.
    gap_frames: int = 2
    # Netflix TTSG, Subtitle Timing Guidelines: gaps of less than half a second (3 to 11 frames at
    # 24 a second) are closed to two frames.
    close_gap_ms: int = 500
    # Netflix TTSG, Subtitle Timing Guidelines: out-time at most half a second after the speech.
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
    scripts: Mapping[str, Script] = field(default_factory=lambda: NETFLIX_SCRIPTS, hash=False)
    """What differs by language, named by its primary subtag."""

    @cached_property
    def frame_ms(self) -> int:
        """One frame, rounded up."""
        return ceil(1000 / self.frames_per_second)

    @cached_property
    def gap_ms(self) -> int:
        """The gap between two cues, rounded up so that it never falls short of its frames."""
        return ceil(1000 * self.gap_frames / self.frames_per_second)

    def at_rate(self, frame_rate: str | None) -> Profile:
        """The profile at a recording's own frame rate, where that is known."""
        rate = frame_rate_of(frame_rate)
        return self if rate is None else replace(self, frames_per_second=rate)

    def in_language(self, language: str | None) -> Profile:
        """The profile for a BCP 47 tag; a line never gets wider than the profile has it."""
        script = self.scripts.get((language or "").split("-")[0].lower())
        if script is None:
            return self
        return replace(
            self,
            line_cells=min(self.line_cells, script.line_cells),
            # Who reads Latin script at half the usual speed does so with others too.
            cells_per_second=script.cells_per_second * self.cells_per_second / 20,
            words_per_minute=0.0,
        )


WEB = Profile()
"""For players in browsers and on phones: Netflix's numbers, which most of the trade goes by."""

NETFLIX = replace(WEB, name="netflix")

BBC = replace(
    WEB,
    name="bbc",
    # BBC Subtitle Guidelines, "Line length": 37 characters, the width of a teletext page.
    line_cells=37,
    # "Target minimum timing": 160 to 180 words per minute. Verbatim speech seldom is slower.
    words_per_minute=180,
    # "Target minimum timing" asks for about 0.3 s per word; no cue goes below three words' time.
    min_duration_ms=900,
    # "Gaps": one of less than a second is jerky, so the cue before it stays on.
    close_gap_ms=1000,
    # "Match subtitle to pace of speaking": it may hang on for 1.5 s at most.
    linger_ms=1500,
)

YOUTUBE = replace(
    WEB,
    name="youtube",
    # YouTube's own captions, and the text grid of its player's window, are 32 characters wide, as
    # CEA-608 is; wider lines are wrapped again on small screens.
    line_cells=32,
)

BROADCAST_608 = replace(
    WEB,
    name="broadcast-608",
    # ANSI/CTA-608-E and 47 CFR 79.101: 15 rows of 32 columns, of which 4 may be in use at once. Two
    # are set, so that two voices fit.
    line_cells=32,
    # DCMP Captioning Key, "Caption Duration": 40 frames to 6 seconds.
    min_duration_ms=1335,
    max_duration_ms=6000,
    # ANSI/CTA-608-E: two bytes per field of 29.97 frames a second.
    frames_per_second=Fraction(30_000, 1001),
    scripts={},
)

PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (WEB, NETFLIX, BBC, YOUTUBE, BROADCAST_608)
}


def frame_rate_of(text: str | None) -> Fraction | None:
    """Frames per second from a fraction such as 30000/1001; None where it is no such rate.

    Containers with a variable rate report a clock instead, such as 90000/1.
    """
    numerator, _, denominator = (text or "0/0").partition("/")
    if int(denominator) == 0 or not 10 <= int(numerator) / int(denominator) <= 240:
        return None
    return Fraction(int(numerator), int(denominator))
