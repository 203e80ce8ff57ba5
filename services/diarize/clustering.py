"""Which windows are of one voice, and how many voices there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from services.diarize.features import Floats, Indices

_PENALTY = 2.2
"""Weight of the BIC penalty; above 1, for windows overlap and voices drift."""
_CLOSEST = 1.2
"""Two voices lie at least so far apart: squared distance per dimension, where the noise of a single
window is 1."""

_BETWEEN = 0.8


def cluster(points: Floats, *, at_least: int = 1, at_most: int | None = None) -> Indices:
    """Labels from 0 for points whose variance within a voice is about 1, shape (n,).

    Ward's agglomeration (1963), as long as the Bayesian information criterion of Gaussians with
    unit variance gets better (Chen & Gopalakrishnan 1998): merging two clusters costs half of the
    growth in squared error, and saves a mean of d parameters. The more there is of a voice, the
    smaller the drift that becomes significant; so clusters whose centres are no further apart than
    voices ever are are merged after all.

    There are at least `at_least` and at most `at_most` labels, as far as there are points.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    count, dimensions = points.shape
    if count < 2 or at_most == 1:
        return np.zeros(count, dtype=np.intp)
    tree = linkage(points, "ward")
    # Ward's height is the root of twice the growth in squared error.
    height = np.sqrt(2 * _PENALTY * dimensions * np.log(count))
    labels = fcluster(tree, height, "distance")
    if labels.max() < at_least:
        labels = fcluster(tree, min(at_least, count), "maxclust")
    labels = _merge_close(points, labels - 1, at_least, at_most or count)
    return _dissolve_mixtures(points, labels, at_least)


def _merge_close(points: Floats, labels: Indices, at_least: int, at_most: int) -> Indices:
    labels = labels.astype(np.intp)
    sizes = np.bincount(labels).astype(float)
    centres = np.stack([points[labels == label].mean(axis=0) for label in range(len(sizes))])
    alive = list(range(len(sizes)))
    while len(alive) > max(at_least, 1):
        apart, one, other = min(
            (_apart(centres[one] - centres[other], sizes[one], sizes[other]), one, other)
            for one, other in combinations(alive, 2)
        )
        if apart >= _CLOSEST and len(alive) <= at_most:
            break
        labels[labels == other] = one
        total = sizes[one] + sizes[other]
        centres[one] = (sizes[one] * centres[one] + sizes[other] * centres[other]) / total
        sizes[one] = total
        alive.remove(other)
    return np.unique(labels, return_inverse=True)[1]


def _apart(difference: Floats, size: float, other_size: float) -> float:
    """Squared distance per dimension, less what the noise of the two centres adds to it."""
    return float(np.mean(difference**2) - 1 / size - 1 / other_size)


def _dissolve_mixtures(points: Floats, labels: Indices, at_least: int) -> Indices:
    """Give clusters that lie between two larger ones to these, the smallest first.

    A window over a change of voice, or over two voices at once, has a mean between theirs, and many
    such windows make a cluster. A third voice hardly ever lies on the line between two others.
    """
    labels = labels.copy()
    sizes = np.bincount(labels)
    for label in np.argsort(sizes, kind="stable").tolist():
        larger = [other for other in np.unique(labels).tolist() if sizes[other] > sizes[label]]
        if len(np.unique(labels)) <= max(at_least, 2):
            break
        own = labels == label
        centres = {other: points[labels == other].mean(axis=0) for other in [label, *larger]}
        for one, other in combinations(larger, 2):
            line = centres[other] - centres[one]
            share = float((centres[label] - centres[one]) @ line / (line @ line))
            beside = centres[label] - centres[one] - share * line
            noise = 1 / sizes[label] + (1 - share) ** 2 / sizes[one] + share**2 / sizes[other]
            if 0.2 <= share <= 0.8 and np.mean(beside**2) - noise < _BETWEEN:
                nearer = (points[own] - centres[one] - line / 2) @ line > 0
                labels[own] = np.where(nearer, other, one)
                break
    return np.unique(labels, return_inverse=True)[1]
