"""What a bus is, and what a service may count on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from services.runtime.bus.slots import Slots


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
        self,
        topics: Sequence[str],
        *,
        group: str,
        on_message: OnMessage,
        slots: Slots,
        weight: int = 1,
    ) -> None:
        """Deliver topics to a group, as many messages at once as there are slots. Before `start`.

        Subscriptions may share slots, and get their parts by weight.
        """

    def follow(self, topics: Sequence[str]) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """Every message from now on, to this reader alone and without acknowledgement."""

    def kept(self, topic: str) -> AsyncIterator[Message]:
        """Every message that the broker still has of a topic, up to the last one at this moment.

        Those with one key come in order.
        """

    async def create_topics(self, topics: Sequence[str]) -> list[str]:
        """Make the topics that are missing; gives their names. `start` makes what it needs."""

    async def topic_differences(self, topics: Sequence[str]) -> list[str]:
        """What is not as the settings have it, a sentence each.

        Raises:
            TransientError: when no broker answers.
        """

    async def lag(self) -> dict[tuple[str, str], int]:
        """Messages that groups subscribed to here have not acknowledged, by group and topic.

        Of the whole group, not of this process alone.
        """

    async def start(self) -> None:
        """Connect, make missing topics and begin delivery."""

    async def stop(self, grace_s: float) -> None:
        """Take no more messages, let those in work end within the grace period, disconnect."""
