"""How much at home a word is in what was heard elsewhere.

Recognisers that err tend to hear words, and pairs of words, that occur nowhere else in the
recording. How telling that is, is learned together with the engines' reliability, from how familiar
words are that engines agree on; the slot in question never counts for itself.
"""

from __future__ import annotations

import numpy as np

from services.merge.alignment import Ints
from services.merge.network import ConfusionNetwork

_COUNTS = 5
LEVELS = 3 * (_COUNTS + 1)
"""Levels of familiarity: how often the word occurs elsewhere, times whether its pairs do."""


def familiarity(network: ConfusionNetwork, choice: Ints) -> Ints:
    """The level of every candidate of every slot, 0 where there is none.

    Args:
        network: what was heard.
        choice: number of the candidate that each engine is for, shape (engines, slots).

    Returns:
        Shape (engines + 1, slots).
    """
    entry, recording = network.entry, network.recording
    size = len(network.vocabulary.forms) + 1
    before = np.stack([_neighbour(own, recording) for own in entry])
    after = np.stack([_neighbour(own[::-1], -recording[::-1])[::-1] for own in entry])
    spoken = entry >= 0
    occurrences = _elsewhere(entry)
    left = _elsewhere(np.where(spoken, (before + 1) * size + entry, -1))
    right = _elsewhere(np.where(spoken, entry * size + after + 1, -1))
    often = np.minimum(np.log2(occurrences + 1).astype(np.int64), _COUNTS)
    of_entry = np.where(spoken, 3 * often + (left > 0) + (right > 0), 0)
    levels = np.zeros((len(entry) + 1, entry.shape[1]), dtype=np.int64)
    slots = np.arange(entry.shape[1])
    for own, level in zip(choice, of_entry, strict=True):
        levels[own, slots] = np.maximum(levels[own, slots], level)
    levels[0] = 0
    return levels


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
