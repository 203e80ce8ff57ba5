"""Where cues end: the cheapest way to cut passages, found by dynamic programming.

As Knuth and Plass ("Breaking Paragraphs into Lines", 1981) do for paragraphs, every rule has a
price and the sum over all cues is made as small as can be, so one cue is never set well at the cost
of the next. A cue holds so few words that the time taken is linear in them; all cues that could be
are priced at once, as arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from services.subtitles.layout import Layout, Lines
from services.subtitles.profiles import Profile
from services.subtitles.stretches import Costs, Indices, Stretches
from services.subtitles.timing import NEVER, Onsets, Times, out_times, reading_ms
from services.subtitles.units import Unit

# What a fault costs, in the currency of `Break`: half a minimal duration outweighs a tight break.
_CUE = 2.0
_TOO_SHORT = 40.0
_TOO_FAST = 20.0
_PAUSE_PER_S = 15.0
_HANGING_SENTENCE = 4.0
_FRAGMENTS = np.array([0.0, 12.0, 5.0, 0.0])
"""By how many words of a sentence stand alone in a cue, away from the rest of it; 3: or more."""
_OUTLASTED = 1000.0

# So that the tables of all possible cues stay small for recordings of any length.
_BATCH_UNITS = 16_384


@dataclass(frozen=True, slots=True)
class Stretch:
    """A cue's units, as indices into its passage."""

    begin: int
    lines: Lines


def segment(
    passages: Sequence[Sequence[Unit]], voices: Sequence[int], profile: Profile, onsets: Onsets
) -> list[list[Stretch]]:
    """The cues of each passage, each at least one unit long; `voices` has the number of its voice.

    `onsets` are those of all voices.
    """
    found: list[list[Stretch]] = []
    for first, last in _batches(passages):
        cut = _Segmentation(passages[first:last], voices[first:last], profile, onsets)
        found.extend(cut.passages())
    return found


def _batches(passages: Sequence[Sequence[Unit]]) -> Iterator[tuple[int, int]]:
    first = units = 0
    for at, passage in enumerate(passages):
        units += len(passage)
        if units >= _BATCH_UNITS:
            yield first, at + 1
            first, units = at + 1, 0
    if first < len(passages):
        yield first, len(passages)


class _Segmentation:
    """Cuts a batch of passages."""

    def __init__(
        self,
        passages: Sequence[Sequence[Unit]],
        voices: Sequence[int],
        profile: Profile,
        onsets: Onsets,
    ) -> None:
        self._profile = profile
        self._onsets = onsets
        widest = profile.max_lines * (profile.line_cells + 1) - 1
        self._stretches = stretches = Stretches(passages, widest)
        self._layout = Layout(stretches, profile)
        self._voices = np.asarray(voices, dtype=np.int64)[stretches.passage]
        self._own_next: Times = np.append(stretches.starts_ms[1:], NEVER)
        self._own_next[stretches.passage_bounds[1:] - 1] = NEVER
        pauses = stretches.starts_ms[1:] - stretches.ends_ms[:-1] - profile.pause_ms
        self._pauses_ms = np.concatenate(([0], np.cumsum(np.maximum(0, pauses))))

    def passages(self) -> Iterator[list[Stretch]]:
        """The cues of one passage after the other."""
        lengths = self._best_lengths()
        for first, last in pairwise(self._stretches.passage_bounds.tolist()):
            cues: list[Stretch] = []
            end = last
            while end > first:
                begin = end - lengths[end]
                lines = tuple(line - first for line in self._layout.lines(begin, end))
                cues.append(Stretch(begin - first, lines))
                end = begin
            yield cues[::-1]

    def _best_lengths(self) -> list[int]:
        """For each end, how long the last cue is in the cheapest way to cut all that is before."""
        stretches = self._stretches
        costs = np.full((stretches.count + 1, len(stretches.ends)), np.inf)
        for length, ends in enumerate(stretches.ends, start=1):
            costs[ends, length - 1] = self._layout.costs(length, ends) + self._cost(length, ends)
        # Best costs in reverse, so that those before an end lie in order of the length they leave.
        best = np.zeros(stretches.count + 1)
        lengths = [0] * (stretches.count + 1)
        bounds = set(stretches.passage_bounds.tolist())
        for end in range(1, stretches.count + 1):
            most = min(end, costs.shape[1])
            at = stretches.count - end + 1
            options = best[at : at + most] + costs[end, :most]
            length = int(options.argmin())
            lengths[end] = length + 1
            # Every passage is counted from nothing, so that none depends on what is before it.
            best[at - 1] = 0.0 if end in bounds else options[length]
        return lengths

    def _cost(self, length: int, ends: Indices) -> Costs:
        """What cues of so many units cost beside their lines."""
        stretches, begins = self._stretches, ends - length
        pauses = self._pauses_ms[ends - 1] - self._pauses_ms[begins]
        cost = _CUE + self._timing(begins, ends) + pauses * (_PAUSE_PER_S / 1000)
        head = _FRAGMENTS[np.minimum(stretches.head(begins, ends), 3)]
        cost += np.where(stretches.is_boundary(begins), 0.0, head)
        tail = stretches.tail(begins, ends)
        left = stretches.breaks[ends - 1] + _FRAGMENTS[np.minimum(tail, 3)]
        left += np.where(tail < stretches.words(begins, ends), _HANGING_SENTENCE, 0.0)
        return cost + np.where(stretches.is_boundary(ends), 0.0, left)

    def _timing(self, begins: Indices, ends: Indices) -> Costs:
        profile, stretches = self._profile, self._stretches
        starts, last_starts = stretches.starts_ms[begins], stretches.starts_ms[ends - 1]
        spoken_until = stretches.ends_ms[ends - 1]
        cells = stretches.cells(begins, ends)
        reading = reading_ms(cells, stretches.spaced_words(begins, ends), profile)
        sure = np.maximum(starts + 1, spoken_until - profile.overlap_ms)
        other_next = self._onsets.other_after(sure, self._voices[begins])
        own_next = self._own_next[ends - 1]
        out = out_times(starts, spoken_until, reading, own_next, other_next, profile)
        shown = np.maximum(1, out - starts)
        cost = _TOO_SHORT * np.maximum(0.0, 1 - shown / profile.min_duration_ms)
        excess = np.minimum(4.0, np.maximum(0.0, reading / shown - 1))
        cost += _TOO_FAST * excess * cells / profile.line_cells
        is_outlasted = (last_starts >= out) & (last_starts > starts)
        cost += np.where(is_outlasted, _OUTLASTED, 0.0)
        total: Costs = cost
        return total
