"""Cepstra of speech, and the windows over them in which voices are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.diarize.vad import Region
from services.runtime.audio import SAMPLE_RATE_HZ, Samples

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

FRAME_MS = 10
CEPSTRA = 15
CORRELATED = 15
"""Frames after which cepstra tell something new: 150 ms, about a syllable."""
_WINDOW_MS = 30
_MEL_BANDS = 24
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
_FULL_SCALE = np.float32(32768)
"""Kaldi counts in 16-bit steps, and floors the energy of a band at far less than one."""


@dataclass(frozen=True)
class Speech:
    """The frames of a chunk in which someone speaks."""

    cepstra: Floats
    """Shape (n, 15)."""
    frames: Indices
    """Where each stands in the chunk, in steps of 10 ms, shape (n,)."""
    regions: tuple[slice, ...]
    """Rows that follow one another without a pause, in order; together all rows."""


def mfcc(samples: Samples) -> Floats:
    """Mel-frequency cepstra 1 to 15 of every 10 ms, shape (n, 15); needs at least one frame.

    c0 is left out, so that level does not matter. No mean is subtracted: within one recording what
    is constant is the same for all, and much of what tells voices apart lies in their means.
    """
    from kaldi_native_fbank import MfccOptions, OnlineMfcc

    options = MfccOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE_HZ
    options.frame_opts.frame_length_ms = _WINDOW_MS
    options.frame_opts.frame_shift_ms = FRAME_MS
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = _MEL_BANDS
    options.mel_opts.low_freq = _LOWEST_HZ
    options.mel_opts.high_freq = _HIGHEST_HZ
    options.num_ceps = CEPSTRA + 1
    options.use_energy = False
    computer = OnlineMfcc(options)
    computer.accept_waveform(SAMPLE_RATE_HZ, samples * _FULL_SCALE)
    computer.input_finished()
    frames = [computer.get_frame(index) for index in range(computer.num_frames_ready)]
    cepstra: Floats = np.stack(frames)[:, 1:].astype(np.float64)
    return cepstra


def select_speech(cepstra: Floats, regions: Iterable[Region]) -> Speech:
    """The frames that lie in the regions, which are in order and do not overlap."""
    bounds = [(start // FRAME_MS, min(end // FRAME_MS, len(cepstra))) for start, end in regions]
    kept = [(first, last) for first, last in bounds if last > first]
    if not kept:
        return Speech(cepstra[:0], np.empty(0, dtype=np.intp), ())
    frames = np.concatenate([np.arange(first, last) for first, last in kept])
    edges = np.cumsum([0, *(last - first for first, last in kept)])
    return Speech(
        cepstra[frames],
        frames,
        tuple(slice(int(first), int(last)) for first, last in pairwise(edges)),
    )


def sliding_windows(regions: Sequence[slice], length: int, hop: int) -> list[slice]:
    """Windows of `length` rows, about `hop` apart, that cover each region and leave none.

    A region that is shorter than a window is a window of its own.
    """
    windows = []
    for region in regions:
        size = region.stop - region.start
        count = 1 + max(0, -(-(size - length) // hop))
        starts = np.linspace(region.start, max(region.start, region.stop - length), count)
        windows += [
            slice(start, min(start + length, region.stop)) for start in starts.astype(int).tolist()
        ]
    return windows


def nearest_window(windows: Sequence[slice], regions: Sequence[slice]) -> Indices:
    """For each row of the regions, the window of its own region whose centre is nearest."""
    owner = np.empty(regions[-1].stop if regions else 0, dtype=np.intp)
    first = 0
    for region in regions:
        last = first
        while last < len(windows) and windows[last].start < region.stop:
            last += 1
        centres = np.array([(window.start + window.stop) / 2 for window in windows[first:last]])
        borders = (centres[1:] + centres[:-1]) / 2
        rows = np.arange(region.start, region.stop)
        owner[region] = first + np.searchsorted(borders, rows + 0.5)
        first = last
    return owner


def standardized_means(speech: Speech, windows: Sequence[slice]) -> Floats:
    """Mean cepstra of windows, scaled so that what is said makes a variance of about 1.

    Frames vary within a window by what is said, across windows also by who says it. So the
    covariance within windows is the noise, and its inverse root makes it white (within-class
    covariance normalisation, Hatch et al. 2006). Neighbouring frames are alike: a mean over n
    frames is as good as one over n / CORRELATED independent ones. Shape (windows, 15).
    """
    means = np.stack([speech.cepstra[window].mean(axis=0) for window in windows])
    scatter = np.zeros((CEPSTRA, CEPSTRA))
    for window, mean in zip(windows, means, strict=True):
        apart = speech.cepstra[window] - mean
        scatter += apart.T @ apart
    covariance = scatter / sum(window.stop - window.start for window in windows)
    covariance += np.eye(CEPSTRA) * (1e-3 * np.trace(covariance) / CEPSTRA + 1e-9)
    values, vectors = np.linalg.eigh(covariance)
    longest = max(window.stop - window.start for window in windows)
    scaled = (means - means.mean(axis=0)) @ (vectors / np.sqrt(values))
    return np.asarray(scaled * np.sqrt(longest / CORRELATED))
