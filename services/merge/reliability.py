"""How far each engine is to be believed, learned from agreement alone.

Expectation-maximisation over a confusion network after Dawid and Skene (1979). What was said in a
slot is hidden: a word that some engine heard, or nothing. An engine that heard it is right, one
that heard another word substitutes, one that heard nothing deletes, one that heard a word where
nothing was said inserts. Three things keep engines that err in the same way from taking over:

- insertions are counted per word said, not per slot: slots exist only where some engine spoke, so
  the many places where nobody inserted anything would be missing from the count;
- silence is told apart by its length. An engine that breaks off early is silent for long runs,
  which then say little, while its lone silences still count;
- of an engine that gives confidences, confident and doubtful words are counted separately, which
  calibrates it on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.merge.alignment import Ints
from services.merge.familiarity import LEVELS, familiarity
from services.merge.members import Floats
from services.merge.network import Bools, ConfusionNetwork

COINCIDENCE = 0.05
"""How likely two engines that both err hear the same wrong word."""

_ROUNDS = 40
_SETTLED = 1e-3
_LEVELS = 5
_PRIOR_WORDS = 20.0
_PRIOR_HIT, _PRIOR_SUBSTITUTION, _PRIOR_DELETION, _PRIOR_INSERTION = 0.89, 0.06, 0.05, 0.02
_RUNS = np.array([2, 4])
_DELETED_IN_RUN = np.array([0.6, 0.2, 0.2])
_INSERTED_IN_RUN = np.array([0.95, 0.04, 0.01])
"""Words that nobody said rarely come several in a row."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """What an engine does, as shares of the words said.

    Levels are steps of the engine's own confidence, lowest first; one level for an engine without.
    """

    levels: tuple[float, ...]
    """Confidences from which the second, third … level begins."""
    hit: tuple[float, ...]
    """By level: the word said."""
    substitution: tuple[float, ...]
    """By level: another word."""
    insertion: tuple[float, ...]
    """By level: a word where nothing was said, per word said."""
    deletion: tuple[float, float, float]
    """No word: alone, in a run of two or three, in a longer run."""

    @property
    def accuracy(self) -> float:
        """Share of the words said that it hears, less what it invents."""
        return sum(self.hit) - sum(self.insertion)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A confusion network as votes: candidates of each slot and who is for which.

    Candidate 0 is "nothing was said"; the others are the distinct entries of the slot.
    """

    candidates: Ints
    """Vocabulary numbers, -1 for nothing, -2 for no candidate, shape (engines + 1, slots)."""
    supports: Bools
    """Shape (engines, engines + 1, slots)."""
    silent: Bools
    """Engine is present and has no word, shape (engines, slots)."""
    speaks: Bools
    step: Ints
    """Level of the engine's word, or class of the length of its silence, (engines, slots)."""
    levels: tuple[tuple[float, ...], ...]
    voice: Floats
    """Weight of each engine's evidence: one shared by the engines of a family."""
    familiarity: Ints
    """Level of each candidate (`services.merge.familiarity`), shape (engines + 1, slots)."""


def make_ballot(
    network: ConfusionNetwork, reliability: Mapping[str, Reliability] | None = None
) -> Ballot:
    """Candidates and votes of every slot; levels as in `reliability` where it is given."""
    speaks = network.present & (network.entry >= 0)
    silent = network.present & (network.entry < 0)
    levels = tuple(
        _levels(network.confidence[row]) if reliability is None else reliability[engine].levels
        for row, engine in enumerate(network.engines)
    )
    level = np.stack(
        [
            np.searchsorted(edges, np.nan_to_num(own), side="right")
            for edges, own in zip(levels, network.confidence, strict=True)
        ]
    )
    candidates = _candidates(network.entry)
    families = [
        family or f"\0{engine}"
        for family, engine in zip(network.families, network.engines, strict=True)
    ]
    return Ballot(
        candidates=candidates,
        supports=(network.entry[:, None] == candidates[None]) & network.present[:, None],
        silent=silent,
        speaks=speaks,
        step=np.where(speaks, level, _run_class(silent, network.recording)),
        levels=levels,
        voice=np.array([1 / families.count(family) for family in families]),
        familiarity=familiarity(network, candidates),
    )


