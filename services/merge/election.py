"""The winners of a confusion network as words: whose spelling, whose times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, islice, pairwise

import numpy as np

from services.merge.alignment import Ints
from services.merge.members import Floats, Member
from services.merge.network import Bools, ConfusionNetwork
from services.merge.reliability import Fit
from services.merge.timeline import Times, filled, without_overlaps
from voxmesh_schemas import HypothesisWord


@dataclass(frozen=True, slots=True)
class Alternative:
    """What other engines heard."""

    text: str
    """Empty: nothing."""
    confidence: float
    engines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VotedWord:
    """A word of the joint result, on the members' timeline."""

    text: str
    """As the most reliable engine that agrees writes it."""
    start_ms: int
    end_ms: int
    confidence: float | None
    """Posterior of the slot's winner; a sole member's own confidence."""
    agreement: float
    """Share of the recording's engines that heard it."""
    engines: tuple[str, ...]
    """The engines that heard it."""
    alternatives: tuple[Alternative, ...] = ()
    """Likeliest first."""
    language: str | None = None


class Election:
    """A confusion network after the vote."""

    def __init__(self, network: ConfusionNetwork, fitted: Fit) -> None:
        posterior, supports = _sobered(fitted.posterior), fitted.ballot.supports
        self._network = network
        self._supports = supports
        self._posterior = posterior
        self._winner = posterior.argmax(axis=0)
        self._contested = fitted.ballot.contested
        agree = supports[:, self._winner, np.arange(len(self._winner))]
        timed = ~np.isnan(network.middle)
        accuracy = np.array([fitted.reliability[engine].accuracy for engine in network.engines])
        timing = _timing_order(network, accuracy)
        timer = _first_of(timing, timed & agree)
        self._agree = agree
        self._present = network.present.sum(axis=0)
        self._spelling = np.lexsort((-accuracy, ~network.written))
        self._speller = _first_of(self._spelling, agree)
        self._timer = np.where(timer >= 0, timer, _first_of(timing, timed))

    def words(self, recording: int, members: Sequence[Member]) -> list[VotedWord]:
        """The winners of one recording, whose members are given."""
        network = self._network
        by_engine = {member.engine: member.words for member in members}
        heard = [by_engine.get(engine, ()) for engine in network.engines]
        start, end = np.searchsorted(network.recording, [recording, recording + 1]).tolist()
        slots = start + np.flatnonzero(self._winner[start:end])
        shown = [
            (slot, self._entry(slot, int(self._speller[slot]), heard)) for slot in slots.tolist()
        ]
        times = [span for slot, chosen in shown for span in self._times(slot, len(chosen), heard)]
        spans = iter(without_overlaps(filled(times)))
        return [
            word
            for slot, chosen in shown
            for word in self._voted(slot, chosen, list(islice(spans, len(chosen))), heard)
        ]

    def _entry(
        self, slot: int, row: int, heard: Sequence[Sequence[HypothesisWord]]
    ) -> Sequence[HypothesisWord]:
        """The words that an engine has in a slot."""
        first = int(self._network.first[row, slot])
        return heard[row][first : first + int(self._network.count[row, slot])]

    def _voted(
        self,
        slot: int,
        chosen: Sequence[HypothesisWord],
        spans: Sequence[Times],
        heard: Sequence[Sequence[HypothesisWord]],
    ) -> list[VotedWord]:
        """The words shown in a slot."""
        engines = self._engines(self._agree[:, slot])
        alternatives = self._alternatives(slot, heard) if self._contested[slot] else ()
        confidence = float(self._posterior[self._winner[slot], slot])
        return [
            VotedWord(
                text=word.text,
                start_ms=start,
                end_ms=end,
                confidence=confidence,
                agreement=len(engines) / int(self._present[slot]),
                engines=engines,
                alternatives=alternatives,
                language=word.language,
            )
            for word, (start, end) in zip(chosen, spans, strict=True)
        ]

    def _engines(self, mask: Bools) -> tuple[str, ...]:
        return tuple(compress(self._network.engines, mask.tolist()))

    def _alternatives(
        self, slot: int, heard: Sequence[Sequence[HypothesisWord]]
    ) -> tuple[Alternative, ...]:
        found = []
        for candidate in np.argsort(-self._posterior[:, slot], kind="stable").tolist():
            backers = self._supports[:, candidate, slot]
            if candidate == self._winner[slot] or not backers.any():
                continue
            row = int(_first_of(self._spelling, backers[:, None])[0])
            words = self._entry(slot, row, heard) if candidate else ()
            text = " ".join(word.text for word in words)
            confidence = float(self._posterior[candidate, slot])
            found.append(Alternative(text, confidence, self._engines(backers)))
        return tuple(found)

    def _times(
        self, slot: int, count: int, heard: Sequence[Sequence[HypothesisWord]]
    ) -> list[Times | None]:
        """Times of the words shown in a slot, from its best-timed engine; None where none has."""
        row = int(self._timer[slot])
        if row < 0:
            return [None] * count
        timed = self._entry(slot, row, heard)
        if len(timed) == count:
            return [(word.start_ms, word.end_ms) for word in timed]
        marks = np.linspace(timed[0].start_ms, timed[-1].end_ms, count + 1).round().astype(int)
        return list(pairwise(marks.tolist()))


def _sobered(posterior: Floats) -> Floats:
    """Probabilities as half of the evidence would give them.

    Engines find the same words hard, so that two votes are worth less than two independent ones.
    """
    halved = np.sqrt(posterior)
    return np.asarray(halved / halved.sum(axis=0))


def _first_of(order: Ints, mask: Bools) -> Ints:
    """The first engine in an order for which each slot's mask holds, -1 for none."""
    return np.where(mask.any(axis=0), order[mask[order].argmax(axis=0)], -1)


def _timing_order(network: ConfusionNetwork, accuracy: Floats) -> Ints:
    """Engines by how close their times are to the mean of all; the more accurate first in a tie."""
    known = ~np.isnan(network.middle)
    middle = np.where(known, network.middle, 0.0)
    centre = middle.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    off = np.where(known, np.abs(middle - centre), 0.0).sum(axis=1)
    off /= np.maximum(known.sum(axis=1), 1)
    return np.lexsort((-accuracy, off.round(), ~known.any(axis=1)))
