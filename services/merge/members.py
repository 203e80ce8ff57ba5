"""What goes into a vote: each engine's words, for one recording or many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.merge.alignment import Ints
from services.merge.wording import Vocabulary
from voxmesh_schemas import HypothesisWord

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Member:
    """One engine's words for one recording, in order."""

    engine: str
    words: Sequence[HypothesisWord]
    timed: bool = True
    """Whether the words' times mean anything; they are all 0 where an engine gives none."""
    family: str = ""
    """Engines of one family make the same mistakes and share one voice; empty: a voice alone."""

    @classmethod
    def from_text(cls, engine: str, text: str, *, family: str = "") -> Member:
        """A member without times and confidences."""
        words = tuple(HypothesisWord(text=word, start_ms=0, end_ms=0) for word in text.split())
        return cls(engine, words, timed=False, family=family)


@dataclass(frozen=True, slots=True)
class Column:
    """All words of one engine, recordings one after another, as arrays of one length."""

    ids: Ints
    recording: Ints
    middle: Floats
    """In milliseconds; nan where the engine gives no times."""
    confidence: Floats
    """nan where the engine gives none."""


def column(members: Sequence[Member | None], vocabulary: Vocabulary) -> Column:
    """One engine's members of all recordings; None where it was lost."""
    ids: list[int] = []
    recording: list[int] = []
    middle: list[float] = []
    confidence: list[float] = []
    for index, member in enumerate(members):
        if member is None:
            continue
        recording += [index] * len(member.words)
        for word in member.words:
            ids.append(vocabulary.number(word.text))
            middle.append((word.start_ms + word.end_ms) / 2 if member.timed else np.nan)
            confidence.append(np.nan if word.confidence is None else word.confidence)
    return Column(
        np.array(ids, dtype=np.int64),
        np.array(recording, dtype=np.int64),
        np.array(middle, dtype=np.float64),
        np.array(confidence, dtype=np.float64),
    )
