"""Where cues end: the cheapest way to cut a passage, found by dynamic programming.

As Knuth and Plass ("Breaking Paragraphs into Lines", 1981) do for paragraphs, every rule has a
price and the sum over all cues is made as small as can be, so one cue is never set well at the cost
of the next. A cue holds so few words that the time taken is linear in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from services.subtitles.layout import Layout
from services.subtitles.profiles import Profile
from services.subtitles.timing import out_time, reading_ms
from services.subtitles.units import Unit

# What a fault costs, in the currency of `Break`: half a minimal duration outweighs a tight break.
_CUE = 2.0
_TOO_SHORT = 40.0
_TOO_FAST = 20.0
_PAUSE_PER_S = 15.0
_HANGING_SENTENCE = 4.0
_FRAGMENT = {1: 12.0, 2: 5.0}
"""By how many words of a sentence stand alone in a cue, away from the rest of it."""
_OUTLASTED = 1000.0

OtherNext = Callable[[int, int], int | None]
"""From a cue's start and the end of its words to the next start of another voice."""


class Segmentation:
    """Cuts one passage, at least one unit long, into cues."""

    def __init__(self, units: Sequence[Unit], profile: Profile, other_next: OtherNext) -> None:
        self._units = units
        self._profile = profile
        self._other_next = other_next
        self._layout = Layout(units, profile)
        self._widest = profile.max_lines * (profile.line_cells + 1) - 1
        pauses = (after.start_ms - unit.end_ms for unit, after in pairwise(units))
        costs = (max(0, pause - profile.pause_ms) * _PAUSE_PER_S / 1000 for pause in pauses)
        self._pauses = list(accumulate(costs, initial=0.0))

    def cues(self) -> list[tuple[int, tuple[int, ...]]]:
        """First unit of each cue and the ends of its lines."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(self._units) + 1):
            best.append(min(self._candidates(end, best), key=lambda option: option[0]))
        cues = []
        end = len(self._units)
        while end:
            begin = best[end][1]
            if (lines := self._layout.lines(begin, end)) is not None:
                cues.append((begin, lines[1]))
            end = begin
        return cues[::-1]

    def _candidates(self, end: int, best: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
        """Costs of all ways to end a cue at `end`, by the cue's first unit."""
        options = []
        for begin in range(end - 1, -1, -1):
            if self._layout.cells(begin, end) > self._widest:
                break
            if (lines := self._layout.lines(begin, end)) is not None:
                cost = best[begin][0] + lines[0] + self._cost(begin, end)
                options.append((cost, begin))
        return options

    def _cost(self, begin: int, end: int) -> float:
        """What the cue of units [begin, end) costs beside its lines."""
        cost = _CUE + self._timing(begin, end) + self._pauses[end - 1] - self._pauses[begin]
        layout = self._layout
        if not layout.is_boundary(begin):
            cost += _FRAGMENT.get(layout.head(begin, end), 0.0)
        if not layout.is_boundary(end):
            tail = layout.tail(begin, end)
            cost += self._units[end - 1].break_after + _FRAGMENT.get(tail, 0.0)
            if tail < layout.words(begin, end):
                cost += _HANGING_SENTENCE
        return cost

    def _timing(self, begin: int, end: int) -> float:
        first, last = self._units[begin], self._units[end - 1]
        own_next = self._units[end].start_ms if end < len(self._units) else None
        cells = self._layout.cells(begin, end)
        other_next = self._other_next(first.start_ms, last.end_ms)
        out = out_time(first.start_ms, last.end_ms, cells, own_next, other_next, self._profile)
        shown = max(1, out - first.start_ms)
        cost = _TOO_SHORT * max(0.0, 1 - shown / self._profile.min_duration_ms)
        excess = min(4.0, max(0.0, reading_ms(cells, self._profile) / shown - 1))
        cost += _TOO_FAST * excess * cells / self._profile.line_cells
        is_outlasted = last.start_ms >= out and end - begin > 1 and last.start_ms > first.start_ms
        return cost + _OUTLASTED if is_outlasted else cost
