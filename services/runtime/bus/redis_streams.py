"""Redis Streams, through FastStream's Redis broker.

A message in work is touched now and then, so that it never looks abandoned; one whose process died
is claimed by another of its group after `claim_after_ms` without a touch.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from faststream.middlewares import AckPolicy
from faststream.redis import BinaryMessageFormatV1, RedisBroker, RedisStreamMessage, StreamSub
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from services.runtime.bus.base import Message, OnMessage
from services.runtime.bus.slots import Slots
from services.runtime.cancellation import raise_if_cancelled
from services.runtime.errors import TransientError

log = structlog.get_logger(__name__)

CLAIM_AFTER_MS = 10_000
TOUCHES = 5
"""Touches in that time: so many have to fail before a message in work looks abandoned."""
MAX_LENGTH = 1_000_000
MOST_COUNTED = 10_000
"""Entries that are counted one by one, where Redis does not count them itself."""
MAX_CONNECTIONS = 1000
"""A stream that is waited on takes one for itself, and redis-py stops at 100 by default."""
PAGE = 500
"""Entries that are read at once from a stream's past."""


class RedisBus:
    """The bus on Redis Streams: one stream per topic."""

    def __init__(self, url: str, *, prefix: str, claim_after_ms: int = CLAIM_AFTER_MS) -> None:
        self.prefix = prefix
        self.claim_after_ms = claim_after_ms
        # redis-py types the answers of stream commands as a union of all that any command answers.
        self.redis: Any = Redis.from_url(url, max_connections=MAX_CONNECTIONS)
        self._broker = RedisBroker(
            url,
            apply_types=False,
            logger=None,  # type: ignore[arg-type]  # None: no logs
            max_connections=MAX_CONNECTIONS,
        )
        self._groups: list[tuple[str, str]] = []
        self._subscriptions: list[_Subscription] = []
        # Unique to the process, so that the entries of one that died are claimed and not its own.
        self.consumer = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"

    async def publish(self, message: Message) -> None:
        """Append a message to its stream."""
        # Encoded, as FastStream would write a text's length in characters and read it in bytes.
        headers = {name: text.encode() for name, text in message.headers.items()}
        try:
            await self._broker.publish(
                message.body,
                stream=self.prefix + message.topic,
                headers={**headers, "key": message.key.encode()},
                maxlen=MAX_LENGTH,
            )
        except RedisError as error:
            raise TransientError(f"Redis does not take a message: {error}") from error

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
        subscription = _Subscription(self, on_message, slots, weight)
        self._subscriptions.append(subscription)
        for topic in topics:
            stream, full_group = self.prefix + topic, self.prefix + group
            self._groups.append((stream, full_group))
            for min_idle_ms in (None, self.claim_after_ms):
                self._broker.subscriber(
                    stream=StreamSub(
                        stream,
                        group=full_group,
                        consumer=self.consumer,
                        last_id=">",
                        polling_interval=1000,
                        max_records=1,
                        min_idle_time=min_idle_ms,
                    ),
                    ack_policy=AckPolicy.MANUAL,
                    decoder=_undecoded,
                )(subscription.receive)

    @asynccontextmanager
    async def follow(self, topics: Sequence[str]) -> AsyncIterator[AsyncIterator[Message]]:
        """Every message from now on."""
        since: dict[str, str] = {}
        try:
            for stream in (self.prefix + topic for topic in topics):
                newest = await self.redis.xrevrange(stream, count=1)
                since[stream] = newest[0][0].decode() if newest else "0-0"
        except RedisError as error:
            raise TransientError(f"no Redis answers: {error}") from error
        yield self._read(since)

    async def _read(self, since: dict[str, str]) -> AsyncIterator[Message]:
        while True:
            try:
                news = await self.redis.xread(dict(since), block=1000)
            except RedisError as error:
                raise TransientError(f"Redis answers no more: {error}") from error
            raise_if_cancelled()
            for stream, entries in news:
                since[stream.decode()] = entries[-1][0].decode()
                for _, fields in entries:
                    body, headers = BinaryMessageFormatV1.parse(fields[b"__data__"])
                    yield _message(stream.decode().removeprefix(self.prefix), body, headers)

    async def kept(self, topic: str) -> AsyncIterator[Message]:
        """Every entry of a stream that is still there, up to the last one at this moment."""
        stream, since = self.prefix + topic, "-"
        try:
            newest = await self.redis.xrevrange(stream, count=1)
            while newest:
                entries = await self.redis.xrange(stream, since, newest[0][0], count=PAGE)
                if not entries:
                    return
                for _, fields in entries:
                    body, headers = BinaryMessageFormatV1.parse(fields[b"__data__"])
                    yield _message(topic, body, headers)
                since = f"({entries[-1][0].decode()}"
        except RedisError as error:
            raise TransientError(f"no Redis answers: {error}") from error

    async def create_topics(self, topics: Sequence[str]) -> list[str]:
        """Nothing: a stream is there as soon as something is in it."""
        del topics
        return []

    async def topic_differences(self, topics: Sequence[str]) -> list[str]:
        """Nothing, for the same reason; but Redis has to answer."""
        del topics
        try:
            await self.redis.ping()
        except RedisError as error:
            raise TransientError(f"no Redis answers: {error}") from error
        return []

    async def lag(self) -> dict[tuple[str, str], int]:
        """Messages that each group of this process has not acknowledged, by group and topic."""
        found: dict[tuple[str, str], int] = {}
        try:
            for stream, own in self._groups:
                for group in await self.redis.xinfo_groups(stream):
                    if group["name"].decode() == own:
                        key = (own.removeprefix(self.prefix), stream.removeprefix(self.prefix))
                        found[key] = group["pending"] + await self._undelivered(stream, group)
        except RedisError as error:
            raise TransientError(f"Redis does not tell how far it is: {error}") from error
        return found

    async def _undelivered(self, stream: str, group: dict[str, Any]) -> int:
        if group.get("lag") is not None:  # since Redis 7, and not after entries were deleted
            return int(group["lag"])
        since = f"({group['last-delivered-id'].decode()}"
        return len(await self.redis.xrange(stream, since, "+", count=MOST_COUNTED))

    async def start(self) -> None:
        """Connect, make missing streams and groups, begin delivery."""
        try:
            for stream, group in self._groups:
                await self._make_group(stream, group)
            await self._broker.start()
        except RedisError as error:
            raise TransientError(f"no Redis answers: {error}") from error

    async def _make_group(self, stream: str, group: str) -> None:
        # From the first entry on: FastStream itself would begin with entries yet to come, and
        # lose what was published before the first worker started.
        try:
            await self.redis.xgroup_create(stream, group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def stop(self, grace_s: float) -> None:
        """Take no more messages, let those in work end, disconnect."""
        for subscription in self._subscriptions:
            subscription.stopping = True
        await asyncio.gather(*(s.slots.drain(grace_s) for s in self._subscriptions))
        await self._broker.stop()
        await self.redis.aclose()


class _Subscription:
    """What one group of this process has in work."""

    def __init__(self, bus: RedisBus, on_message: OnMessage, slots: Slots, weight: int) -> None:
        self._redis = bus.redis
        self._consumer = bus.consumer
        self._on_message = on_message
        self._prefix = bus.prefix
        self._touch_every_s = bus.claim_after_ms / TOUCHES / 1000
        self.slots = slots
        self._weight = weight
        self.stopping = False

    async def receive(self, delivered: RedisStreamMessage) -> None:
        """Start on a message; FastStream reads the next one when this returns."""
        if self.stopping:
            return
        stream = delivered.raw_message["channel"]
        message = _message(
            stream.removeprefix(self._prefix), bytes(delivered.body), delivered.headers
        )

        async def deliver() -> None:
            touch = asyncio.create_task(self._keep(stream, delivered))
            try:
                await self._on_message(message)
                await delivered.ack()
            finally:
                touch.cancel()

        await self.slots.run(deliver, self._weight)

    async def _keep(self, stream: str, delivered: RedisStreamMessage) -> None:
        """Touch a message so that it stays with this process while it is in work."""
        (entry,) = delivered.raw_message["message_ids"]
        while True:
            raise_if_cancelled()
            await asyncio.sleep(self._touch_every_s)
            try:
                await self._redis.xclaim(
                    stream, delivered.group, self._consumer, 0, [entry], justid=True
                )
            except RedisError as error:
                log.warning("a message in work could not be kept", error=str(error))


async def _undecoded(message: RedisStreamMessage) -> RedisStreamMessage:
    return message


def _message(topic: str, body: bytes, headers: dict[str, Any]) -> Message:
    kept = {name: str(value) for name, value in headers.items() if name != "key"}
    return Message(topic=topic, key=str(headers.get("key", "")), body=body, headers=kept)
