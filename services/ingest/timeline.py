"""Where decoded audio belongs on the job's timeline: timestamps rule, jitter is ignored."""

from __future__ import annotations

from services.runtime.audio import SAMPLE_RATE_HZ

TOLERANCE_MS = 50
"""Timestamps that are off by up to this much are jitter or rounding of the container."""
TOLERANCE_AFTER_LOSS_MS = 2
"""The same where packets were lost: nothing but the timestamp tells how much is missing."""
LONGEST_OVERLAP_MS = 10_000
"""Timestamps that fall back further have been restarted: such audio follows what came before."""
LONGEST_BLIND_GAP_MS = 60_000
"""Timestamps that leap further, and past the end that the container declares, are wrong."""

SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000


class Timeline:
    """Places frames one after another, in samples at 16 kHz from the job's first instant.

    Args:
        tick_s: length of a tick of the stream's clock.
        origin_s: what the clock shows at the job's first instant.
        end_ms: end that the container declares, when it does.
    """

    def __init__(self, tick_s: float, origin_s: float, end_ms: int | None) -> None:
        self._samples_per_tick = tick_s * SAMPLE_RATE_HZ
        self._origin = origin_s * SAMPLE_RATE_HZ
        self._end = (end_ms or 0) * SAMPLES_PER_MS
        self._position = 0.0
        self._lossy = False

    @property
    def position(self) -> int:
        """Where the next frame begins if nothing is missing, in samples."""
        return round(self._position)

    def lose(self) -> None:
        """Note that audio is missing before the next frame."""
        self._lossy = True

    def advance(self, pts: int | None) -> float | None:
        """Go to where a frame begins; how much is missing before it, or None when it repeats.

        It begins where the frame before it ended, unless the timestamps truly disagree.
        """
        if pts is None:
            return 0.0
        ahead = pts * self._samples_per_tick - self._origin - self._position
        tolerance_ms = TOLERANCE_AFTER_LOSS_MS if self._lossy else TOLERANCE_MS
        if abs(ahead) <= tolerance_ms * SAMPLES_PER_MS:
            return 0.0
        if not self._is_believable(ahead):
            self._origin += ahead
            return 0.0
        if ahead < 0:
            return None
        self._position += ahead
        return ahead

    def append(self, samples: int, rate_hz: int) -> None:
        """Put a frame where `advance` went."""
        self._position += samples * SAMPLE_RATE_HZ / rate_hz
        self._lossy = False

    def _is_believable(self, ahead: float) -> bool:
        if ahead < 0:
            return ahead >= -LONGEST_OVERLAP_MS * SAMPLES_PER_MS
        return ahead <= LONGEST_BLIND_GAP_MS * SAMPLES_PER_MS or self._position + ahead <= self._end
