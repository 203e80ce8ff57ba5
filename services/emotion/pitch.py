"""Fundamental frequency by YIN.

A. de Cheveigné and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music",
J. Acoust. Soc. Am. 111(4), 2002. Steps 1 to 5 of section II, for all frames at once; the sums of
products come from an FFT.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.runtime.audio import SAMPLE_RATE_HZ, Samples

Floats = npt.NDArray[np.float64]

HOP_MS = 10
_HOP = SAMPLE_RATE_HZ * HOP_MS // 1000
_WINDOW = SAMPLE_RATE_HZ * 25 // 1000
_SHORTEST = SAMPLE_RATE_HZ // 500
_LONGEST = SAMPLE_RATE_HZ // 60
"""Periods that are looked for, in samples: voices of men, women and children at 60 to 500 Hz."""
_APERIODICITY = 0.2
"""A dip of the normalised difference below this is a period: about this share of the frame's power
may not repeat. The 0.1 of the paper's step 4 leaves breathy and distant voices out."""
_FFT_SIZE = 720
"""No less than window plus longest period, so that the circular sums do not wrap; 2⁴·3²·5."""


def pitch_hz(samples: Samples) -> tuple[Floats, Floats]:
    """Pitch in hertz and power (mean square) of every frame, shape (n,) each.

    A frame every 10 ms; NaN where the frame is not periodic.
    """
    span = _WINDOW + _LONGEST + 1
    if len(samples) < span:
        return np.empty(0), np.empty(0)
    # Without the mean, a constant offset of the recorder is no power and drowns no differences.
    frames = np.lib.stride_tricks.sliding_window_view(samples - samples.mean(), span)[::_HOP]
    difference, power = _difference(frames)
    return SAMPLE_RATE_HZ / _periods(difference), power


def _difference(frames: npt.NDArray[np.float32]) -> tuple[Floats, Floats]:
    """The difference function (equation 6) at lags 0 to longest + 1, and each frame's power."""
    squares = np.zeros((len(frames), frames.shape[1] + 1))
    np.cumsum(np.square(frames, dtype=np.float64), axis=1, out=squares[:, 1:])
    energy = squares[:, _WINDOW:] - squares[:, :-_WINDOW]
    spectrum = np.conj(np.fft.rfft(frames[:, :_WINDOW], _FFT_SIZE)) * np.fft.rfft(frames, _FFT_SIZE)
    products = np.fft.irfft(spectrum, _FFT_SIZE)[:, : energy.shape[1]]
    difference = np.maximum(energy[:, :1] + energy - 2 * products, 0.0)
    return difference, energy[:, 0] / _WINDOW


def _periods(difference: Floats) -> Floats:
    """Period of every frame in samples, NaN where there is none (equation 8 and steps 4, 5)."""
    normalised = np.ones_like(difference)
    lags = np.arange(1, difference.shape[1])
    running_sum = np.cumsum(difference[:, 1:], axis=1)
    np.divide(difference[:, 1:] * lags, running_sum, out=normalised[:, 1:], where=running_sum > 0)

    inner = normalised[:, _SHORTEST : _LONGEST + 1]
    is_dip = (inner < normalised[:, _SHORTEST - 1 : _LONGEST]) & (
        inner <= normalised[:, _SHORTEST + 1 : _LONGEST + 2]
    )
    is_period = is_dip & (inner < _APERIODICITY)
    lag = np.argmax(is_period, axis=1) + _SHORTEST
    return np.where(is_period.any(axis=1), lag + _vertex(difference, lag), np.nan)


def _vertex(difference: Floats, lag: npt.NDArray[np.intp]) -> Floats:
    """Minimum of the parabola through a dip and its neighbours, in samples from the dip."""
    row = np.arange(len(lag))
    before, at, after = (difference[row, lag + step] for step in (-1, 0, 1))
    curvature = before - 2 * at + after
    shift = np.zeros_like(at)
    np.divide(before - after, 2 * curvature, out=shift, where=curvature > 0)
    return np.clip(shift, -1, 1)
