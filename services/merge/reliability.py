"""How far each engine is to be believed, learned from agreement alone.

Expectation-maximisation over a confusion network after Dawid and Skene (1979). What was said in a
slot is hidden: a word that some engine heard, or nothing. An engine that heard it is right, one
that heard another word substitutes, one that heard nothing deletes, one that heard a word where
nothing was said inserts. Beyond that paper:

- insertions are counted per word said, not per slot: slots exist only where some engine spoke, so
  the many places where nobody inserted anything would be missing from the count;
- silences are told apart by length: an engine that breaks off early is silent for long, which then
  says little, while its lone silences still count;
- an engine's words are counted only where another one speaks, and its silences only where two
  others do, if there are so many: nobody corroborates itself;
- of an engine that gives confidences, confident and doubtful words are counted separately, which
  calibrates it on the way;
- words that occur nowhere else are less likely to be right (`services.merge.familiarity`);
- what one start leads to may be no more than a way of looking at things that feeds itself (all
  others broke off, or this one made it up): of several starts the likeliest outcome is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.merge.ballot import RUNS, Ballot, make_ballot
from services.merge.familiarity import LEVELS
from services.merge.members import Floats
from services.merge.network import ConfusionNetwork

_COINCIDENCE = 0.05
"""How likely two engines that both err hear the same wrong word."""

_FIRST_ROUNDS = 10
_ROUNDS = 60
_SETTLED = 1e-3
_CREDIBLE = 0.5
"""An engine with less accuracy than this vouches for nothing."""
_ONE, _THREE = 1.01, 2.99
"""More than one voice; fewer than three."""
_INSERTED_TO_SUBSTITUTED, _DELETED_TO_SUBSTITUTED = 0.25, 0.4
"""Recognisers substitute most, delete less and insert least."""
_TRUST = (0.1, 10.0)
_PRIOR_WORDS = 20.0
_PRIOR_HIT, _PRIOR_SUBSTITUTION, _PRIOR_DELETION, _PRIOR_INSERTION = 0.89, 0.06, 0.05, 0.02
_DELETED_IN_RUN = np.array([0.6, 0.2, 0.2])
_INSERTED_IN_RUN = np.array([0.98, 0.018, 0.002])
"""Words that nobody said rarely come several in a row."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """What an engine does, as shares of the words said.

    By step of the engine's own confidence, lowest first; one step for an engine without.
    """

    edges: tuple[float, ...]
    """Confidences from which the second, third … step begins."""
    hit: tuple[float, ...]
    """By step: the word said."""
    substitution: tuple[float, ...]
    """By step: another word."""
    insertion: tuple[float, ...]
    """By step: a word where nothing was said."""
    deletion: tuple[float, ...]
    """No word: alone, in a run of two or three, in a longer run."""

    @property
    def accuracy(self) -> float:
        """Share of the words said that it hears, less what it invents."""
        return sum(self.hit) - sum(self.insertion)


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learned of a network."""

    ballot: Ballot
    reliability: dict[str, Reliability]
    posterior: Floats
    """Probability of every candidate, shape (engines + 1, slots)."""


@dataclass(frozen=True, slots=True)
class _Model:
    """All that is learned: each engine's reliability and what familiarity tells."""

    engines: tuple[Reliability, ...]
    familiar: Floats
    """Logarithm of how much likelier a word that was said is to have a level than one that was
    not, for words alone in a slot and words beside others, shape (2, levels)."""
    strange: Floats
    """Logarithm of the probability of each level among words that were not said, (2, levels)."""


def learn_weights(
    network: ConfusionNetwork, weights: Mapping[str, float] | None = None
) -> dict[str, Reliability]:
    """Each engine's reliability, from how the engines agree in the network; see `fit`."""
    return fit(network, weights).reliability