def _candidates(entry: Ints) -> Ints:
    candidates = np.full((len(entry) + 1, entry.shape[1]), -2, dtype=np.int64)
    candidates[0] = -1
    for row, own in enumerate(entry):
        new = (own >= 0) & ~(own == candidates[: row + 1]).any(axis=0)
        candidates[row + 1, new] = own[new]
    return candidates


def _levels(confidence: Floats) -> tuple[float, ...]:
    """Confidences that part an engine's words into equal shares."""
    known = confidence[~np.isnan(confidence)]
    if not known.size:
        return ()
    edges = np.unique(np.quantile(known, np.arange(1, _LEVELS) / _LEVELS))
    return tuple(edges[edges > known.min()].tolist())


def _run_class(silent: Bools, recording: Ints) -> Ints:
    """0 for a silence of one slot, 1 for two or three, 2 for more; shape (engines, slots)."""
    classes = np.zeros(silent.shape, dtype=np.int64)
    if silent.size:
        border = np.diff(recording, prepend=-1) != 0
        for row, own in enumerate(silent):
            run = np.cumsum(border | (np.diff(own, prepend=False) != 0))
            classes[row] = np.searchsorted(_RUNS, np.bincount(run)[run], side="right")
    return classes


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learned of a network."""

    ballot: Ballot
    reliability: dict[str, Reliability]
    posterior: Floats
    """Probability of every candidate, shape (engines + 1, slots)."""


def fit(
    network: ConfusionNetwork,
    weights: Mapping[str, float] | None = None,
    reliability: Mapping[str, Reliability] | None = None,
) -> Fit:
    """Engines' reliability, unless it is given, and every slot's probabilities, learned together.

    Args:
        network: one long recording or many short ones; the more words, the better.
        weights: how far engines are trusted beforehand (1 when left out); worth as much as having
            seen them on some twenty words, so that it matters for short recordings only.
        reliability: learned before, for every engine of the network.
    """
    trust = np.array([(weights or {}).get(engine, 1.0) for engine in network.engines])
    ballot = make_ballot(network, reliability)
    votes = np.einsum("e,eks->ks", trust * ballot.voice, ballot.supports)
    posterior = votes / np.maximum(votes.sum(axis=0), 1e-9)
    known = [] if reliability is None else [reliability[engine] for engine in network.engines]
    found = known
    for _ in range(_ROUNDS):
        found = known or [
            _counted(ballot, row, posterior, network.confidence[row], trust[row])
            for row in range(len(network.engines))
        ]
        before = posterior
        posterior = posteriors(ballot, found, _familiar(ballot, posterior))
        if np.abs(posterior - before).max(initial=0) < _SETTLED:
            break
    return Fit(ballot, dict(zip(network.engines, found, strict=True)), posterior)


def learn_weights(
    network: ConfusionNetwork, weights: Mapping[str, float] | None = None
) -> dict[str, Reliability]:
    """Each engine's reliability, from how the engines agree in the network; see `fit`."""
    return fit(network, weights).reliability


def _familiar(ballot: Ballot, posterior: Floats) -> Floats:
    """How much likelier words that were said are to have each level than words that were not.

    Logarithms, shape (levels,).
    """
    words = ballot.candidates >= 0
    compared = words & (ballot.speaks.sum(axis=0) > 1)
    level, right = ballot.familiarity[compared], posterior[compared]
    true = np.bincount(level, right, LEVELS)
    false = np.bincount(level, 1 - right, LEVELS)
    usual = np.bincount(level, minlength=LEVELS) + 1e-3
    usual = _PRIOR_WORDS * usual / usual.sum()
    strange = usual / (1 + np.arange(LEVELS) / 6)
    true, false = true + usual, false + strange * usual.sum() / strange.sum()
    return np.asarray(np.log(true / true.sum()) - np.log(false / false.sum()))


