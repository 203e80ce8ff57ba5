"""How much at home a word is in what was heard elsewhere.

Recognisers that err tend to hear words, and pairs of words, that occur nowhere else in the
recording. How telling that is, is learned together with the engines' reliability, from how familiar
words are that engines agree on; the slot in question never counts for itself.
"""

from __future__ import annotations

import numpy as np

from services.merge.alignment import Ints

_COUNTS = 5
LEVELS = 3 * (_COUNTS + 1)
"""Levels of familiarity: how often the word occurs elsewhere, times whether its pairs do."""


def familiarity(entry: Ints, recording: Ints) -> Ints:
    """The level of each engine's word in each slot, 0 where there is none.

    Args:
        entry: numbers of words, -1 for none, shape (engines, slots).
        recording: of each slot.
    """
    size = int(entry.max(initial=-1)) + 2
    before = np.stack([_neighbour(own, recording) for own in entry])
    after = np.stack([_neighbour(own[::-1], recording[::-1])[::-1] for own in entry])
    spoken = entry >= 0
    often = np.log2(_elsewhere(entry) + 1).astype(np.int64)
    left = _elsewhere(np.where(spoken, (before + 1) * size + entry, -1))
    right = _elsewhere(np.where(spoken, entry * size + after + 1, -1))
    level = 3 * np.minimum(often, _COUNTS) + (left > 0) + (right > 0)
    return np.where(spoken, level, 0)


def _neighbour(entry: Ints, recording: Ints) -> Ints:
    """The word before each slot in the same recording, -1 at its start."""
    at = np.where(entry >= 0, np.arange(len(entry)), -1)
    last = np.maximum.accumulate(np.concatenate([[-1], at[:-1]]))
    known = (last >= 0) & (recording[last] == recording)
    return np.where(known, entry[last], -1)


def _elsewhere(keys: Ints) -> Ints:
    """In how many other slots each key occurs, whoever has it there; 0 for keys of -1."""
    slots = np.arange(keys.shape[1])
    values, number = np.unique(keys, return_inverse=True)
    number = number.reshape(keys.shape)
    distinct = np.unique(number * len(slots) + slots) // max(len(slots), 1)
    counts = np.bincount(distinct, minlength=len(values))
    return np.where(keys == -1, 0, counts[number] - 1)
