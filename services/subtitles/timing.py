"""When cues appear and disappear, worked out for many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.subtitles.profiles import Profile

Voice = tuple[int, str | None]
"""Who speaks on which channel: its cues follow each other and never overlap."""

Times = npt.NDArray[np.int64]
"""Milliseconds, shape (n,)."""

NEVER = np.int64(2**60)
"""A time that does not come."""


class Onsets:
    """Finds when somebody else starts to speak."""

    def __init__(self, times_ms: Sequence[int], voices: Sequence[int]) -> None:
        """`voices` are numbers, one for each time."""
        order = np.argsort(np.asarray(times_ms, dtype=np.int64), kind="stable")
        self._times = np.asarray(times_ms, dtype=np.int64)[order]
        self._voices = np.asarray(voices, dtype=np.int64)[order]
        # For each onset, the first one after it that belongs to another voice.
        following = np.arange(1, len(order) + 1)
        same = np.append(self._voices[1:] == self._voices[:-1], False)[: len(order)]
        following[same] = len(order)
        following = np.minimum.accumulate(following[::-1])[::-1]
        self._others = np.append(self._times, NEVER)[following]

    def other_after(self, times_ms: Times, voices: Times) -> Times:
        """For each time, the first onset of another voice at or after it, or `NEVER`."""
        index = np.searchsorted(self._times, times_ms)
        times = np.append(self._times, NEVER)[index]
        is_own = np.append(self._voices, -1)[index] == voices
        return np.where(is_own, np.append(self._others, NEVER)[index], times)


def reading_ms(cells: Times, words: Times, profile: Profile) -> Times:
    """How long it takes to read texts of so many cells and words."""
    if profile.words_per_minute:
        time = 60_000 * words / profile.words_per_minute
    else:
        time = 1000 * cells / profile.cells_per_second
    return np.ceil(time).astype(np.int64)


def out_times(
    starts_ms: Times,
    spoken_until_ms: Times,
    readings_ms: Times,
    own_next_ms: Times,
    other_next_ms: Times,
    profile: Profile,
) -> Times:
    """When cues disappear.

    A cue stays for its words and for as long as reading takes, though not long past the words,
    unless to close a gap that would flicker, and leaves a gap before the next cue. It may stay on
    beside another voice's cue, `other_next_ms`, where it would otherwise flash by; it never does
    beside its own voice's, `own_next_ms`.
    """
    linger = spoken_until_ms + profile.linger_ms
    last = starts_ms + profile.max_duration_ms
    reading = np.minimum(starts_ms + readings_ms, linger)
    shortest = starts_ms + profile.min_duration_ms
    wanted = np.minimum(np.maximum(np.maximum(spoken_until_ms, reading), shortest), last)
    is_flash = other_next_ms - starts_ms < profile.flash_ms
    beside = _before(other_next_ms, starts_ms, wanted, last, profile, may_overlap=is_flash)
    return _before(own_next_ms, starts_ms, beside, last, profile, may_overlap=False)


def _before(
    following_ms: Times,
    starts_ms: Times,
    wanted_ms: Times,
    last_ms: Times,
    profile: Profile,
    *,
    may_overlap: npt.NDArray[np.bool_] | bool,
) -> Times:
    """The out-times with respect to one following cue: a gap of two frames, or a real one."""
    closed = following_ms - profile.gap_ms
    is_flicker = (following_ms - wanted_ms < profile.close_gap_ms) & (closed <= last_ms)
    is_long_enough = closed - starts_ms >= profile.min_duration_ms
    squeezed = np.where(is_long_enough, closed, np.where(may_overlap, wanted_ms, following_ms))
    return np.where(wanted_ms <= closed, np.where(is_flicker, closed, wanted_ms), squeezed)
