"""A bus within one process, for trying services out and for tests. Nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from services.runtime.bus.base import Message, OnMessage
from services.runtime.bus.slots import Slots


class MemoryBus:
    """Delivers every message once to each group that subscribes to its topic."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self._groups: dict[str, list[tuple[str, asyncio.Queue[Message]]]] = {}
        self._readers: dict[str, list[asyncio.Queue[Message]]] = {}
        self._pending: list[tuple[OnMessage, asyncio.Queue[Message], Slots, int]] = []
        self._loops: list[asyncio.Task[None]] = []

    async def publish(self, message: Message) -> None:
        """Put a message in the queue of every group and reader of its topic."""
        self.published.append(message)
        for _, queue in self._groups.get(message.topic, []):
            queue.put_nowait(message)
        for queue in self._readers.get(message.topic, []):
            queue.put_nowait(message)

    def subscribe(
        self,
        topics: Sequence[str],
        *,
        group: str,
        on_message: OnMessage,
        slots: Slots,
        weight: int = 1,
    ) -> None:
        """Deliver topics to a group, as many messages at once as there are slots."""
        queue: asyncio.Queue[Message] = asyncio.Queue()
        for topic in topics:
            self._groups.setdefault(topic, []).append((group, queue))
        self._pending.append((on_message, queue, slots, weight))

    @asynccontextmanager
    async def follow(self, topics: Sequence[str]) -> AsyncIterator[AsyncIterator[Message]]:
        """Every message from now on."""
        queue: asyncio.Queue[Message] = asyncio.Queue()
        for topic in topics:
            self._readers.setdefault(topic, []).append(queue)
        try:
            yield _drawn(queue)
        finally:
            for topic in topics:
                self._readers[topic].remove(queue)

    async def kept(self, topic: str) -> AsyncIterator[Message]:
        """Every message of a topic so far."""
        for message in [message for message in self.published if message.topic == topic]:
            yield message

    async def create_topics(self, topics: Sequence[str]) -> list[str]:
        """Nothing: a topic is there when it is used."""
        del topics
        return []

    async def topic_differences(self, topics: Sequence[str]) -> list[str]:
        """Nothing, for the same reason."""
        del topics
        return []

    async def lag(self) -> dict[tuple[str, str], int]:
        """Messages that no group has begun with."""
        return {
            (group, topic): queue.qsize()
            for topic, queues in self._groups.items()
            for group, queue in queues
        }

    async def start(self) -> None:
        """Begin delivery."""
        self._loops = [
            asyncio.create_task(_deliver(on_message, queue, slots, weight))
            for on_message, queue, slots, weight in self._pending
        ]

    async def stop(self, grace_s: float) -> None:
        """End delivery."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await asyncio.gather(*(slots.drain(grace_s) for _, _, slots, _ in self._pending))


async def _drawn(queue: asyncio.Queue[Message]) -> AsyncIterator[Message]:
    while True:
        yield await queue.get()


async def _deliver(
    on_message: OnMessage, queue: asyncio.Queue[Message], slots: Slots, weight: int
) -> None:
    while True:
        message = await queue.get()
        await slots.run(lambda message=message: on_message(message), weight)  # type: ignore[misc]
