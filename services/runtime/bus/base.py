"""What a bus is, and what a service may count on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Message:
    """An event on the wire."""

    topic: str
    key: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class HandedBackError(Exception):
    """Raised by an `OnMessage` while its service stops: the message goes to another process."""


OnMessage = Callable[[Message], Awaitable[None]]
"""Deals with a message. Returning acknowledges it; raising leaves it to be delivered again."""


class Bus(Protocol):
    """At-least-once delivery to consumer groups.

    A message is acknowledged when its `OnMessage` returns, never before. Until then it stays with
    this process however long that takes, unless the process dies: then another of the group gets
    it. Topics and groups carry the mesh's prefix on the wire, not here.
    """

    async def publish(self, message: Message) -> None:
        """Hand a message over; returns when the broker has it safe.

        Raises:
            TransientError: when the broker does not take it.
        """

    def subscribe(
        self, topics: Sequence[str], *, group: str, on_message: OnMessage, concurrency: int
    ) -> None:
        """Deliver topics to a group, at most `concurrency` messages at once. Before `start`."""

    def follow(self, topics: Sequence[str]) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """Every message from now on, to this reader alone and without acknowledgement."""

    def kept(self, topic: str) -> AsyncIterator[Message]:
        """Every message that the broker still has of a topic, up to the last one at this moment.

        Those with one key come in order.
        """

    async def start(self) -> None:
        """Connect, make missing topics and begin delivery."""

    async def stop(self, grace_s: float) -> None:
        """Take no more messages, let those in work end within the grace period, disconnect."""


class Slots:
    """Runs deliveries side by side, as many as there are slots."""

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, delivery: Callable[[], Awaitable[None]]) -> None:
        """Start a delivery as soon as a slot is free, or never when `drain` is called before."""
        await self._free.acquire()
        if self._closed:
            self._free.release()
            return
        task = asyncio.ensure_future(self._guarded(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, delivery: Callable[[], Awaitable[None]]) -> None:
        try:
            await delivery()
        except HandedBackError:
            pass
        except Exception as error:
            # Not acknowledged, so the broker delivers it again; nothing else to do here.
            log.warning("a delivery failed", error=repr(error))
        finally:
            self._free.release()

    async def drain(self, grace_s: float) -> None:
        """Wait for the deliveries in work; what outlasts the grace period is handed back."""
        self._closed = True
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=grace_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
