"""The best lines for every stretch of units that one cue could hold."""

from __future__ import annotations

import numpy as np

from services.subtitles.profiles import Profile
from services.subtitles.stretches import Costs, Indices, Stretches

# What a fault costs, in the currency of `Break`. A break between lines of one cue costs half of
# what it would cost between cues, because the eye is there already.
_LINE_BREAK = 0.5
_UNBALANCED = 6.0
_TOP_HEAVY = 2.0
_ORPHAN = 4.0

Lines = tuple[int, ...]
"""Where each line ends, as an index after its last unit."""


class Layout:
    """Sets stretches in lines; for each number of lines, on top of what fewer lines have cost."""

    def __init__(self, stretches: Stretches, profile: Profile) -> None:
        self._stretches = stretches
        self._line_cells = profile.line_cells
        shape = (len(stretches.ends), stretches.count + 1)
        # By length less one and by end. The first line of a stretch ends at its `_middle`.
        self._costs = np.full(shape, np.inf)
        self._middles: list[Indices] = []
        for length, ends in enumerate(stretches.ends, start=1):
            fits = ends[stretches.cells(ends - length, ends) <= self._line_cells]
            self._costs[length - 1, fits] = 0.0
        self._middles.append(np.broadcast_to(np.arange(shape[1]), shape))
        for _ in range(profile.max_lines - 1):
            self._add_line()

    def costs(self, length: int, ends: Indices) -> Costs:
        """What the best lines cost; infinite where they do not fit."""
        costs: Costs = self._costs[length - 1, ends]
        return costs

    def lines(self, begin: int, end: int) -> Lines:
        """The best lines for units [begin, end)."""
        ends: list[int] = []
        for middles in reversed(self._middles):
            begin = int(middles[end - begin - 1, end])
            ends.append(begin)
            if begin == end:
                break
        return tuple(ends)

    def _add_line(self) -> None:
        """Let every stretch that is too wide for one line have one line more."""
        fewer, below = self._costs, self._middles[-1]
        self._costs = fewer.copy()
        middles = below.copy()
        stretches = self._stretches
        for length, fitting in enumerate(stretches.ends, start=1):
            ends = fitting[stretches.cells(fitting - length, fitting) > self._line_cells]
            best = np.full(len(ends), np.inf)
            middle = ends.copy()
            for rest in range(length - 1, 0, -1):
                cost = self._with_top(length, rest, ends, fewer, below)
                better = cost < best
                best[better] = cost[better]
                middle[better] = ends[better] - rest
            self._costs[length - 1, ends] = best
            middles[length - 1, ends] = middle
        self._middles.append(middles)

    def _with_top(
        self, length: int, rest: int, ends: Indices, fewer: Costs, below: Indices
    ) -> Costs:
        """What a first line costs that leaves `rest` units to the lines below it."""
        stretches = self._stretches
        costs, rests = np.full(len(ends), np.inf), fewer[rest - 1, ends]
        top = stretches.cells(ends - length, ends - rest)
        fits = np.flatnonzero((top <= self._line_cells) & np.isfinite(rests))
        if len(fits):
            ends = ends[fits]
            bottom = stretches.cells(ends - rest, below[rest - 1, ends])
            cost = self._imbalance(top[fits], bottom) + self._break(length, rest, ends)
            costs[fits] = rests[fits] + cost
        return costs

    def _break(self, length: int, rest: int, ends: Indices) -> Costs:
        middles = ends - rest
        cost = _LINE_BREAK * self._stretches.breaks[middles - 1]
        is_orphan = self._stretches.tail(ends - length, middles) == 1
        is_orphan |= self._stretches.head(middles, ends) == 1
        return np.where(is_orphan & (cost > 0), cost + _ORPHAN, cost)

    def _imbalance(self, top: Indices, bottom: Indices) -> Costs:
        difference = (top - bottom) / self._line_cells
        return _UNBALANCED * difference**2 + _TOP_HEAVY * np.maximum(0.0, difference)
