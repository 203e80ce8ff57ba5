"""Kafka, through FastStream and aiokafka.

Acknowledging is done here and not by FastStream: its `ack()` commits the consumer's position, and
with several messages in work that covers messages that are not done. We commit explicit offsets, a
partition's lowest one that is still in work (`Watermark`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
)
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.middlewares import AckPolicy

from services.runtime.bus.base import HandedBackError, Message, OnMessage
from services.runtime.bus.kafka_topics import committed, create_topics, differences
from services.runtime.bus.slots import Slots
from services.runtime.bus.watermark import Watermark
from services.runtime.errors import TransientError
from services.runtime.topics import Shape, Shapes

log = structlog.get_logger(__name__)

# aiokafka logs each of its own retries as an error; what it gives up on it raises.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

# Inference takes as long as it takes: a slow handler must not cost the group membership. Liveness
# is what heartbeats are for, and they run beside the handler.
MAX_POLL_INTERVAL_MS = 24 * 3600 * 1000
SESSION_TIMEOUT_MS = 45_000
MAX_MESSAGE_BYTES = 1_000_000
REDELIVER_AFTER_S = 10.0


class KafkaBus:
    """The bus on Apache Kafka."""

    def __init__(
        self,
        servers: str,
        *,
        prefix: str,
        shapes: Shapes,
        replication: int,
        redeliver_after_s: float = REDELIVER_AFTER_S,
        max_poll_interval_ms: int = MAX_POLL_INTERVAL_MS,
    ) -> None:
        self._servers = servers
        self._prefix = prefix
        self._shapes = shapes
        self._max_poll_interval_ms = max_poll_interval_ms
        self._replication = replication
        self._redeliver_after_s = redeliver_after_s
        self._broker = KafkaBroker(
            servers.split(","),
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            apply_types=False,
            logger=None,
            max_request_size=MAX_MESSAGE_BYTES,
        )
        self._subscriptions: list[_Subscription] = []
        self._subscribed: list[str] = []
        self._groups: dict[Any, tuple[list[str], str]] = {}
        self._made: set[str] = set()

    async def publish(self, message: Message) -> None:
        """Hand a message over; returns when all in-sync replicas have it."""
        try:
            await self._make_topics([self._prefix + message.topic])
            await self._broker.publish(
                message.body,
                topic=self._prefix + message.topic,
                key=message.key.encode(),
                headers=dict(message.headers),
            )
        except KafkaError as error:
            raise TransientError(f"Kafka does not take a message: {error!r}") from error

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
        subscription = _Subscription(
            on_message, slots, weight, self._prefix, self._redeliver_after_s
        )
        names = [self._prefix + topic for topic in topics]
        self._subscribed += names
        subscriber = self._broker.subscriber(
            *names,
            group_id=self._prefix + group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            max_poll_interval_ms=self._max_poll_interval_ms,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 15,
            fetch_max_wait_ms=100,
            listener=subscription,
            decoder=_undecoded,
        )
        subscriber(subscription.receive)
        self._groups[subscriber] = (names, self._prefix + group)
        self._subscriptions.append(subscription)

    @asynccontextmanager
    async def follow(self, topics: Sequence[str]) -> AsyncIterator[AsyncIterator[Message]]:
        """Every message from now on."""
        names = [self._prefix + topic for topic in topics]
        consumer = AIOKafkaConsumer(
            *names,
            bootstrap_servers=self._servers,
            auto_offset_reset="latest",
            fetch_max_wait_ms=100,
        )
        try:
            try:
                await self._make_topics(names)
                await consumer.start()
                # Looked up now: at the first fetch, something may have been published since.
                for partition in consumer.assignment():
                    await consumer.position(partition)
            except KafkaError as error:
                raise TransientError(f"no Kafka answers at {self._servers}: {error!r}") from error
            yield _messages(consumer, self._prefix)
        finally:
            await consumer.stop()

    async def kept(self, topic: str) -> AsyncIterator[Message]:
        """Every message of a topic that is still there, up to the last ones at this moment."""
        consumer = AIOKafkaConsumer(
            self._prefix + topic, bootstrap_servers=self._servers, auto_offset_reset="earliest"
        )
        try:
            await self._make_topics([self._prefix + topic])
            await consumer.start()
            ends = await consumer.end_offsets(consumer.assignment())
            while behind := [p for p in ends if await consumer.position(p) < ends[p]]:
                for partition, records in (await consumer.getmany(*behind, timeout_ms=500)).items():
                    for record in records:
                        if record.offset < ends[partition]:
                            yield _message(record, self._prefix)
        except KafkaError as error:
            raise TransientError(f"no Kafka answers at {self._servers}: {error!r}") from error
        finally:
            await consumer.stop()

    async def start(self) -> None:
        """Connect, make missing topics and begin delivery."""
        try:
            # Even for no topics: FastStream does not close what it opened when nobody answers.
            await self.create_topics([n.removeprefix(self._prefix) for n in self._subscribed])
            self._made.update(self._subscribed)
            await self._broker.start()
        except KafkaError as error:
            raise TransientError(f"no Kafka answers at {self._servers}: {error!r}") from error

    async def stop(self, grace_s: float) -> None:
        """Take no more messages, let those in work end, disconnect."""
        for subscription in self._subscriptions:
            subscription.stopping = True
        await asyncio.gather(*(s.slots.drain(grace_s) for s in self._subscriptions))
        await self._broker.stop()

    async def create_topics(self, topics: Sequence[str]) -> list[str]:
        """Make the topics that are missing; gives their names."""
        wanted = self._wanted(topics)
        made = await create_topics(self._servers, wanted, self._replication)
        return [name.removeprefix(self._prefix) for name in made]

    async def topic_differences(self, topics: Sequence[str]) -> list[str]:
        """What is not as the settings have it, a sentence each."""
        return await differences(self._servers, self._wanted(topics))

    async def lag(self) -> dict[tuple[str, str], int]:
        """Messages that each group of this process has not acknowledged, by group and topic."""
        found: dict[tuple[str, str], int] = {}
        for subscriber, (names, group) in self._groups.items():
            consumer = subscriber.consumer
            if consumer is None:
                continue
            partitions = [
                TopicPartition(name, number)
                for name in names
                for number in consumer.partitions_for_topic(name) or ()
            ]
            try:
                ends = await consumer.end_offsets(partitions)
                starts = await consumer.beginning_offsets(partitions)
                done = await committed(self._servers, group)
            except KafkaError as error:
                raise TransientError(f"Kafka does not tell how far it is: {error!r}") from error
            for partition, end in ends.items():
                key = (group.removeprefix(self._prefix), partition.topic.removeprefix(self._prefix))
                behind = end - max(done.get(partition, 0), starts[partition])
                found[key] = found.get(key, 0) + behind
        return found

    def _wanted(self, topics: Sequence[str]) -> dict[str, Shape]:
        return {self._prefix + topic: self._shapes.of(topic) for topic in topics}

    async def _make_topics(self, names: Sequence[str]) -> None:
        # Also before publishing: a topic may have no consumer yet, as dead-letters mostly has none.
        if not self._made.issuperset(names):
            await self.create_topics([name.removeprefix(self._prefix) for name in names])
            self._made.update(names)


class _Subscription(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One consumer: what it has in work, and how far each of its partitions is done."""

    def __init__(
        self,
        on_message: OnMessage,
        slots: Slots,
        weight: int,
        prefix: str,
        redeliver_after_s: float,
    ) -> None:
        self._on_message = on_message
        self._prefix = prefix
        self._redeliver_after_s = redeliver_after_s
        self._watermarks: dict[TopicPartition, Watermark] = {}
        self._due: dict[TopicPartition, int] = {}
        self._committing = asyncio.Lock()
        self.slots = slots
        self._weight = weight
        self.stopping = False

    async def receive(self, delivered: KafkaMessage) -> None:
        """Start on a message; FastStream fetches the next one when this returns."""
        if self.stopping:
            return
        record: Any = delivered.raw_message  # one record, as this is no batch subscriber
        partition = TopicPartition(record.topic, record.partition)
        watermark = self._watermarks.setdefault(partition, Watermark())
        watermark.started(record.offset)
        message = _message(record, self._prefix)

        async def deliver() -> None:
            await self._until_handled(message)
            offset = watermark.finished(record.offset)
            # After a rebalance the partition is someone else's, and so is its commit.
            if offset is not None and self._watermarks.get(partition) is watermark:
                self._due[partition] = offset
                await self._commit(delivered.consumer)

        await self.slots.run(deliver, self._weight)

    async def _until_handled(self, message: Message) -> None:
        # Kafka itself delivers again only when the partition goes to another process.
        while True:
            try:
                return await self._on_message(message)
            except HandedBackError:
                raise
            except Exception as error:
                if self.stopping:
                    raise
                log.warning("a delivery failed and comes again", error=repr(error))
                await asyncio.sleep(self._redeliver_after_s)

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        # Whoever holds the lock commits for all who wait for it.
        async with self._committing:
            due, self._due = self._due, {}
            if not due:
                return
            try:
                await consumer.commit(due)
            except (CommitFailedError, IllegalStateError):
                log.info("partitions moved on before a commit", partitions=len(due))
            except KafkaError as error:
                # The next commit covers this one; a crash before it only repeats deliveries.
                log.warning("a commit failed", error=repr(error))

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget partitions that go to someone else, who starts at the committed offset."""
        for partition in revoked:
            self._watermarks.pop(partition, None)
            self._due.pop(partition, None)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing: a partition's watermark starts with its first message."""


async def _undecoded(message: KafkaMessage) -> KafkaMessage:
    return message


async def _messages(consumer: AIOKafkaConsumer, prefix: str) -> AsyncIterator[Message]:
    async for record in consumer:
        yield _message(record, prefix)


def _message(record: ConsumerRecord, prefix: str) -> Message:
    return Message(
        topic=record.topic.removeprefix(prefix),
        key=(record.key or b"").decode(errors="replace"),
        body=record.value or b"",
        headers={name: value.decode(errors="replace") for name, value in record.headers},
    )
