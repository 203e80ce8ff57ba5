"""Where in a chunk there is speech, and which stretches of it a recogniser hears at once."""

from __future__ import annotations

from collections.abc import Iterable

from services.runtime.audio import SAMPLE_RATE_HZ, Samples

Stretch = tuple[int, int]
"""First sample, and first sample after it."""

LONGEST_S = 30
"""Whisper hears no more at once."""
_WIDEST_GAP_S = 2
"""A longer silence inside a clip invites a recogniser to fill it with words."""


def stretches_of_speech(samples: Samples) -> list[Stretch]:
    """Speech by Silero VAD, with a margin of 200 ms; none is longer than 30 s."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    if not len(samples):
        return []
    options = VadOptions(
        min_silence_duration_ms=500, speech_pad_ms=200, max_speech_duration_s=LONGEST_S
    )
    return [(found["start"], found["end"]) for found in get_speech_timestamps(samples, options)]


def packed(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Neighbouring stretches put together, with the pauses between them, up to 30 s."""
    clips: list[Stretch] = []
    for start, end in stretches:
        if clips and _fits(clips[-1], start, end):
            clips[-1] = (clips[-1][0], end)
        else:
            clips.append((start, end))
    return clips


def _fits(clip: Stretch, start: int, end: int) -> bool:
    return (
        start - clip[1] <= _WIDEST_GAP_S * SAMPLE_RATE_HZ
        and end - clip[0] <= LONGEST_S * SAMPLE_RATE_HZ
    )
