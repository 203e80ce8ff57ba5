"""Recordings of beeps, which the test engines hear as words: what is in them is known exactly."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE_HZ = 16_000
BEEP_MS, GAP_MS = 300, 400
LOW_HZ, HIGH_HZ = 250, 1000
LEVELS = 12
WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
]
TURN = 6
"""Beeps that one voice says before the other does."""


@dataclass(frozen=True)
class Spoken:
    """A beep on its recording's timeline."""

    start_ms: int
    level: int
    high: bool

    @property
    def word(self) -> str:
        return WORDS[self.level]


def conversation(count: int, *, after_ms: int = 200, loudest: Sequence[int] = ()) -> list[Spoken]:
    """So many beeps in turns of two voices; those whose numbers are given have the top level."""
    return [
        Spoken(
            start_ms=after_ms + number * (BEEP_MS + GAP_MS),
            level=LEVELS - 1 if number in loudest else (7 * number * number + 3 * number) % 11,
            high=number // TURN % 2 == 1,
        )
        for number in range(count)
    ]


def write_wav(path: Path, *channels: Sequence[Spoken], length_ms: int = 0) -> Path:
    """A WAV file of a channel for each list of beeps, and silence around them."""
    last_ms = max((s.start_ms + BEEP_MS for spoken in channels for s in spoken), default=0)
    length = max(length_ms, last_ms + GAP_MS) * RATE_HZ // 1000
    samples = np.zeros((length, len(channels)), dtype="<i2")
    seconds = np.arange(BEEP_MS * RATE_HZ // 1000) / RATE_HZ
    for channel, spoken in enumerate(channels):
        for one in spoken:
            wave_form = np.sin(2 * np.pi * (HIGH_HZ if one.high else LOW_HZ) * seconds)
            peak = 32767 * (one.level + 1) / (LEVELS + 1)
            start = one.start_ms * RATE_HZ // 1000
            samples[start : start + len(seconds), channel] = np.round(peak * wave_form)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path