def fit(
    network: ConfusionNetwork,
    weights: Mapping[str, float] | None = None,
    reliability: Mapping[str, Reliability] | None = None,
) -> Fit:
    """Engines' reliability, unless it is given, and every slot's probabilities, learned together.

    Args:
        network: one long recording or many short ones; the more words, the better.
        weights: how far engines are trusted beforehand, 0.1 to 10, 1 when left out; worth as much
            as having seen them on some twenty words, so that it matters for short recordings only.
        reliability: learned before, for every engine of the network.
    """
    trust = np.clip([(weights or {}).get(e, 1.0) for e in network.engines], *_TRUST)
    edges = None if reliability is None else {e: reliability[e].edges for e in network.engines}
    known = () if reliability is None else tuple(reliability[e] for e in network.engines)
    ballot = make_ballot(network, edges)
    distinct, where = ballot.distinct()
    outcomes = [
        _settle(distinct, start, trust, known, _FIRST_ROUNDS) for start in _starts(distinct, trust)
    ]
    best = max(outcomes, key=lambda outcome: outcome[1])
    posterior, _, model = _settle(distinct, best[0], trust, known, _ROUNDS)
    return Fit(
        ballot=ballot,
        reliability=dict(zip(network.engines, model.engines, strict=True)),
        posterior=posterior[:, where],
    )


def _starts(ballot: Ballot, trust: Floats) -> Iterator[Floats]:
    """Beliefs to begin with: the vote without and with silences, and each engine's own."""
    voice = trust * ballot.voice
    votes = np.einsum("e,eks->ks", voice, ballot.supports)
    spoken = votes.copy()
    spoken[0] = 0
    for belief in (spoken, votes, *(votes + 2 * voice.sum() * own for own in ballot.supports)):
        belief = belief + 1e-3 * ballot.possible
        yield belief / belief.sum(axis=0)


def _settle(
    ballot: Ballot,
    posterior: Floats,
    trust: Floats,
    known: Sequence[Reliability],
    rounds: int,
) -> tuple[Floats, float, _Model]:
    """Learn and judge in turn until nothing changes.

    Returns:
        Posteriors, the logarithm of how likely all that was heard is, and what was learned.
    """
    engines = tuple(known)
    for _ in range(rounds):
        if not known:
            voices = ballot.voices([engine.accuracy > _CREDIBLE for engine in engines])
            engines = tuple(
                _learned(ballot, row, posterior, trust[row], *voices)
                for row in range(len(ballot.choice))
            )
        model = _Model(engines, *_learned_familiarity(ballot, posterior))
        before = posterior
        posterior, likelihood = _judged(ballot, model)
        if np.abs(posterior - before).max(initial=0) < _SETTLED:
            break
    return posterior, likelihood, model


def _learned(
    ballot: Ballot, row: int, posterior: Floats, trust: float, speaking: Floats, hearing: Floats
) -> Reliability:
    """Expected counts of what one engine did, with the prior, as shares (the M step).

    Of two voices nobody can tell whether one missed a word or the other made it up. There the
    engine that substitutes more is taken to do more of either.
    """
    speaks, silent, step = ballot.speaks[row], ballot.silent[row], ballot.step[row]
    steps = ballot.steps[row]
    size = len(steps.hits)
    said = (1 - posterior[0]) * ballot.count
    right = (ballot.supports[row, 1:] * posterior[1:]).sum(axis=0) * ballot.count
    error = steps.errors / trust

    checked = speaks & ballot.compared
    hit = _PRIOR_WORDS * _PRIOR_HIT * steps.hits
    hit += np.bincount(step[checked], right[checked], size)
    substituted = _PRIOR_WORDS * _PRIOR_SUBSTITUTION * error
    substituted += np.bincount(step[checked], (said - right)[checked], size)
    share = substituted.sum() / (hit.sum() + substituted.sum())

    between_two = (speaks | silent) & (hearing < _THREE)
    assumed = said[between_two].sum() * share
    words = said[speaks | silent].sum() + said[between_two].sum() + _PRIOR_WORDS
    inserted = _PRIOR_WORDS * _PRIOR_INSERTION * error
    inserted += assumed * _INSERTED_TO_SUBSTITUTED * steps.errors
    inserted += np.bincount(step[speaks], (posterior[0] * ballot.count)[speaks], size)

    counted = (speaks | silent) & ((speaking > _ONE) | (hearing < _THREE))
    missed = silent & counted
    deleted = _PRIOR_WORDS * _PRIOR_DELETION * _DELETED_IN_RUN / trust
    deleted += assumed * _DELETED_TO_SUBSTITUTED * _DELETED_IN_RUN
    deleted += np.bincount(step[missed], said[missed], RUNS)
    deleted /= said[counted].sum() + said[between_two].sum() + _PRIOR_WORDS
    heard = (1 - deleted.sum()) / (hit.sum() + substituted.sum())
    return Reliability(
        edges=steps.edges,
        hit=tuple((heard * hit).tolist()),
        substitution=tuple((heard * substituted).tolist()),
        insertion=tuple((inserted / words).tolist()),
        deletion=tuple(deleted.tolist()),
    )