def _counted(
    ballot: Ballot, row: int, posterior: Floats, confidence: Floats, trust: float
) -> Reliability:
    """Expected counts of what one engine did, with the prior, as shares (the M step)."""
    speaks, silent, step = ballot.speaks[row], ballot.silent[row], ballot.step[row]
    checked = speaks & (ballot.speaks.sum(axis=0) > 1)
    said = 1 - posterior[0]
    right = (ballot.supports[row, 1:] * posterior[1:]).sum(axis=0)
    size = len(ballot.levels[row]) + 1
    prior = _PRIOR_WORDS * _confidence_prior(confidence[speaks], step[speaks], size)
    error = prior[1] / trust
    hit = np.bincount(step[checked], right[checked], size) + _PRIOR_HIT * prior[0]
    substituted = np.bincount(step[checked], (said - right)[checked], size)
    substituted += _PRIOR_SUBSTITUTION * error
    inserted = np.bincount(step[speaks], posterior[0][speaks], size) + _PRIOR_INSERTION * error
    deleted = np.bincount(step[silent], said[silent], 3)
    deleted = deleted + _PRIOR_WORDS * _PRIOR_DELETION * _DELETED_IN_RUN / trust
    words = said[speaks | silent].sum() + _PRIOR_WORDS
    heard = (1 - deleted.sum() / words) / (hit.sum() + substituted.sum())
    alone, few, many = (deleted / words).tolist()
    return Reliability(
        levels=ballot.levels[row],
        hit=tuple((heard * hit).tolist()),
        substitution=tuple((heard * substituted).tolist()),
        insertion=tuple((inserted / words).tolist()),
        deletion=(alone, few, many),
    )


def _confidence_prior(confidence: Floats, level: Ints, size: int) -> Floats:
    """How hits and errors spread over levels, if confidences were what they say; rows add up to 1.

    Shape (2, levels): hits, errors.
    """
    if size == 1:
        return np.ones((2, 1))
    share = np.maximum(np.bincount(level, minlength=size), 1)
    sure = np.clip(np.bincount(level, np.nan_to_num(confidence), size) / share, 0.5, 0.98)
    spread = np.stack([sure * share, (1 - sure) * share])
    return np.asarray(spread / spread.sum(axis=1, keepdims=True))


def posteriors(ballot: Ballot, reliability: list[Reliability], familiar: Floats) -> Floats:
    """Probability of every candidate, shape (engines + 1, slots) (the E step)."""
    with np.errstate(divide="ignore"):
        score = np.where(ballot.candidates == -2, -np.inf, 0.0)
    spoken = ballot.speaks.sum(axis=0)
    score[0] += np.log(COINCIDENCE) * np.maximum(spoken - 1, 0)
    known = np.where(ballot.candidates[1:] >= 0, familiar[ballot.familiarity[1:]], -np.inf)
    score[1:] += known - known.max(axis=0, initial=-1e9)
    shortest = np.where(ballot.silent, ballot.step, 2).min(axis=0)
    score[0] += np.log(_INSERTED_IN_RUN)[np.where(ballot.silent.any(axis=0), shortest, 0)]
    for row, engine in enumerate(reliability):
        speaks, silent, step = ballot.speaks[row], ballot.silent[row], ballot.step[row]
        voice = ballot.voice[row]
        score[0, silent] += voice * np.log1p(-min(sum(engine.insertion), 0.5))
        score[1:, silent] += voice * np.log(engine.deletion)[step[silent]]
        spoken_step = step[speaks]
        score[0, speaks] += voice * np.log(engine.insertion)[spoken_step]
        score[1:, speaks] += voice * np.where(
            ballot.supports[row, 1:, speaks].T,
            np.log(engine.hit)[spoken_step],
            np.log(COINCIDENCE * np.array(engine.substitution))[spoken_step],
        )
    weight = np.exp(score - score.max(axis=0, initial=-1e9))
    return np.asarray(weight / np.maximum(weight.sum(axis=0), 1e-300))
