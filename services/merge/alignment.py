"""Least-cost alignment of word sequences: many short ones at once, or two long ones by anchors."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Costs = npt.NDArray[np.int32]

GAP = 750
"""Cost of a word that only one side has, in thousandths of a substitution (NIST's 3 to 4)."""


def align(substitution: Costs, gap_a: Costs, gap_b: Costs) -> Ints:
    """The partner of every word of a in b, or -1, in each of a batch of word sequences.

    Costs are integers, so that the same input gives the same path on every machine. Of equally
    cheap paths the one that pairs the latest words wins.

    Args:
        substitution: cost of pairing a's word with b's, shape (batch, n, m).
        gap_a: cost of leaving a's word alone, shape (batch, n); 0 where a is padded.
        gap_b: cost of leaving b's word alone, shape (batch, m); 0 where b is padded.

    Returns:
        Indices into b, rising where not -1, shape (batch, n).
    """
    return _trace(_total_costs(substitution, gap_a, gap_b), substitution, gap_a)


def _total_costs(substitution: Costs, gap_a: Costs, gap_b: Costs) -> Costs:
    """Cost of the best path to every cell, shape (batch, n + 1, m + 1).

    A row at a time over the whole batch: stepping along a row costs a running sum of `gap_b`, and
    so the best way into a cell along its row is a running minimum.
    """
    batch, n, m = substitution.shape
    along = np.zeros((batch, m + 1), dtype=np.int32)
    np.cumsum(gap_b, axis=1, out=along[:, 1:])
    total = np.empty((batch, n + 1, m + 1), dtype=np.int32)
    total[:, 0] = along
    for i in range(n):
        row = total[:, i] + gap_a[:, i, None]
        np.minimum(row[:, 1:], total[:, i, :-1] + substitution[:, i], out=row[:, 1:])
        row -= along
        np.minimum.accumulate(row, axis=1, out=row)
        row += along
        total[:, i + 1] = row
    return total


def _trace(total: Costs, substitution: Costs, gap_a: Costs) -> Ints:
    """Walk every path of the batch back from its end, all in step."""
    batch, n, m = substitution.shape
    partner = np.full((batch, n), -1, dtype=np.int64)
    live = np.arange(batch)
    i = np.full(batch, n)
    j = np.full(batch, m)
    while True:
        going = (i > 0) & (j > 0)
        live, i, j = live[going], i[going], j[going]
        if not live.size:
            return partner
        here = total[live, i, j]
        paired = here == total[live, i - 1, j - 1] + substitution[live, i - 1, j - 1]
        alone = ~paired & (here == total[live, i - 1, j] + gap_a[live, i - 1])
        partner[live[paired], i[paired] - 1] = j[paired] - 1
        i = i - (paired | alone)
        j = j - ~alone


def anchors(a: Ints, b: Ints, length: int) -> tuple[Ints, Ints]:
    """Where runs of `length` keys stand that occur once in a and once in b, in the same order.

    The "unique lines" of patience diff, with runs of words for lines; keys must already tell
    apart what may not be anchored on one another (recordings, stretches of time).

    Returns:
        First positions of the runs in a and in b, both rising.
    """
    runs_a, runs_b = _runs(a, length), _runs(b, length)
    once_a, at_a = _occurring_once(runs_a)
    once_b, at_b = _occurring_once(runs_b)
    _, in_a, in_b = np.intersect1d(once_a, once_b, assume_unique=True, return_indices=True)
    first_a, first_b = at_a[in_a], at_b[in_b]
    order = np.argsort(first_a)
    first_a, first_b = first_a[order], first_b[order]
    kept = longest_rising(first_b)
    return first_a[kept], first_b[kept]


def longest_rising(values: Ints) -> Ints:
    """Indices of a longest strictly rising subsequence (patience sorting)."""
    tops: list[int] = []
    top_index: list[int] = []
    before = np.full(len(values), -1, dtype=np.int64)
    for index, value in enumerate(values.tolist()):
        pile = bisect_left(tops, value)
        if pile:
            before[index] = top_index[pile - 1]
        if pile == len(tops):
            tops.append(value)
            top_index.append(index)
        else:
            tops[pile] = value
            top_index[pile] = index
    chain: list[int] = []
    index = top_index[-1] if top_index else -1
    while index >= 0:
        chain.append(index)
        index = int(before[index])
    return np.array(chain[::-1], dtype=np.int64)


def _runs(keys: Ints, length: int) -> Ints:
    """One 64-bit key for every run of `length` keys (polynomial hash, wrapping)."""
    if len(keys) < length:
        return np.empty(0, dtype=np.int64)
    hashed = np.zeros(len(keys) - length + 1, dtype=np.uint64)
    for offset in range(length):
        hashed *= np.uint64(0x9E3779B97F4A7C15)
        hashed ^= keys[offset : offset + len(hashed)].astype(np.uint64) + np.uint64(0x5851F42D)
        hashed ^= hashed >> np.uint64(29)
    return hashed.astype(np.int64)


def _occurring_once(keys: Ints) -> tuple[Ints, Ints]:
    """Keys that occur once, with their positions."""
    values, first, counts = np.unique(keys, return_index=True, return_counts=True)
    return values[counts == 1], first[counts == 1]
