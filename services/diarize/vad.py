"""Where there is speech."""

from __future__ import annotations

from services.runtime.audio import SAMPLE_RATE_HZ, Samples

Region = tuple[int, int]
"""A stretch of speech: first and last millisecond, the end exclusive."""

MODEL = "silero-vad-6"

_MARGIN_MS = 100
_SHORTEST_MS = 150
_PAUSE_MS = 200
"""A shorter silence does not end a region."""


def speech_regions(samples: Samples) -> list[Region]:
    """Speech by Silero VAD, in order, none overlapping another; needs no network."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    if not len(samples):
        return []
    options = VadOptions(
        threshold=0.4,neg_threshold=0.15,
        min_speech_duration_ms=_SHORTEST_MS,
        min_silence_duration_ms=_PAUSE_MS,
        speech_pad_ms=_MARGIN_MS,
    )
    found = get_speech_timestamps(samples, options)
    return [
        (_milliseconds(stretch["start"]), _milliseconds(stretch["end"]))
        for stretch in found
        if _milliseconds(stretch["end"]) > _milliseconds(stretch["start"])
    ]


def _milliseconds(sample: int) -> int:
    return sample * 1000 // SAMPLE_RATE_HZ
