"""Groups of many chunks told apart by their embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

BLOCK = 256
"""So many groups are compared at once; what keeps time and memory near linear."""
ENOUGH_SPEECH_MS = 2_000
"""Less speech than this makes an embedding that is not to be relied on."""
HALF_TRUST_MS = 3_000
"""With so much more than that, an embedding is trusted half."""

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

    def needed(self, speech_ms: float) -> float:
        """Cosine with someone at which a voice of so much speech is not a person of its own.

        The less speech, the noisier the embedding and the less it can prove someone new: the
        threshold for a long voice, hardly more than strangers have for one of two seconds, and
        whatever it is for less.
        """
        beyond_ms = speech_ms - ENOUGH_SPEECH_MS
        if beyond_ms < 0:
            return -1.0
        trust = beyond_ms / (beyond_ms + HALF_TRUST_MS)
        return self.different + trust * (self.threshold - self.different)


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
    return float((pairs * np.median(observed) + _USUAL_PAIRS * usual) / (pairs + _USUAL_PAIRS))


@dataclass(frozen=True)
class Groups:
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

    def __getitem__(self, rows: slice | npt.NDArray[np.bool_]) -> Groups:
        return Groups(self.means[rows], self.weights[rows], self.chunks[rows])

    def similarity(self, others: Groups) -> Floats:
        """Mean cosine of each with each of the others, minus infinity for known strangers."""
        both = self.chunks.any(axis=0) & others.chunks.any(axis=0)
        shared = self.chunks[:, both].astype(np.float32) @ others.chunks[:, both].T
        cosines = self.means @ others.means.T
        cosines[shared > 0] = -np.inf
        return np.asarray(cosines)

    def grouped(self, labels: Integers) -> Groups:
        """One group per label, labels from 0."""
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(labels[order], np.arange(int(labels.max()) + 1))
        weights = np.add.reduceat(self.weights[order], starts)
        sums = np.add.reduceat((self.means * self.weights[:, None])[order], starts)
        chunks = np.logical_or.reduceat(self.chunks[order], starts)
        return Groups(sums / weights[:, None], weights, chunks)


def tell_apart(
    groups: Groups, likeness: Likeness, *, at_least: int = 1, at_most: int | None = None
) -> Integers:
    """A label from 0 for each group, equal for those of one person.

    Average linkage, never between two that are heard in one chunk (cannot-link constraints,
    Wagstaff et al. 2001), down to the threshold. Groups of little speech then join the one they are
    most like without reaching it, for their embeddings are noisy (`Likeness.needed`). Last, groups
    are joined while there are more than `at_most`. At no step are there fewer than `at_least`.
    """
    long = groups.weights >= ENOUGH_SPEECH_MS
    labels = np.arange(len(groups))
    if long.any():
        labels[long] = _in_blocks(groups[long], likeness.threshold, at_least)
        labels[~long] = labels[long].max() + 1 + np.arange(int((~long).sum()))
    labels = _settle(groups.grouped(labels), likeness, at_least)[labels]
    settled = groups.grouped(labels)
    return _agglomerate(settled, likeness.threshold, at_least, at_most)[labels]


def _in_blocks(groups: Groups, threshold: float, at_least: int) -> Integers:
    """Cluster block by block, in order, then the clusters of the blocks: near linear."""
    labels = np.arange(len(groups))
    while len(groups) > BLOCK:
        found = np.empty(len(groups), dtype=np.intp)
        clusters = 0
        for start in range(0, len(groups), BLOCK):
            part = _agglomerate(groups[start : start + BLOCK], threshold, at_least, None)
            found[start : start + BLOCK] = part + clusters
            clusters += int(part.max()) + 1
        shrunk = clusters < 0.9 * len(groups)
        groups, labels = groups.grouped(found), found[labels]
        if not shrunk:
            break
    return _agglomerate(groups, threshold, at_least, None)[labels]


def _settle(groups: Groups, likeness: Likeness, at_least: int) -> Integers:
    """Groups of little speech join the most alike of those with more."""
    labels = np.arange(len(groups))
    chunks = groups.chunks.copy()
    homes: list[int] = []
    most_first = np.argsort(-groups.weights, kind="stable").tolist()
    for waiting, group in zip(count(len(groups), -1), most_first):
        home = None
        if homes and len(homes) + waiting > at_least:
            heard = groups.chunks[group].nonzero()[0]
            strangers = chunks[np.ix_(homes, heard)].any(axis=1)
            cosines = np.where(strangers, -np.inf, groups.means[homes] @ groups.means[group])
            best = int(cosines.argmax())
            if cosines[best] >= likeness.needed(float(groups.weights[group])):
                home = homes[best]
        if home is None:
            homes.append(group)
        else:
            labels[group] = home
            chunks[home] |= chunks[group]
    return np.unique(labels, return_inverse=True)[1]


def _agglomerate(groups: Groups, threshold: float, at_least: int, at_most: int | None) -> Integers:
    similarity = groups.similarity(groups)
    np.fill_diagonal(similarity, -np.inf)
    weights = groups.weights.copy()
    labels = np.arange(len(groups))
    nearest = similarity.argmax(axis=1)
    for left in count(len(groups), -1):
        best = similarity[np.arange(len(nearest)), nearest]
        one = int(best.argmax())
        wanted = best[one] >= threshold or (at_most is not None and left > at_most)
        if left <= at_least or best[one] == -np.inf or not wanted:
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
