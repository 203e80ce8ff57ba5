"""Overlapping chunks of one recogniser made into one sequence of words.

Where two chunks overlap, both have heard the same speech. Their words there are aligned by text and
time, and the alignment is cut once: the earlier chunk's words before the cut, the later chunk's
after it. What the alignment pairs is on one side of the cut in both chunks, so nothing is lost and
nothing doubled wherever the cut is; it is made where the words on both sides can be trusted most,
for recognisers are at their worst at a chunk's edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.merge.alignment import GAP, Costs, align
from services.merge.timeline import without_overlaps
from services.merge.wording import Vocabulary, profiles
from voxmesh_schemas import HypothesisWord

DRIFT_MS = 500
"""How far an engine's times may be off; of two chunks, twice that apart."""

EDGE_MS = 1000
"""How far from a chunk's edge a word is to be trusted fully."""

_OFF_CENTRE = 0.01
_INSIDE_DISAGREEMENT = 0.5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChunkWords:
    """What one engine heard in one chunk; word times are milliseconds from the chunk's start."""

    start_ms: int
    end_ms: int
    words: Sequence[HypothesisWord]


@dataclass(frozen=True, slots=True)
class _Side:
    """One chunk's words in and around an overlap, on the job's timeline."""

    words: Sequence[HypothesisWord]
    middles: Floats
    trust: Floats
    """0 at the chunk's edge inside the overlap, 1 well away from it."""


def stitch(chunks: Sequence[ChunkWords]) -> list[HypothesisWord]:
    """The words of all chunks of one channel on the job's timeline, in order, none doubled.

    Chunks come in order of start. A lost chunk is left out: what its neighbours heard of it stays.
    Starts never fall, and neighbouring words do not overlap.
    """
    stitched: list[HypothesisWord] = []
    heard_until = 0
    for chunk in chunks:
        later = [_shifted(word, chunk.start_ms) for word in chunk.words]
        if heard_until > chunk.start_ms:
            tail = _first_after(stitched, chunk.start_ms - 2 * DRIFT_MS)
            kept, dropped = _splice(stitched[tail:], later, chunk.start_ms, heard_until)
            del stitched[tail + kept :]
            later = later[dropped:]
        stitched += later
        heard_until = max(heard_until, chunk.end_ms)
    return _in_order(stitched)


def _shifted(word: HypothesisWord, by_ms: int) -> HypothesisWord:
    times = {"start_ms": word.start_ms + by_ms, "end_ms": word.end_ms + by_ms}
    return word.model_copy(update=times)


def _first_after(words: Sequence[HypothesisWord], time_ms: int) -> int:
    """Index of the first of the last words that end after a time."""
    first = len(words)
    while first and words[first - 1].end_ms > time_ms:
        first -= 1
    return first


def _splice(
    earlier_words: Sequence[HypothesisWord],
    later_words: Sequence[HypothesisWord],
    start_ms: int,
    end_ms: int,
) -> tuple[int, int]:
    """How many words of the earlier chunk to keep and of the later to drop.

    The overlap lasts from `start_ms`, the later chunk's edge, to `end_ms`, the earlier one's.
    """
    reach = sum(word.start_ms < end_ms + 2 * DRIFT_MS for word in later_words)
    before, after = _middles(earlier_words), _middles(later_words[:reach])
    earlier = _Side(earlier_words, before, np.clip((end_ms - before) / EDGE_MS, 0, 1))
    later = _Side(later_words[:reach], after, np.clip((after - start_ms) / EDGE_MS, 0, 1))
    different, costs = _pair_costs(earlier, later)
    partner = align(
        costs[None],
        _alone_costs(before - start_ms)[None],
        _alone_costs(end_ms - after)[None],
    )[0]
    columns = _columns(partner.tolist(), len(after))
    cut = _best_cut(columns, earlier, later, different, (start_ms + end_ms) / 2)
    return (
        sum(i is not None for i, _ in columns[:cut]),
        sum(j is not None for _, j in columns[:cut]),
    )


