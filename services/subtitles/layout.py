"""The best lines for a stretch of units."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise

from services.subtitles.breaks import Break
from services.subtitles.profiles import Profile
from services.subtitles.units import Unit

# What a fault costs, in the currency of `Break`. A break between lines of one cue costs half of
# what it would cost between cues, because the eye is there already.
_LINE_BREAK = 0.5
_UNBALANCED = 6.0
_TOP_HEAVY = 2.0
_ORPHAN = 4.0

Lines = tuple[int, ...]
"""Where each line ends, as an index after its last unit."""


class Layout:
    """Sets stretches of one passage in lines."""

    def __init__(self, units: Sequence[Unit], profile: Profile) -> None:
        self._line_cells = profile.line_cells
        self._max_lines = profile.max_lines
        self._breaks = [_LINE_BREAK * unit.break_after for unit in units]
        self._spaces = [int(unit.spaced) for unit in units]
        widths = (unit.cells + unit.spaced for unit in units)
        self._offsets = list(accumulate(widths, initial=0))
        words = (unit.break_after is not Break.GLUED for unit in units)
        self._words = list(accumulate(words, initial=0))
        self._sentences = _sentence_bounds(units)

    def cells(self, begin: int, end: int) -> int:
        """Width of units [begin, end) on one line."""
        return self._offsets[end] - self._offsets[begin] - self._spaces[begin]

    def is_boundary(self, index: int) -> bool:
        """Whether a sentence, or the passage, begins or ends before unit `index`."""
        return self._sentences[0][index] == index

    def words(self, begin: int, end: int) -> int:
        """How many words units [begin, end) hold, apart from names and notes before them."""
        return self._words[end] - self._words[begin]

    def tail(self, begin: int, end: int) -> int:
        """How many words of an unfinished sentence stand at the end of units [begin, end)."""
        return self.words(max(begin, self._sentences[0][end]), end)

    def head(self, begin: int, end: int) -> int:
        """How many words of a sentence begun before stand at the start of units [begin, end)."""
        return self.words(begin, min(end, self._sentences[1][begin]))

    def lines(self, begin: int, end: int) -> tuple[float, Lines] | None:
        """What the best lines for units [begin, end) cost, and the lines; None: they do not fit."""
        return self._lines(begin, end, self._max_lines)

    def _lines(self, begin: int, end: int, most: int) -> tuple[float, Lines] | None:
        width = self.cells(begin, end)
        if width <= self._line_cells:
            return 0.0, (end,)
        if width > most * (self._line_cells + 1) - 1:
            return None
        best: tuple[float, Lines] | None = None
        # Earlier breaks leave more than the lines below can hold.
        rest_cells = (most - 1) * (self._line_cells + 1)
        first = bisect_left(self._offsets, self._offsets[end] - rest_cells, begin + 1, end)
        for middle in range(first, end):
            if (top := self.cells(begin, middle)) > self._line_cells:
                break
            rest = self._lines(middle, end, most - 1)
            if rest is None:
                continue
            bottom = self.cells(middle, rest[1][0])
            cost = rest[0] + self._imbalance(top, bottom) + self._break(begin, middle, end)
            if best is None or cost < best[0]:
                best = cost, (middle, *rest[1])
        return best

    def _break(self, begin: int, middle: int, end: int) -> float:
        cost = self._breaks[middle - 1]
        is_orphan = cost > 0 and 1 in (self.tail(begin, middle), self.head(middle, end))
        return cost + _ORPHAN if is_orphan else cost

    def _imbalance(self, top: int, bottom: int) -> float:
        difference = (top - bottom) / self._line_cells
        return _UNBALANCED * difference**2 + _TOP_HEAVY * max(0.0, difference)


def _sentence_bounds(units: Sequence[Unit]) -> tuple[list[int], list[int]]:
    """For each place between units, the last sentence bound at or before it and the first after."""
    ends = [0, *(n for n, unit in enumerate(units, 1) if unit.break_after is Break.SENTENCE)]
    if ends[-1] != len(units):
        ends.append(len(units))
    before = [end for end, after in pairwise(ends) for _ in range(end, after)]
    after = [after for end, after in pairwise(ends) for _ in range(end, after)]
    return [*before, len(units)], [*after, len(units)]
