"""Where there is speech."""

from __future__ import annotations

from services.runtime.audio import SAMPLE_RATE_HZ, Samples

Region = tuple[int, int]
"""A stretch of speech: its first millisecond, and the first after it."""

MODEL = "silero-vad-6"

_BEGINS, _ENDS = 0.4, 0.15
"""Probabilities of speech at which a region begins, and below which it ends. They are lower than
for isolated words, as distant voices are unsure and only their loud syllables stand out."""
_SHORTEST_MS = 150
_PAUSE_MS = 200
"""A shorter silence does not end a region."""
_MARGIN_MS = 100


def speech_regions(samples: Samples) -> list[Region]:
    """Speech by Silero VAD, in order, apart from each other; needs no network."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    if not len(samples):
        return []
    options = VadOptions(
        threshold=_BEGINS,
        neg_threshold=_ENDS,
        min_speech_duration_ms=_SHORTEST_MS,
        min_silence_duration_ms=_PAUSE_MS,
        speech_pad_ms=_MARGIN_MS,
    )
    return [
        (_milliseconds(found["start"]), _milliseconds(found["end"]))
        for found in get_speech_timestamps(samples, options)
    ]


def _milliseconds(sample: int) -> int:
    return sample * 1000 // SAMPLE_RATE_HZ
