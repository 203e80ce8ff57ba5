"""Building confusion networks: one member after another is aligned with those before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from services.merge.alignment import Ints
from services.merge.compounds import with_compounds
from services.merge.familiarity import familiarity
from services.merge.members import Column, Floats, Member, column
from services.merge.network import ConfusionNetwork
from services.merge.pairing import Line, pair
from services.merge.wording import Vocabulary

Number = TypeVar("Number", np.int64, np.float64)

_PLAIN = 0.98


def build_network(recordings: Sequence[Sequence[Member]]) -> ConfusionNetwork:
    """Align all members of each recording; the order of the members does not matter.

    Each recording may have other engines; an engine appears in it at most once.
    """
    vocabulary = Vocabulary()
    by_engine = [{member.engine: member for member in members} for members in recordings]
    engines = sorted({engine for members in by_engine for engine in members})
    columns = {
        engine: column([members.get(engine) for members in by_engine], vocabulary)
        for engine in engines
    }
    ranked = _most_typical_first(columns)
    places, recording = _progressive(columns, ranked, vocabulary)
    order = [ranked.index(engine) for engine in engines]
    network = _network(by_engine, engines, columns, vocabulary, places[order], recording)
    return with_compounds(network)


def _most_typical_first(columns: dict[str, Column]) -> list[str]:
    """Engines by how many of their word pairs others heard too: the best backbone comes first."""
    pairs = {
        engine: np.unique((c.recording[:-1] << 42) + (c.ids[:-1] << 21) + c.ids[1:])
        for engine, c in columns.items()
    }
    shared = {
        engine: sum(
            len(np.intersect1d(mine, theirs, assume_unique=True))
            for other, theirs in pairs.items()
            if other != engine
        )
        for engine, mine in pairs.items()
    }
    return sorted(columns, key=lambda engine: (-shared[engine], -len(columns[engine].ids), engine))


def _progressive(
    columns: dict[str, Column], ranked: Sequence[str], vocabulary: Vocabulary
) -> tuple[Ints, Ints]:
    """Each engine's word in every slot, -1 for none, shape (engines, slots); and the recordings."""
    letters = vocabulary.profiles()
    backbone = columns[ranked[0]]
    places = np.arange(len(backbone.ids))[None]
    recording = backbone.recording
    for added in range(1, len(ranked)):
        held = [columns[engine] for engine in ranked[:added]]
        new = columns[ranked[added]]
        slots = Line(
            _looked_up([c.ids for c in held], places, -1), recording, _mean_middle(held, places)
        )
        partner = pair(slots, Line(new.ids[None], new.recording, new.middle), letters)
        places, recording = _with_member(places, slots, new, partner)
    return places, recording


def _looked_up(
    columns: Sequence[npt.NDArray[Number]], places: Ints, missing: Number | float
) -> npt.NDArray[Number]:
    """What each engine has at its places, shape (engines, slots)."""
    return np.stack(
        [np.append(c, missing)[place] for c, place in zip(columns, places, strict=True)]
    )


def _mean_middle(columns: Sequence[Column], places: Ints) -> Floats:
    """Mean time of each slot's words; nan where none has a time."""
    times = _looked_up([c.middle for c in columns], places, np.nan)
    known = ~np.isnan(times)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, times, 0).sum(axis=0) / known.sum(axis=0))


def _with_member(places: Ints, slots: Line, new: Column, partner: Ints) -> tuple[Ints, Ints]:
    """The slots with one member more; words without a partner get slots of their own.

    Between the partners around it, such a word stands where its time puts it.
    """
    paired = np.flatnonzero(partner >= 0)
    alone = np.setdiff1d(np.arange(len(new.ids)), partner[paired], assume_unique=True)
    following = np.searchsorted(partner[paired], alone)
    bounds = np.concatenate([[-1], paired, [len(partner)]])
    low = np.maximum(
        bounds[following] + 1, np.searchsorted(slots.recording, new.recording[alone], "left")
    )
    high = np.minimum(
        bounds[following + 1], np.searchsorted(slots.recording, new.recording[alone], "right")
    )
    times = np.maximum.accumulate(np.nan_to_num(slots.middle + slots.recording * 1e12))
    when = np.searchsorted(
        times, np.nan_to_num(new.middle[alone], nan=np.inf) + new.recording[alone] * 1e12
    )
    before = np.maximum.accumulate(np.clip(when, low, high))
    rows = np.full((len(places) + 1, len(partner) + len(alone)), -1, dtype=np.int64)
    order = np.argsort(np.concatenate([2 * np.arange(len(partner)) + 1, 2 * before]), kind="stable")
    rows[:-1, : len(partner)] = places
    rows[-1, : len(partner)] = partner
    rows[-1, len(partner) :] = alone
    recording = np.concatenate([slots.recording, new.recording[alone]])
    return rows[:, order], recording[order]


def _network(
    by_engine: Sequence[dict[str, Member]],
    engines: Sequence[str],
    columns: dict[str, Column],
    vocabulary: Vocabulary,
    places: Ints,
    recording: Ints,
) -> ConfusionNetwork:
    ordered = [columns[engine] for engine in engines]
    entry = _looked_up([c.ids for c in ordered], places, -1)
    starts = [np.searchsorted(c.recording, np.arange(len(by_engine))) for c in ordered]
    first = [np.where(p >= 0, p - s[recording], -1) for p, s in zip(places, starts, strict=True)]
    present = np.array([[engine in members for members in by_engine] for engine in engines])
    family = {m.engine: m.family for members in by_engine for m in members.values()}
    return ConfusionNetwork(
        engines=tuple(engines),
        families=tuple(family[engine] for engine in engines),
        vocabulary=vocabulary,
        entry=entry,
        first=np.stack(first),
        count=(places >= 0).astype(np.int64),
        confidence=_looked_up([c.confidence for c in ordered], places, np.nan),
        middle=_looked_up([c.middle for c in ordered], places, np.nan),
        familiarity=familiarity(entry, recording),
        present=present[:, recording],
        recording=recording,
        written=np.array([_writes(by_engine, engine) for engine in engines]),
    )


def _writes(by_engine: Sequence[dict[str, Member]], engine: str) -> bool:
    """Whether an engine writes as people do: some capitals or punctuation, not all capitals."""
    words = [
        word.text for members in by_engine if engine in members for word in members[engine].words
    ]
    plain = sum(text == text.lower() and text[-1:].isalnum() for text in words)
    shouted = sum(text.isupper() and len(text) > 1 for text in words)
    return max(plain, shouted) < _PLAIN * len(words)
