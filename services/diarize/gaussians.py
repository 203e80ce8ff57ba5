"""Mixtures of Gaussians with diagonal covariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.diarize.features import Floats

_LEAST_VARIANCE = 0.05
"""As a share of the data's own: keeps a component from closing in on a few frames."""


@dataclass(frozen=True)
class Mixture:
    """Weights, shape (k,), means and variances, shape (k, d)."""

    weights: Floats
    means: Floats
    variances: Floats

    def log_likelihoods(self, frames: Floats) -> Floats:
        """Of every frame, shape (n,)."""
        return np.asarray(np.logaddexp.reduce(self.joint(frames), axis=1))

    def joint(self, frames: Floats) -> Floats:
        """Log-likelihood of every frame together with each component, shape (n, k)."""
        precisions = 1 / self.variances
        squared = (
            frames**2 @ precisions.T
            - 2 * frames @ (self.means * precisions).T
            + (self.means**2 * precisions).sum(axis=1)
        )
        constant = np.log(2 * np.pi * self.variances).sum(axis=1)
        return np.asarray(np.log(self.weights) - (squared + constant) / 2)


def fit_mixture(frames: Floats, components: int, *, iterations: int = 8) -> Mixture:
    """A mixture fitted by expectation maximisation, always the same for the same frames.

    It starts from slices of the frames, sorted by the first dimension, in which spectra tilt.
    """
    order = np.argsort(frames[:, 0], kind="stable")
    slices = np.array_split(order, min(components, len(frames)))
    spread = frames.var(axis=0) + 1e-6
    mixture = Mixture(
        np.full(len(slices), 1 / len(slices)),
        np.stack([frames[rows].mean(axis=0) for rows in slices]),
        np.tile(spread, (len(slices), 1)),
    )
    for _ in range(iterations):
        joint = mixture.joint(frames)
        shares = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
        counts = shares.sum(axis=0) + 1e-6
        means = shares.T @ frames / counts[:, None]
        variances = shares.T @ frames**2 / counts[:, None] - means**2
        mixture = Mixture(
            counts / counts.sum(), means, np.maximum(variances, _LEAST_VARIANCE * spread)
        )
    return mixture
