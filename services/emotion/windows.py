"""Audio windows of a chunk, and which of them hold speech."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.emotion.tracks import Window
from services.runtime.audio import SAMPLE_RATE_HZ, Samples

_SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
_FRAME_MS = 20
_ABOVE_FLOOR_DB = 6.0
_THRESHOLD_RANGE_DB = (-65.0, -30.0)
"""Softer is silence in any room, louder is sound over any noise floor; dB re full scale."""
_LEAST_SPEECH_MS = 240
"""About the length of a syllable: a window with less than this has nothing to judge."""
_SILENCE_DB = -120.0


def window_spans(duration_ms: int, window_ms: int, hop_ms: int) -> list[tuple[int, int]]:
    """Start and end of every window over a chunk, in order.

    All are of equal length, so that a model sees as much context at the end as anywhere: the last
    one is moved back until it ends with the chunk. A chunk that is shorter is one window.
    """
    if duration_ms <= 0:
        return []
    if duration_ms <= window_ms:
        return [(0, duration_ms)]
    starts = list(range(0, duration_ms - window_ms + 1, hop_ms))
    if starts[-1] + window_ms < duration_ms:
        starts.append(duration_ms - window_ms)
    return [(start, start + window_ms) for start in starts]


def speech_windows(samples: Samples, window_ms: int, hop_ms: int) -> list[Window[Samples]]:
    """The windows of a chunk; those without speech have no content."""
    threshold_db = speech_threshold_db(samples)
    windows = []
    for start, end in window_spans(len(samples) // _SAMPLES_PER_MS, window_ms, hop_ms):
        content = samples[start * _SAMPLES_PER_MS : end * _SAMPLES_PER_MS]
        loud_frames = np.count_nonzero(_frame_levels_db(content) > threshold_db)
        spoken = loud_frames * _FRAME_MS >= _LEAST_SPEECH_MS
        windows.append(Window(start, end, content if spoken else None))
    return windows


def speech_threshold_db(samples: Samples) -> float:
    """The level above which a frame of this chunk counts as speech, dB re full scale.

    The noise floor is taken to be the 10th percentile of the frames' levels.
    """
    levels = _frame_levels_db(samples)
    floor_db = float(np.percentile(levels, 10)) if levels.size else _SILENCE_DB
    return float(np.clip(floor_db + _ABOVE_FLOOR_DB, *_THRESHOLD_RANGE_DB))


def _frame_levels_db(samples: Samples) -> npt.NDArray[np.float64]:
    """Level of every whole 20 ms frame, re full scale."""
    size = _FRAME_MS * _SAMPLES_PER_MS
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64)
    levels: npt.NDArray[np.float64] = 10 * np.log10(
        np.maximum(power / size, 10 ** (_SILENCE_DB / 10))
    )
    return levels