def _learned_familiarity(ballot: Ballot, posterior: Floats) -> tuple[Floats, Floats]:
    """What levels of familiarity tell: `familiar` and `strange` of the model.

    Beforehand the less familiar of two words is taken to be the likelier error.
    """
    familiar, strange = np.zeros((2, 2, LEVELS))
    for beside in (0, 1):
        words = ballot.possible & (ballot.compared == beside)
        words[0] = False
        level = ballot.familiarity[words]
        count = np.broadcast_to(ballot.count, words.shape)[words]
        true = np.bincount(level, posterior[words] * count, LEVELS)
        false = np.bincount(level, (1 - posterior[words]) * count, LEVELS)
        usual = true + false + 1e-3
        odd = usual / (1 + np.arange(LEVELS) / 6)
        true = true + _PRIOR_WORDS * usual / usual.sum()
        false = false + _PRIOR_WORDS * odd / odd.sum()
        strange[beside] = np.log(false / false.sum())
        familiar[beside] = np.log(true / true.sum()) - strange[beside]
    return familiar, strange


def _judged(ballot: Ballot, model: _Model) -> tuple[Floats, float]:
    """Probability of every candidate (the E step), and the log-likelihood of the votes."""
    beside = ballot.compared.astype(np.int64)
    familiar = model.familiar[beside, ballot.familiarity]
    score = np.where(ballot.possible, familiar, -np.inf)
    spoken = ballot.speaks.sum(axis=0)
    score[0] = np.log(_COINCIDENCE) * np.maximum(spoken - 1, 0)
    score[0] += np.log(_INSERTED_IN_RUN)[ballot.lone_run]
    for row, engine in enumerate(model.engines):
        speaks, silent, step = ballot.speaks[row], ballot.silent[row], ballot.step[row]
        voice = ballot.voice[row]
        score[0, silent] += voice * np.log1p(-min(sum(engine.insertion), 0.5))
        score[1:, silent] += voice * np.log(engine.deletion)[step[silent]]
        score[0, speaks] += voice * np.log(engine.insertion)[step[speaks]]
        score[1:, speaks] += voice * np.where(
            ballot.supports[row, 1:, speaks].T,
            np.log(engine.hit)[step[speaks]],
            np.log(_COINCIDENCE * np.array(engine.substitution))[step[speaks]],
        )
    top = score.max(axis=0, initial=-1e9)
    weight = np.exp(score - top)
    total = weight.sum(axis=0)
    strange = model.strange[beside, ballot.familiarity[1:]]
    wrong = np.where(ballot.possible[1:], strange, 0).sum(axis=0)
    likelihood = float(((top + np.log(total) + wrong) * ballot.count).sum())
    return weight / total, likelihood
