"""When cues appear and disappear."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from math import ceil

from services.subtitles.profiles import Profile

Voice = tuple[int, str | None]
"""Who speaks on which channel: its cues follow each other and never overlap."""


class Onsets:
    """Finds when somebody else starts to speak."""

    def __init__(self, onsets: Iterable[tuple[int, Voice]]) -> None:
        self._onsets = sorted(onsets, key=lambda onset: onset[0])
        self._times = [time for time, _ in self._onsets]
        # The first onset after each one that belongs to another voice.
        self._others: list[int | None] = [None] * len(self._onsets)
        for index in range(len(self._onsets) - 2, -1, -1):
            same = self._onsets[index][1] == self._onsets[index + 1][1]
            self._others[index] = self._others[index + 1] if same else self._times[index + 1]

    def other_after(self, time_ms: int, voice: Voice) -> int | None:
        """The first onset of another voice at or after a time."""
        index = bisect_left(self._times, time_ms)
        if index == len(self._times):
            return None
        return self._others[index] if self._onsets[index][1] == voice else self._times[index]


def reading_ms(cells: int, profile: Profile) -> int:
    """How long it takes to read a text."""
    return ceil(1000 * cells / profile.cells_per_second)


def out_time(
    start_ms: int,
    spoken_until_ms: int,
    cells: int,
    own_next_ms: int | None,
    other_next_ms: int | None,
    profile: Profile,
) -> int:
    """When a cue disappears.

    It stays for its words and for as long as reading takes, though not long past the words, and
    leaves a gap before the next cue. It may stay on beside another voice's cue, `other_next_ms`,
    where it would otherwise flash by; it never does beside its own voice's, `own_next_ms`.
    """
    latest = spoken_until_ms + profile.linger_ms
    wanted = max(
        spoken_until_ms,
        min(start_ms + reading_ms(cells, profile), latest),
        start_ms + profile.min_duration_ms,
    )
    wanted = min(wanted, start_ms + profile.max_duration_ms)
    latest = min(max(wanted, latest), start_ms + profile.max_duration_ms)
    for following, may_overlap in ((other_next_ms, True), (own_next_ms, False)):
        if following is not None:
            wanted = _before(following, start_ms, wanted, latest, profile, may_overlap=may_overlap)
    return wanted


def _before(
    following_ms: int,
    start_ms: int,
    wanted_ms: int,
    latest_ms: int,
    profile: Profile,
    *,
    may_overlap: bool,
) -> int:
    """The out-time with respect to one following cue: a gap of two frames, or a real one."""
    closed = following_ms - profile.gap_ms
    if wanted_ms <= closed:
        is_flicker = following_ms - wanted_ms < profile.linger_ms
        return closed if is_flicker and closed <= latest_ms else wanted_ms
    if closed - start_ms >= profile.min_duration_ms:
        return closed
    if may_overlap and following_ms - start_ms < profile.flash_ms:
        return wanted_ms
    return following_ms
