"""Which windows are of one voice, and how many voices there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from services.diarize.features import Floats, Indices

# Chosen on conversations put together from single voices and on one telephone call.
_PENALTY = 2.2
"""Weight of the BIC penalty; above 1, for windows overlap and voices drift."""
_CLOSEST = 1.2
"""Two voices lie at least so far apart: squared distance per dimension, where the noise of a single
window is 1."""
_BETWEEN = 0.5
"""What lies closer than this to the line between two voices, squared and per dimension, is both."""
_LEAST_SHARE = 0.2
"""Of either voice in such a mixture."""
_LONGEST_CHANGE = 2.0
"""So many windows in a row lie over one change of voice, at most, when each half overlaps the next;
a voice that speaks for itself does so for longer."""


def cluster(points: Floats, *, at_least: int = 1, at_most: int | None = None) -> Indices:
    """Labels from 0 for points in order of time, of variance 1 within a voice, shape (n,).

    Ward's agglomeration (1963), as long as the Bayesian information criterion of Gaussians with
    unit variance gets better (Chen & Gopalakrishnan 1998): merging two clusters costs half of the
    growth in squared error, and saves a mean of d parameters. The more there is of a voice, the
    smaller the drift that becomes significant; so clusters whose centres lie closer than two voices
    do are merged after all. Last, clusters of mixed windows are dissolved.

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

    A window over a change of voice, or over two voices at once, has a mean between theirs, and in
    a long recording such windows make a cluster. A third voice hardly ever lies on the line between
    two others.
    """
    labels = labels.copy()
    sizes = np.bincount(labels)
    alive = set(range(len(sizes)))
    for label in np.argsort(sizes, kind="stable").tolist():
        if len(alive) <= max(at_least, 2):
            break
        if _mean_run(labels == label) > _LONGEST_CHANGE:
            continue
        larger = [other for other in sorted(alive) if sizes[other] > sizes[label]]
        centres = {other: points[labels == other].mean(axis=0) for other in (label, *larger)}
        for one, other in combinations(larger, 2):
            line = centres[other] - centres[one]
            offset = centres[label] - centres[one]
            if _is_between(offset, line, (sizes[label], sizes[one], sizes[other])):
                own = np.flatnonzero(labels == label)
                nearer_other = (points[own] - centres[one] - line / 2) @ line > 0
                labels[own] = np.where(nearer_other, other, one)
                alive.remove(label)
                break
    return np.unique(labels, return_inverse=True)[1]


def _mean_run(own: npt.NDArray[np.bool_]) -> float:
    starts = own & ~np.r_[False, own[:-1]]
    return float(own.sum() / starts.sum())


def _is_between(offset: Floats, line: Floats, sizes: tuple[int, int, int]) -> bool:
    """Whether a centre, by its offset from one end, lies on a line but for noise."""
    share = float(offset @ line / (line @ line))
    if not _LEAST_SHARE <= share <= 1 - _LEAST_SHARE:
        return False
    own, start, end = sizes
    noise = 1 / own + (1 - share) ** 2 / start + share**2 / end
    return float(np.mean((offset - share * line) ** 2)) - noise < _BETWEEN
