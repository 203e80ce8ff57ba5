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

_PER_MS = SAMPLE_RATE_HZ // 1000


class Timeline:
    """Places frames one after another, in samples at 16 kHz from the job's first instant.

    Args:
        ticks_per_s: ticks of the stream's clock in a second.
        origin_s: what the clock showed at the job's first instant.
        end_ms: end that the container declares, when it does.
    """

    def __init__(self, ticks_per_s: float, origin_s: float, end_ms: int | None) -> None:
        self._samples_per_tick = SAMPLE_RATE_HZ / ticks_per_s
        self._origin = origin_s * SAMPLE_RATE_HZ
        self._end = (end_ms or 0) * _PER_MS
        self._next = 0.0
        self._lossy = False

    def lose(self) -> None:
        """Note that audio is missing before the next frame."""
        self._lossy = True

    def place(self, pts: int | None, samples: int, rate_hz: int) -> int | None:
        """Where a frame begins; None when all of it repeats what came before.

        The answer is the end of the frame before it unless the timestamps truly disagree.
        """
        begin = self._begin(pts)
        if begin is None:
            return None
        self._next = begin + samples * SAMPLE_RATE_HZ / rate_hz
        self._lossy = False
        return round(begin)

    def _begin(self, pts: int | None) -> float | None:
        if pts is None:
            return self._next
        stamped = pts * self._samples_per_tick - self._origin
        ahead = stamped - self._next
        tolerance = TOLERANCE_AFTER_LOSS_MS if self._lossy else TOLERANCE_MS
        if abs(ahead) <= tolerance * _PER_MS:
            return self._next
        if self._is_believable(stamped, ahead):
            return stamped if ahead > 0 else None
        self._origin += ahead
        return self._next

    def _is_believable(self, stamped: float, ahead: float) -> bool:
        if ahead < 0:
            return ahead >= -LONGEST_OVERLAP_MS * _PER_MS
        return ahead <= LONGEST_BLIND_GAP_MS * _PER_MS or stamped <= self._end
