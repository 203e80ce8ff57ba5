"""Words that one engine writes as two and another as one, put to one vote.

Slot by slot, `school room` against `schoolroom` can come out as `schoolroom room`. Slots in which
that happens are joined, so that the two words stand against the one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from services.merge.alignment import Ints
from services.merge.members import Floats
from services.merge.network import Bools, ConfusionNetwork
from services.merge.wording import profiles

Array = TypeVar("Array", npt.NDArray[np.int64], npt.NDArray[np.float64])

_LONG = 6
_ALIKE = 0.85


def with_compounds(network: ConfusionNetwork) -> ConfusionNetwork:
    """The same network, each pair of slots that holds a compound in two spellings made one."""
    joined = _compound_starts(network)
    if not joined.size:
        return network
    kept = np.ones(len(network.recording), dtype=np.bool_)
    kept[joined + 1] = False
    second = joined + 1
    entry, first, confidence = network.entry.copy(), network.first.copy(), network.confidence.copy()
    middle, level = network.middle.copy(), network.familiarity.copy()
    entry[:, joined] = _joined_entries(network, joined)
    heard_first, heard_second = network.entry[:, joined] >= 0, network.entry[:, second] >= 0
    first[:, joined] = np.where(heard_first, first[:, joined], first[:, second])
    level[:, joined] = _joined(np.minimum, level, joined, heard_first, heard_second)
    confidence[:, joined] = _joined(np.minimum, confidence, joined, heard_first, heard_second)
    middle[:, joined] = _joined(_mean, middle, joined, heard_first, heard_second)
    count = network.count.copy()
    count[:, joined] += count[:, second]
    return replace(
        network,
        entry=entry[:, kept],
        first=first[:, kept],
        count=count[:, kept],
        confidence=confidence[:, kept],
        middle=middle[:, kept],
        familiarity=level[:, kept],
        present=network.present[:, kept],
        recording=network.recording[kept],
    )


def _mean(one: Floats, other: Floats) -> Floats:
    return (one + other) / 2


def _joined(
    combine: Callable[[Array, Array], Array],
    values: Array,
    joined: Ints,
    heard_first: Bools,
    heard_second: Bools,
) -> Array:
    """Values of joined slots: combined where an engine has words in both."""
    one, other = values[:, joined], values[:, joined + 1]
    either = np.where(heard_first, one, other)
    return np.where(heard_first & heard_second, combine(one, other), either)


def _joined_entries(network: ConfusionNetwork, joined: Ints) -> Ints:
    """Numbers of the joined slots' entries; two words become one entry with a space."""
    one, other = network.entry[:, joined], network.entry[:, joined + 1]
    entries = np.where(one >= 0, one, other)
    forms = network.vocabulary.forms
    for row, column in zip(*np.nonzero((one >= 0) & (other >= 0)), strict=True):
        form = f"{forms[one[row, column]]} {forms[other[row, column]]}"
        entries[row, column] = network.vocabulary.number_of_form(form)
    return entries


def _compound_starts(network: ConfusionNetwork) -> Ints:
    """First slots of the pairs to join; no slot is in two pairs."""
    one, other = network.entry[:, :-1], network.entry[:, 1:]
    same_recording = network.recording[:-1] == network.recording[1:]
    both = (one >= 0) & (other >= 0)
    single = (one >= 0) != (other >= 0)
    starts: list[int] = []
    for slot in np.flatnonzero(both.any(axis=0) & single.any(axis=0) & same_recording).tolist():
        if starts and slot == starts[-1] + 1:
            continue
        forms = network.vocabulary.forms
        words = {
            forms[max(one[row, slot], other[row, slot])] for row in np.flatnonzero(single[:, slot])
        }
        pairs = {
            (forms[one[row, slot]], forms[other[row, slot]])
            for row in np.flatnonzero(both[:, slot])
        }
        if any(_is_compound(word, pair) for word in words for pair in pairs):
            starts.append(slot)
    return np.array(starts, dtype=np.int64)


def _is_compound(word: str, pair: tuple[str, str]) -> bool:
    """Whether one word is two others in one, as engines hear them."""
    together = "".join(pair)
    if word == together:
        return True
    if word in pair or len(word) < _LONG or abs(len(word) - len(together)) > 1:
        return False
    one, other = profiles([word, together])
    return float(one @ other) >= _ALIKE
