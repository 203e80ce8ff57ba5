"""A confusion network as votes: which candidates a slot has and who is for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.merge.alignment import Ints
from services.merge.members import Floats
from services.merge.network import Bools, ConfusionNetwork

RUNS = 3
"""Classes of silences: of one slot, of two or three, of more."""

_LONGER_RUNS = np.array([2, 4])
_LEVELS = 5
_COPY = 0.003
"""Two recognisers that differ in a smaller share of slots are one, whatever they are called."""
_DOUBT = 2


@dataclass(frozen=True, slots=True)
class Steps:
    """An engine's own confidence in steps, lowest first; one step for an engine without."""

    edges: tuple[float, ...]
    """Confidences from which the second, third … step begins."""
    hits: Floats
    """How right words would spread over the steps, if confidences were what they say; sum 1."""
    errors: Floats
    """The same of wrong words."""


class Ballot:
    """Votes on slots; slots with the same votes may be held once, with a count.

    Candidate 0 is "nothing was said", candidate k the entry of engine k - 1, where no engine before
    it has the same.
    """

    def __init__(
        self,
        choice: Ints,
        step: Ints,
        familiarity: Ints,
        voice: Floats,
        steps: Sequence[Steps],
        count: Ints | None = None,
    ) -> None:
        """Take votes on slots.

        Args:
            choice: each engine's candidate, -1 where it did not hear the recording, shape
                (engines, slots).
            step: step of confidence of the engine's word, or class of the length of its silence.
            familiarity: level of every candidate, shape (engines + 1, slots).
            voice: weight of each engine's evidence; engines of a family share one.
            steps: of each engine.
            count: how many slots each stands for, 1 when left out.
        """
        self.choice, self.step, self.familiarity = choice, step, familiarity
        self.voice, self.steps = voice, tuple(steps)
        self.count = np.ones(choice.shape[1]) if count is None else count.astype(np.float64)
        self.speaks: Bools = choice > 0
        self.silent: Bools = choice == 0
        candidates = np.arange(len(choice) + 1)
        self.supports: Bools = choice[:, None] == candidates[:, None]
        self.possible: Bools = self.supports.any(axis=0) | (candidates == 0)[:, None]
        self.compared: Bools = self.speaks.sum(axis=0) > 1
        """Whether more than one engine speaks, so that words can be compared."""
        self.contested: Bools = self.supports.any(axis=0).sum(axis=0) > 1
        """Whether engines differ."""
        shortest = np.where(self.silent, step, RUNS).min(axis=0, initial=RUNS)
        self.lone_run = np.where(shortest == RUNS, 0, shortest)
        """Class of the shortest silence around what is spoken in the slot."""

    def voices(self, credible: Sequence[bool]) -> tuple[Floats, Floats]:
        """How many independent voices speak in each slot, and how many have heard it.

        Args:
            credible: which engines count; all when empty.
        """
        voice = self.voice * (np.array(credible) if len(credible) else 1.0)
        return voice @ self.speaks, voice @ (self.choice >= 0)

    def distinct(self) -> tuple[Ballot, Ints]:
        """The same votes, each combination once; and where each slot's is."""
        rows = np.concatenate([self.choice, self.step, self.familiarity]).astype(np.int8)
        _, first, where, count = np.unique(
            rows, axis=1, return_index=True, return_inverse=True, return_counts=True
        )
        distinct = Ballot(
            self.choice[:, first],
            self.step[:, first],
            self.familiarity[:, first],
            self.voice,
            self.steps,
            count,
        )
        return distinct, where.reshape(-1)


def make_ballot(
    network: ConfusionNetwork, edges: Mapping[str, tuple[float, ...]] | None = None
) -> Ballot:
    """The votes of a network; `edges` are where engines' steps of confidence begin, if known."""
    steps = [
        _steps(own, None if edges is None else edges[engine])
        for engine, own in zip(network.engines, network.confidence, strict=True)
    ]
    level = np.stack(
        [
            np.searchsorted(own.edges, np.nan_to_num(confidence), side="right")
            for own, confidence in zip(steps, network.confidence, strict=True)
        ]
    )
    choice = _choice(network)
    silences = _run_class(choice == 0, network.recording)
    return Ballot(
        choice=choice,
        step=np.where(choice > 0, level, silences),
        familiarity=_familiarity(network, choice),
        voice=_voices(network, choice),
        steps=steps,
    )


def _familiarity(network: ConfusionNetwork, choice: Ints) -> Ints:
    """The level of every candidate of every slot, shape (engines + 1, slots)."""
    levels = np.zeros((len(choice) + 1, choice.shape[1]), dtype=np.int64)
    slots = np.arange(choice.shape[1])
    for own, level in zip(choice, network.familiarity, strict=True):
        levels[own, slots] = np.maximum(levels[own, slots], level)
    levels[0] = 0
    return levels


def _voices(network: ConfusionNetwork, choice: Ints) -> Floats:
    """Weight of each engine: one voice for all that are of a family or as good as copies."""
    engines = range(len(choice))
    alike = np.eye(len(choice), dtype=np.bool_)
    for one in engines:
        for other in range(one):
            both = (choice[one] >= 0) & (choice[other] >= 0)
            differ = ((choice[one] != choice[other]) & both).sum() + _DOUBT
            family = (
                network.families[one] != "" and network.families[one] == network.families[other]
            )
            alike[one, other] = alike[other, one] = family or differ < _COPY * both.sum()
    return np.asarray(1 / alike.sum(axis=1))


def _choice(network: ConfusionNetwork) -> Ints:
    choice = np.where(network.present, 0, -1)
    for row, own in enumerate(network.entry):
        unseen = own >= 0
        for earlier in range(row + 1):
            same = unseen & (network.entry[earlier] == own)
            choice[row, same] = earlier + 1
            unseen &= ~same
    return choice


def _steps(confidence: Floats, edges: tuple[float, ...] | None) -> Steps:
    """Steps that hold equal shares of an engine's words."""
    known = confidence[~np.isnan(confidence)]
    if edges is None:
        found = (
            np.unique(np.quantile(known, np.arange(1, _LEVELS) / _LEVELS)) if known.size else known
        )
        edges = tuple(found[found > known.min(initial=1.0)].tolist())
    step = np.searchsorted(edges, known, side="right")
    share = np.bincount(step, minlength=len(edges) + 1).astype(np.float64)
    mean = np.bincount(step, known, len(edges) + 1) / np.maximum(share, 1)
    sure = np.clip(mean, 0.5, 0.98) if edges else np.array([0.9])
    hits, errors = sure * (share + 1), (1 - sure) * (share + 1)
    return Steps(edges, hits / hits.sum(), errors / errors.sum())


def _run_class(silent: Bools, recording: Ints) -> Ints:
    """Class of the length of each run, shape (engines, slots)."""
    classes = np.zeros(silent.shape, dtype=np.int64)
    border = np.diff(recording, prepend=-1) != 0
    for row, own in enumerate(silent):
        run = np.cumsum(border | (np.diff(own, prepend=False) != 0))
        classes[row] = np.searchsorted(_LONGER_RUNS, np.bincount(run)[run], side="right")
    return classes
