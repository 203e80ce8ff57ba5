"""How far a partition is done when its messages end out of order."""

from __future__ import annotations

import heapq


class Watermark:
    """Offsets in work on one partition, and the offset that may be committed."""

    def __init__(self) -> None:
        self._in_work: list[int] = []
        self._finished: set[int] = set()
        self._next = 0
        self._committed = -1

    def started(self, offset: int) -> None:
        """A message is in work. Offsets come in rising order, but may skip."""
        heapq.heappush(self._in_work, offset)
        self._next = max(self._next, offset + 1)

    def finished(self, offset: int) -> int | None:
        """A message is done: the offset to commit now, or None when nothing new is safe.

        As Kafka has it, that is the offset of the first message still to be done.
        """
        self._finished.add(offset)
        while self._in_work and self._in_work[0] in self._finished:
            self._finished.discard(heapq.heappop(self._in_work))
        safe = self._in_work[0] if self._in_work else self._next
        if safe <= self._committed:
            return None
        self._committed = safe
        return safe
