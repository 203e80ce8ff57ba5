"""Two long word sequences aligned by text and time, in time and memory near linear in length.

Runs of agreement are found first and pin the alignment down; what lies between two of them is short
and aligned exactly, thousands of such gaps at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.merge.alignment import GAP, Ints, align, anchors, longest_rising
from services.merge.members import Floats

_ANCHOR_WORDS = 3
_STRETCH_MS = 8_000
"""Anchors must be unique in such a stretch only, where both sequences have times."""
_TOO_FAR_MS = 2_000
_LONGEST = 160
_CELLS = 1 << 20
_NEVER = 1 << 20
_SMOOTHED = 32
_SIZES = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 1 << 30])


@dataclass(frozen=True, slots=True)
class Line:
    """Words, or slots of words, in order; recordings one after another."""

    entries: Ints
    """Numbers of the words that stand at each position, -1 for none, shape (members, positions)."""
    recording: Ints
    middle: Floats
    """In milliseconds; nan for no time."""

    @property
    def first(self) -> Ints:
        """The first word at each position."""
        held = self.entries >= 0
        return np.asarray(self.entries[np.argmax(held, axis=0), np.arange(held.shape[1])])


@dataclass(frozen=True, slots=True)
class _Gaps:
    """Stretches of a and b to be aligned with each other, end exclusive."""

    a: Ints
    a_end: Ints
    b: Ints
    b_end: Ints

    def where(self, mask: npt.NDArray[np.bool_] | Ints) -> _Gaps:
        return _Gaps(self.a[mask], self.a_end[mask], self.b[mask], self.b_end[mask])


def pair(a: Line, b: Line, letters: npt.NDArray[np.float32]) -> Ints:
    """The partner in b of every position of a, or -1; rising within and across recordings.

    Args:
        a: what is there already.
        b: one member's words.
        letters: letter profiles by word number (`services.merge.wording.profiles`).
    """
    partner = np.full(len(a.recording), -1, dtype=np.int64)
    at_a, at_b = _anchored(a, b)
    partner[at_a] = at_b
    steady = Line(b.entries, b.recording, b.middle - _drift(a, b, at_a, at_b))
    gaps = _shortened(_gaps(a, b, at_a, at_b), a, steady)
    for batch in _batches(gaps):
        _align_gaps(batch, a, steady, letters, partner)
    return partner


def _anchored(a: Line, b: Line) -> tuple[Ints, Ints]:
    """Pairs of positions in runs of words that agree and cannot be mistaken for other runs."""
    timed = not (np.isnan(a.middle).any() or np.isnan(b.middle).any())
    found = [
        anchors(_keys(a, shift, timed), _keys(b, shift, timed), _ANCHOR_WORDS)
        for shift in ((0, _STRETCH_MS // 2) if timed else (0,))
    ]
    run = np.arange(_ANCHOR_WORDS)
    at_a = np.concatenate([(first[:, None] + run).ravel() for first, _ in found])
    at_b = np.concatenate([(first[:, None] + run).ravel() for _, first in found])
    if timed:
        near = np.abs(a.middle[at_a] - b.middle[at_b]) < _TOO_FAR_MS
        at_a, at_b = at_a[near], at_b[near]
    order = np.lexsort((-at_b, at_a))
    at_a, at_b = at_a[order], at_b[order]
    kept = longest_rising(at_b)
    at_a, at_b = at_a[kept], at_b[kept]
    same = a.recording[at_a] == b.recording[at_b]
    return at_a[same], at_b[same]


def _keys(line: Line, shift_ms: int, timed: bool) -> Ints:
    """Words as anchors compare them: with their recording and their stretch of time."""
    keys = (line.recording << 40) + line.first
    if timed:
        keys += ((line.middle + shift_ms) // _STRETCH_MS).astype(np.int64) << 22
    return keys


def _drift(a: Line, b: Line, at_a: Ints, at_b: Ints) -> Floats:
    """How much later b's times are than a's, around each word of b: running medians of anchors."""
    late = b.middle[at_b] - a.middle[at_a]
    known = ~np.isnan(late)
    late, at_b = late[known], at_b[known]
    if len(late) < _SMOOTHED:
        return np.zeros(len(b.middle))
    blocks = len(late) // _SMOOTHED
    late = np.median(late[: blocks * _SMOOTHED].reshape(blocks, _SMOOTHED), axis=1)
    where = at_b[: blocks * _SMOOTHED].reshape(blocks, _SMOOTHED)[:, _SMOOTHED // 2]
    return np.asarray(np.interp(np.arange(len(b.middle)), where, late))


def _gaps(a: Line, b: Line, at_a: Ints, at_b: Ints) -> _Gaps:
    """What lies between anchors and borders of recordings, where both sides have words."""
    recordings = np.arange(max(a.recording.max(initial=-1), b.recording.max(initial=-1)) + 2)
    borders_a = np.searchsorted(a.recording, recordings)
    borders_b = np.searchsorted(b.recording, recordings)
    cuts_a = np.concatenate([borders_a, at_a, at_a + 1])
    cuts_b = np.concatenate([borders_b, at_b, at_b + 1])
    order = np.lexsort((cuts_b, cuts_a))
    cuts_a, cuts_b = cuts_a[order], cuts_b[order]
    gaps = _Gaps(cuts_a[:-1], cuts_a[1:], cuts_b[:-1], cuts_b[1:])
    anchored = np.zeros(len(a.recording) + 1, dtype=np.bool_)
    anchored[at_a] = True
    open_ = (gaps.a < gaps.a_end) & (gaps.b < gaps.b_end) & ~anchored[gaps.a]
    return gaps.where(open_)


def _shortened(gaps: _Gaps, a: Line, b: Line) -> _Gaps:
    """The same gaps, long ones cut up: by time where there are times, in proportion elsewhere.

    A gap is long where two members have nothing in common for minutes, so that it hardly matters
    how they are aligned there.
    """
    long = np.maximum(gaps.a_end - gaps.a, gaps.b_end - gaps.b) > _LONGEST
    if not long.any():
        return gaps
    pieces = [gaps.where(~long)]
    pieces += [_pieces(gaps.where(np.array([k])), a, b) for k in np.flatnonzero(long).tolist()]
    return _Gaps(
        np.concatenate([piece.a for piece in pieces]),
        np.concatenate([piece.a_end for piece in pieces]),
        np.concatenate([piece.b for piece in pieces]),
        np.concatenate([piece.b_end for piece in pieces]),
    )


def _pieces(gap: _Gaps, a: Line, b: Line) -> _Gaps:
    lo_a, hi_a, lo_b, hi_b = (int(x[0]) for x in (gap.a, gap.a_end, gap.b, gap.b_end))
    count = 2 * max(hi_a - lo_a, hi_b - lo_b) // _LONGEST + 1
    when_a, when_b = a.middle[lo_a:hi_a], b.middle[lo_b:hi_b]
    if np.isnan(when_a).any() or np.isnan(when_b).any():
        cuts_a = np.linspace(lo_a, hi_a, count + 1).astype(np.int64)
        cuts_b = np.linspace(lo_b, hi_b, count + 1).astype(np.int64)
    else:
        both = np.sort(np.concatenate([when_a, when_b]))
        times = both[np.linspace(0, len(both) - 1, count + 1).astype(np.int64)[1:-1]]
        cuts_a = np.concatenate([[lo_a], lo_a + np.searchsorted(when_a, times), [hi_a]])
        cuts_b = np.concatenate([[lo_b], lo_b + np.searchsorted(when_b, times), [hi_b]])
    cuts_a, cuts_b = np.maximum.accumulate(cuts_a), np.maximum.accumulate(cuts_b)
    pieces = _Gaps(cuts_a[:-1], cuts_a[1:], cuts_b[:-1], cuts_b[1:])
    return pieces.where((pieces.a < pieces.a_end) & (pieces.b < pieces.b_end))


def _batches(gaps: _Gaps) -> Iterator[_Gaps]:
    """Gaps of about one size together, as many as fit in memory."""
    n = np.searchsorted(_SIZES, gaps.a_end - gaps.a)
    m = np.searchsorted(_SIZES, gaps.b_end - gaps.b)
    size = n * len(_SIZES) + m
    order = np.argsort(size, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(size[order])) + 1):
        if not group.size:
            continue
        alike = gaps.where(group)
        cells = int((alike.a_end - alike.a).max() * (alike.b_end - alike.b).max())
        step = max(1, _CELLS // cells)
        for start in range(0, len(group), step):
            yield alike.where(np.arange(start, min(start + step, len(group))))


def _align_gaps(
    gaps: _Gaps, a: Line, b: Line, letters: npt.NDArray[np.float32], partner: Ints
) -> None:
    """Align each gap of a batch and note the pairs in `partner`."""
    in_a, used_a = _indices(gaps.a, gaps.a_end)
    in_b, used_b = _indices(gaps.b, gaps.b_end)
    gap_a = np.where(used_a, (GAP * (a.entries >= 0).mean(axis=0))[in_a], 0).astype(np.int32)
    gap_b = np.where(used_b, GAP, 0).astype(np.int32)
    costs = _text_costs(a.entries[:, in_a], b.entries[0, in_b], letters)
    apart = np.nan_to_num(np.abs(a.middle[in_a][:, :, None] - b.middle[in_b][:, None, :]))
    costs += 0.1 * apart + np.minimum(np.maximum(apart - 500, 0), 5_000)
    costs[~(used_a[:, :, None] & used_b[:, None, :])] = _NEVER
    found = align(costs.astype(np.int32), gap_a, gap_b)
    batch, row = np.nonzero(found >= 0)
    partner[in_a[batch, row]] = in_b[batch, found[batch, row]]


def _indices(start: Ints, end: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Positions of each gap side by side, with which of them are not padding."""
    offsets = np.arange(int((end - start).max()))
    positions = start[:, None] + offsets
    used = positions < end[:, None]
    return np.where(used, positions, start[:, None]), used


def _text_costs(
    entries: Ints, words: Ints, letters: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Mean cost of pairing each word with a slot's entries, shape (gaps, n, m).

    Args:
        entries: shape (members, gaps, n).
        words: shape (gaps, m).
        letters: profiles by word number.
    """
    right = letters[words].transpose(0, 2, 1)
    total = np.zeros((*entries.shape[1:], words.shape[1]))
    for entry in entries:
        unlike = 1000 - 400 * (letters[entry] @ right)
        unlike[entry[:, :, None] == words[:, None, :]] = 0
        unlike[entry < 0] = GAP
        total += unlike
    return total / len(entries)
