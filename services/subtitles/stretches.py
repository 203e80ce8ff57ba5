"""All stretches of neighbouring units that one cue could hold, as arrays.

A stretch is known by its length and by the index after its last unit. What is asked of stretches is
asked of one length at a time, for many ends at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.subtitles.breaks import Break
from services.subtitles.timing import Times
from services.subtitles.units import Unit

Indices = npt.NDArray[np.int64]
"""Places between units, counted over all passages, shape (n,)."""

Costs = npt.NDArray[np.float64]
"""What faults cost, shape (n,)."""


class Stretches:
    """The units of passages, each at least one unit long, one passage after the other."""

    def __init__(self, passages: Sequence[Sequence[Unit]], widest: int) -> None:
        """`widest` is how many cells a stretch may take on one line."""
        units = [unit for passage in passages for unit in passage]
        bounds = np.cumsum([0, *(len(passage) for passage in passages)])
        self.count = len(units)
        self.passage = np.repeat(np.arange(len(passages)), np.diff(bounds))
        self.starts_ms: Times = np.array([unit.start_ms for unit in units], dtype=np.int64)
        self.ends_ms: Times = np.array([unit.end_ms for unit in units], dtype=np.int64)
        self.breaks = np.array([int(unit.break_after) for unit in units], dtype=np.int64)
        self._spaces = np.array([int(unit.spaced) for unit in units], dtype=np.int64)
        cells = np.array([unit.cells for unit in units], dtype=np.int64)
        self._offsets = _sums(cells + self._spaces)
        self._words = _sums(self.breaks != Break.GLUED)
        self._spaced = _sums(self._spaces)
        self.passage_bounds: Indices = bounds
        is_bound = np.zeros(self.count + 1, dtype=bool)
        is_bound[1:] = self.breaks == Break.SENTENCE
        is_bound[bounds] = True
        self._is_boundary = is_bound
        places = np.arange(self.count + 1)
        self._before = np.maximum.accumulate(np.where(is_bound, places, 0))
        after = np.append(np.where(is_bound, places, self.count)[1:], self.count)
        self._after = np.minimum.accumulate(after[::-1])[::-1]
        self.ends = list(self._fitting(widest))
        """For each length from 1 on, the ends of the stretches that are not too wide."""

    def _fitting(self, widest: int) -> list[Indices]:
        first = self.passage_bounds[self.passage]
        fitting: list[Indices] = []
        ends = np.arange(1, self.count + 1)
        while len(ends):
            fitting.append(ends)
            length = len(fitting) + 1
            ends = ends[ends - length >= first[ends - 1]]
            ends = ends[self.cells(ends - length, ends) <= widest]
        return fitting

    def cells(self, begins: Indices, ends: Indices) -> Indices:
        """Width on one line."""
        width: Indices = self._offsets[ends] - self._offsets[begins] - self._spaces[begins]
        return width

    def words(self, begins: Indices, ends: Indices) -> Indices:
        """How many words they hold, apart from names and notes before them."""
        count: Indices = self._words[ends] - self._words[begins]
        return count

    def spaced_words(self, begins: Indices, ends: Indices) -> Indices:
        """How many words there are to read, in scripts that have spaces between them."""
        count: Indices = 1 + self._spaced[ends] - self._spaced[begins + 1]
        return count

    def is_boundary(self, places: Indices) -> npt.NDArray[np.bool_]:
        """Whether a sentence, or the passage, begins or ends there."""
        found: npt.NDArray[np.bool_] = self._is_boundary[places]
        return found

    def tail(self, begins: Indices, ends: Indices) -> Indices:
        """How many words of an unfinished sentence stand at the end."""
        return self.words(np.maximum(begins, self._before[ends]), ends)

    def head(self, begins: Indices, ends: Indices) -> Indices:
        """How many words of a sentence begun before stand at the start."""
        return self.words(begins, np.minimum(ends, self._after[begins]))


def _sums(values: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Indices:
    """Sums of all values before each place."""
    return np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
