"""Voices of many chunks told apart by their embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

BLOCK = 256
"""So many groups are compared at once; what keeps time and memory near linear."""
# What cosines between embeddings look like before anything is known of the engine. Embeddings of
# different people are seldom quite unlike; of one person they close about two thirds of the way
# from there to identity. Each counts as much as two observed pairs.
_USUAL_DIFFERENT = 0.2
_USUAL_GAIN = 0.65
_USUAL_PAIRS = 2


@dataclass(frozen=True)
class Likeness:
    """How alike embeddings of one engine are."""

    different: float
    """Cosine of two different people, typically."""
    threshold: float
    """Cosine above which two voices are rather the same person than not."""

    @property
    def doubtful(self) -> float:
        """Below this, even with other evidence or from little speech, it is not the same person."""
        return (self.different + self.threshold) / 2


def calibrate(different: Floats, same: Floats) -> Likeness:
    """Where to tell different from same, from cosines of pairs that are known to be one or other.

    Spaces differ: in one, strangers have a cosine of 0.1, in another of 0.8, so no fixed threshold
    serves. It is put halfway between the median of pairs known to be different and the median of
    pairs known to be the same; medians, because some of what is known is wrong. With few pairs
    both are drawn towards what is usual.
    """
    strangers = _drawn(different, _USUAL_DIFFERENT)
    selves = _drawn(same, strangers + _USUAL_GAIN * (1 - strangers))
    return Likeness(strangers, (strangers + max(selves, strangers)) / 2)


def _drawn(observed: Floats, usual: float) -> float:
    if not len(observed):
        return usual
    pairs = len(observed)
    return float(
        (pairs * np.median(observed) + _USUAL_PAIRS * usual) / (pairs + _USUAL_PAIRS)
    )


@dataclass(frozen=True)
class Voices:
    """Groups of embeddings, each thought to be of one person."""

    means: Floats
    """Mean of unit vectors, not of unit length itself, shape (n, d): the product of two means is
    the mean cosine over all pairs."""
    weights: Floats
    """Milliseconds of speech, shape (n,)."""
    chunks: npt.NDArray[np.bool_]
    """Which chunks the group is heard in, shape (n, chunks): two groups heard in one chunk are
    different people."""

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, rows: slice | Integers) -> Voices:
        return Voices(self.means[rows], self.weights[rows], self.chunks[rows])

    def similarity(self, others: Voices) -> Floats:
        """Mean cosine of each with each of the others, minus infinity for known strangers."""
        shared = self.chunks.astype(np.float32) @ others.chunks.T.astype(np.float32)
        cosines = self.means @ others.means.T
        cosines[shared > 0] = -np.inf
        return np.asarray(cosines)

    def grouped(self, labels: Integers) -> Voices:
        """One group per label, labels from 0."""
        size = int(labels.max()) + 1
        weights = np.zeros(size)
        np.add.at(weights, labels, self.weights)
        means = np.zeros((size, self.means.shape[1]))
        np.add.at(means, labels, self.means * self.weights[:, None])
        chunks = np.zeros((size, self.chunks.shape[1]), dtype=np.bool_)
        np.logical_or.at(chunks, labels, self.chunks)
        return Voices(means / weights[:, None], weights, chunks)


def cluster(
    voices: Voices, threshold: float, *, at_least: int = 1, at_most: int | None = None
) -> Integers:
    """A label from 0 for each group, equal for those of one person.

    Average linkage, never between two that are heard in one chunk (COP constraints, Wagstaff et
    al. 2001), down to the threshold; further while there are more than `at_most`, never below
    `at_least`. More than a block is clustered block by block, in order, and then the clusters of
    the blocks, so that ten hours take seconds.
    """
    labels = np.arange(len(voices))
    while len(voices) > BLOCK:
        found = np.empty(len(voices), dtype=np.intp)
        offset = 0
        for start in range(0, len(voices), BLOCK):
            part = _agglomerate(voices[start : start + BLOCK], threshold, at_least, None)
            found[start : start + BLOCK] = part + offset
            offset += int(part.max()) + 1
        before, voices, labels = len(voices), voices.grouped(found), found[labels]
        if len(voices) > 0.9 * before:
            break  # there is little more to gain block by block
    return _agglomerate(voices, threshold, at_least, at_most)[labels]


def _agglomerate(
    voices: Voices, threshold: float, at_least: int, at_most: int | None
) -> Integers:
    similarity = voices.similarity(voices)
    np.fill_diagonal(similarity, -np.inf)
    weights = voices.weights.copy()
    labels = np.arange(len(voices))
    nearest = similarity.argmax(axis=1)
    for groups in count(len(voices), -1):
        best = similarity[np.arange(len(nearest)), nearest]
        one = int(best.argmax())
        wanted = best[one] >= threshold or (at_most is not None and groups > at_most)
        if groups <= at_least or best[one] == -np.inf or not wanted:
            break
        other = int(nearest[one])
        _absorb(similarity, weights, one, other)
        labels[labels == other] = one
        stale = (nearest == one) | (nearest == other)
        stale[[one, other]] = True
        nearest[stale] = similarity[stale].argmax(axis=1)
        closer = similarity[:, one] > similarity[np.arange(len(nearest)), nearest]
        nearest[closer] = one
    return np.unique(labels, return_inverse=True)[1]


def _absorb(similarity: Floats, weights: Floats, one: int, other: int) -> None:
    """Average linkage by the formula of Lance & Williams (1967); constraints are inherited."""
    total = weights[one] + weights[other]
    merged = (weights[one] * similarity[one] + weights[other] * similarity[other]) / total
    merged[[one, other]] = -np.inf
    similarity[one], similarity[:, one] = merged, merged
    similarity[other], similarity[:, other] = -np.inf, -np.inf
    weights[one] = total


def place(strays: Voices, homes: Voices, threshold: float) -> Integers:
    """For each stray the group it is most alike, -1 where none reaches the threshold.

    The strays with the most speech choose first; no group takes two strays of one chunk, nor one
    of a chunk that it is heard in.
    """
    cosines = strays.means @ homes.means.T
    heard = homes.chunks.copy()
    found = np.full(len(strays), -1, dtype=np.intp)
    for stray in np.argsort(-strays.weights, kind="stable"):
        strangers = (heard & strays.chunks[stray]).any(axis=1)
        candidates = np.where(strangers, -np.inf, cosines[stray])
        best = int(candidates.argmax())
        if candidates[best] >= threshold and candidates[best] > -np.inf:
            found[stray] = best
            heard[best] |= strays.chunks[stray]
    return found
