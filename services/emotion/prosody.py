"""How a stretch of speech was spoken: pitch, liveliness and loudness."""

from __future__ import annotations

import numpy as np

from services.emotion.pitch import pitch_hz
from services.runtime.audio import Samples
from voxmesh_schemas import Prosody

_REFERENCE_HZ = 55.0
_LEAST_VOICED_FRAMES = 12
"""120 ms: about one vowel. Percentiles of fewer frames say nothing."""


def measured_prosody(samples: Samples, threshold_db: float) -> Prosody | None:
    """Pitch and level over the voiced frames of a window; None when there are too few.

    A frame is voiced when it is periodic and louder than `threshold_db` (re full scale), so that
    mains hum in a pause is no voice. The loudness is the level of their mean power, 0 dB at full
    scale: negative, and greater when louder.
    """
    pitch, power = pitch_hz(samples)
    voiced = ~np.isnan(pitch) & (power > 10 ** (threshold_db / 10))
    if np.count_nonzero(voiced) < _LEAST_VOICED_FRAMES:
        return None
    semitones = 12 * np.log2(pitch[voiced] / _REFERENCE_HZ)
    low, median, high = np.percentile(semitones, (10, 50, 90))
    return Prosody(
        pitch_st=round(float(median), 2),
        pitch_range_st=round(float(high - low), 2),
        loudness_db=round(float(10 * np.log10(power[voiced].mean())), 2),
        voiced=round(float(voiced.mean()), 4),
    )
