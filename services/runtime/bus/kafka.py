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
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.middlewares import AckPolicy

from services.runtime.bus.base import HandedBackError, Message, OnMessage
from services.runtime.bus.slots import Slots
from services.runtime.bus.watermark import Watermark
from services.runtime.errors import TransientError

log = structlog.get_logger(__name__)

# aiokafka logs each of its own retries as an error; what it gives up on it raises.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

# Inference takes as long as it takes: a slow handler must not cost the group membership. Liveness
# is what heartbeats are for, and they run beside the handler.
MAX_POLL_INTERVAL_MS = 24 * 3600 * 1000
SESSION_TIMEOUT_MS = 45_000
MAX_MESSAGE_BYTES = 1_000_000
LEADERS_WITHIN_S = 30.0
REDELIVER_AFTER_S = 10.0


class KafkaBus:
    """The bus on Apache Kafka."""

    def __init__(
        self,
        servers: str,
        *,
        prefix: str,
        partitions: int,
        replication: int,
        redeliver_after_s: float = REDELIVER_AFTER_S,
    ) -> None:
        self._servers = servers
        self._prefix = prefix
        self._partitions = partitions
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
        self._broker.subscriber(
            *names,
            group_id=self._prefix + group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 15,
            fetch_max_wait_ms=100,
            listener=subscription,
            decoder=_undecoded,
        )(subscription.receive)
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
            await create_topics(
                self._servers, self._subscribed, self._partitions, self._replication
            )
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

    async def _make_topics(self, names: Sequence[str]) -> None:
        # Also before publishing: a topic may have no consumer yet, as dead-letters mostly has none.
        if not self._made.issuperset(names):
            await create_topics(self._servers, names, self._partitions, self._replication)
            self._made.update(names)


async def create_topics(
    servers: str, names: Sequence[str], partitions: int, replication: int
) -> None:
    """Make the topics that are missing; the others stay as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        missing = sorted(set(names) - set(await admin.list_topics()))
        if missing:
            answer = await admin.create_topics(
                [NewTopic(name, partitions, replication) for name in missing]
            )
            for topic, code, *_ in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise TransientError(f"Kafka does not make the topic {topic}: {for_code(code)}")
            await _until_led(admin, missing)
    finally:
        await admin.close()


async def _until_led(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Wait until every partition has a leader: a client that asks earlier only gets errors."""
    deadline = asyncio.get_running_loop().time() + LEADERS_WITHIN_S
    while True:
        topics = await admin.describe_topics(list(names))
        partitions = [p for topic in topics for p in topic["partitions"]]
        if all(p["leader"] >= 0 and not p["error_code"] for p in partitions) and all(
            not topic["error_code"] for topic in topics
        ):
            return
        if asyncio.get_running_loop().time() > deadline:
            raise TransientError("Kafka has made topics but their partitions have no leaders")
        await asyncio.sleep(0.05)


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
