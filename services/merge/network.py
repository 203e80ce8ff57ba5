"""Confusion networks: what every engine heard, slot by slot (Fiscus 1997, section 2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.merge.alignment import Ints
from services.merge.members import Floats
from services.merge.wording import Vocabulary

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ConfusionNetwork:
    """Slots in order, recordings one after another; arrays of shape (engines, slots) or (slots,).

    A slot holds of each engine one entry, which is a word, several words in place of another
    engine's one (`school room`, `schoolroom`), or none.
    """

    engines: tuple[str, ...]
    families: tuple[str, ...]
    vocabulary: Vocabulary
    entry: Ints
    """Vocabulary numbers, -1 for none."""
    first: Ints
    """Index of the entry's first word in the engine's words of its recording, -1 for none."""
    count: Ints
    """Words in the entry."""
    confidence: Floats
    """The engine's own confidence in the entry, nan for none."""
    middle: Floats
    """Middle of the entry on the engine's own clock, in milliseconds; nan for none."""
    familiarity: Ints
    """How much at home the entry is in the rest (`services.merge.familiarity`), 0 for none."""
    present: Bools
    """Whether the engine has heard the recording at all."""
    recording: Ints
    written: Bools
    """Engines that write capitals or punctuation, shape (engines,)."""