def _middles(words: Sequence[HypothesisWord]) -> Floats:
    return np.array([(word.start_ms + word.end_ms) / 2 for word in words], dtype=np.float64)


def _pair_costs(earlier: _Side, later: _Side) -> tuple[npt.NDArray[np.bool_], Costs]:
    """Which words differ, and what pairing them costs, shape (earlier, later).

    Times count for little while the drift of two chunks explains them, so that of three "no" each
    goes to its own; beyond that words are soon not the same.
    """
    vocabulary = Vocabulary()
    left = np.array([vocabulary.number(word.text) for word in earlier.words], dtype=np.int64)
    right = np.array([vocabulary.number(word.text) for word in later.words], dtype=np.int64)
    letters = profiles(vocabulary.forms)
    different = left[:, None] != right[None, :]
    unlike = np.where(different, 1000 - 500 * (letters[left] @ letters[right].T), 0)
    apart = np.abs(earlier.middles[:, None] - later.middles[None, :])
    beyond = np.maximum(apart - 2 * DRIFT_MS, 0)
    return different, (unlike + 0.05 * apart + 2 * beyond).astype(np.int32)


def _alone_costs(inside_ms: Floats) -> Costs:
    """Cost of a word that the other chunk lacks: none outside the overlap, full well inside it."""
    return (GAP * np.clip(inside_ms / (2 * DRIFT_MS), 0, 1)).astype(np.int32)


def _columns(partner: list[int], later: int) -> list[tuple[int | None, int | None]]:
    """The alignment as columns of (earlier word, later word), None where a side has no word."""
    columns: list[tuple[int | None, int | None]] = []
    done = 0
    for i, j in enumerate(partner):
        if j < 0:
            columns.append((i, None))
            continue
        columns += [(None, k) for k in range(done, j)]
        columns.append((i, j))
        done = j + 1
    return columns + [(None, k) for k in range(done, later)]


def _best_cut(
    columns: Sequence[tuple[int | None, int | None]],
    earlier: _Side,
    later: _Side,
    different: npt.NDArray[np.bool_],
    centre_ms: float,
) -> int:
    """The number of columns to take from the earlier chunk.

    Taking a word costs what it lacks in trust, dropping one that only one chunk heard costs the
    trust that it has. Cuts next to words that agree and near the overlap's centre come first.
    """
    from_earlier = np.zeros(len(columns))
    from_later = np.zeros(len(columns))
    agree = np.zeros(len(columns) + 2, dtype=np.bool_)
    for column, (i, j) in enumerate(columns):
        if i is not None:
            from_earlier[column] += 1 - earlier.trust[i] + _off(earlier.middles[i] > centre_ms)
            from_later[column] += earlier.trust[i] if j is None else 0
        if j is not None:
            from_later[column] += 1 - later.trust[j] + _off(later.middles[j] < centre_ms)
            from_earlier[column] += later.trust[j] if i is None else 0
        agree[column + 1] = i is not None and j is not None and not different[i, j]
    cost = np.zeros(len(columns) + 1)
    cost[1:] += np.cumsum(from_earlier)
    cost[:-1] += np.cumsum(from_later[::-1])[::-1]
    cost += np.where(agree[:-1] | agree[1:], 0, _INSIDE_DISAGREEMENT)
    return int(np.argmin(cost))


def _off(centre_passed: bool) -> float:
    return _OFF_CENTRE if centre_passed else 0.0


def _in_order(words: Sequence[HypothesisWord]) -> list[HypothesisWord]:
    spans = without_overlaps((word.start_ms, word.end_ms) for word in words)
    return [
        word
        if span == (word.start_ms, word.end_ms)
        else word.model_copy(update={"start_ms": span[0], "end_ms": span[1]})
        for word, span in zip(words, spans, strict=True)
    ]
