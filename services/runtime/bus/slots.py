"""Deliveries side by side, as many as there are slots, and whose turn it is when none is free."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable

import structlog

from services.runtime.bus.base import HandedBackError

log = structlog.get_logger(__name__)


class Slots:
    """Runs deliveries side by side.

    Waiting ones get free slots in proportion to their weights, so that the important come first and
    the others still come: self-clocked fair queueing (Golestani, INFOCOM 1994) with deliveries of
    equal length.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._now = 0.0
        self._last: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, delivery: Callable[[], Awaitable[None]], weight: int = 1) -> None:
        """Start a delivery as soon as a slot is free, or never when `drain` is called before."""
        await self._acquire(weight)
        if self._closed:
            self._release()
            return
        task = asyncio.ensure_future(self._guarded(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _acquire(self, weight: int) -> None:
        if self._free:
            self._free -= 1
            return
        # When it would end if its lane had its share of a slot since the last one of the lane.
        ends = max(self._last.get(weight, 0.0), self._now) + 1 / weight
        self._last[weight] = ends
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (ends, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            ends, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # or whoever waited has gone
                self._now = ends
                turn.set_result(None)
                return
        self._free += 1

    async def _guarded(self, delivery: Callable[[], Awaitable[None]]) -> None:
        try:
            await delivery()
        except HandedBackError:
            pass
        except Exception as error:
            # Not acknowledged, so the broker delivers it again; nothing else to do here.
            log.warning("a delivery failed", error=repr(error))
        finally:
            self._release()

    async def drain(self, grace_s: float) -> None:
        """Wait for the deliveries in work; what outlasts the grace period is handed back."""
        self._closed = True
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=grace_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
