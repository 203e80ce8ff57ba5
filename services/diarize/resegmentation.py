"""Where exactly one voice gives way to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.diarize.features import Floats, Indices, Speech
from services.diarize.gaussians import fit_mixture

_BLOCK = 10
"""Frames that are decided on at once: 100 ms."""
_COMPONENTS = 4
_FRAMES_PER_COMPONENT = 100
_FEWEST_FRAMES = 100
"""Voices with less than a second have no model, and their frames go to the others."""
_SWITCH = 10.0
"""Log-odds against a change of voice, within speech and, as turns often end in one, at a pause."""
_SWITCH_AT_PAUSE = 5.0
_ROUNDS = 2


def resegment(speech: Speech, labels: Indices) -> Indices:
    """Labels of frames, given labels that are right for most of them, shape (n,) both.

    Alternately fits a Gaussian mixture to each voice and lets a hidden Markov model with a state
    for each find the best sequence (Viterbi resegmentation, Tranter & Reynolds 2006, section II).
    """
    starts, first = _blocks(speech.regions)
    lengths = np.diff([*starts, len(labels)])
    penalties = np.where(first, _SWITCH_AT_PAUSE, _SWITCH)
    for _ in range(_ROUNDS):
        sizes = np.bincount(labels)
        voices = np.flatnonzero(sizes >= _FEWEST_FRAMES)
        if len(voices) == 0:
            return labels
        scores = np.stack(
            [_log_likelihoods(speech.cepstra, labels == voice) for voice in voices], axis=1
        )
        blocks = np.add.reduceat(scores, starts, axis=0) / _BLOCK
        labels = np.repeat(voices[viterbi(blocks, penalties)], lengths)
    return labels


def viterbi(scores: Floats, penalties: Floats) -> Indices:
    """The best sequence of states, shape (n,).

    Args:
        scores: log-likelihood of every step in each state, shape (n, k).
        penalties: what it costs to come to a step from another state, shape (n,).
    """
    count, states = scores.shape
    came_from = np.empty((count, states), dtype=np.intp)
    stay = np.arange(states)
    total = scores[0]
    for step in range(1, count):
        best = int(total.argmax())
        switched = total[best] - penalties[step]
        came_from[step] = np.where(total >= switched, stay, best)
        total = np.maximum(total, switched) + scores[step]
    path = np.empty(count, dtype=np.intp)
    path[-1] = total.argmax()
    for step in range(count - 1, 0, -1):
        path[step - 1] = came_from[step, path[step]]
    return path


def _blocks(regions: Sequence[slice]) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """First rows of blocks that do not reach over pauses, and which come after one."""
    starts, first = [], []
    for region in regions:
        count = max(1, round((region.stop - region.start) / _BLOCK))
        edges = np.linspace(region.start, region.stop, count + 1).astype(np.intp)[:-1]
        starts.append(edges)
        first.append(np.arange(count) == 0)
    return np.concatenate(starts), np.concatenate(first)


def _log_likelihoods(frames: Floats, own: npt.NDArray[np.bool_]) -> Floats:
    components = min(_COMPONENTS, max(1, int(own.sum()) // _FRAMES_PER_COMPONENT))
    return fit_mixture(frames[own], components).log_likelihoods(frames)
