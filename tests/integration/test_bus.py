"""What a service may count on, on every bus alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from services.runtime.bus import Bus, MemoryBus, Message, Slots
from services.runtime.bus.base import OnMessage
from services.runtime.bus.kafka import KafkaBus
from services.runtime.bus.redis_streams import RedisBus
from services.runtime.errors import TransientError
from services.runtime.topics import Shapes
from tests.integration.brokers import BROKERS, Connect, connect_to, redis_connect
from tests.polling import until

TOPIC, OTHER = "speech.transcribed", "speakers.diarized"


@pytest.fixture(params=BROKERS)
def connect(request: pytest.FixtureRequest) -> Connect:
    """A broker, which keeps what it is given."""
    url = request.getfixturevalue(f"{request.param}_url")
    return connect_to(request.param, url)


@pytest.fixture(params=["memory", *BROKERS])
def bus(request: pytest.FixtureRequest) -> Bus:
    """A bus of any kind, not yet started."""
    if request.param == "memory":
        return MemoryBus()
    url = request.getfixturevalue(f"{request.param}_url")
    return connect_to(request.param, url)()


@asynccontextmanager
async def running(*buses: Bus, grace_s: float = 0) -> AsyncIterator[None]:
    for bus in buses:
        await bus.start()
    try:
        yield
    finally:
        for bus in buses:
            await bus.stop(grace_s)


@dataclass
class Inbox:
    """Acknowledges what it gets, at once."""

    messages: list[Message] = field(default_factory=list)

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def names(self) -> list[str]:
        return [message.body.decode() for message in self.messages]


class Desk:
    """Keeps what it gets in work until it is told to finish."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.finished: list[str] = []
        self.busiest = 0
        self._gates: dict[str, asyncio.Event] = {}

    async def __call__(self, message: Message) -> None:
        name = message.body.decode()
        self.started.append(name)
        self.busiest = max(self.busiest, len(self.started) - len(self.finished))
        await self._gate(name).wait()
        self.finished.append(name)

    def finish(self, *names: str) -> None:
        for name in names:
            self._gate(name).set()

    def _gate(self, name: str) -> asyncio.Event:
        return self._gates.setdefault(name, asyncio.Event())


def listening(bus: Bus, on_message: OnMessage, group: str = "merge", concurrency: int = 4) -> Bus:
    bus.subscribe([TOPIC], group=group, on_message=on_message, slots=Slots(concurrency))
    return bus


async def publish(bus: Bus, *names: str, key: str = "") -> None:
    for name in names:
        await bus.publish(Message(TOPIC, key or name, name.encode()))


FIVE, TWENTY = (tuple(str(number) for number in range(amount)) for amount in (5, 20))


async def test_each_group_gets_every_message_once(bus: Bus) -> None:
    merge, emotion = Inbox(), Inbox()
    listening(bus, merge, group="merge")
    listening(bus, emotion, group="emotion")
    async with running(bus):
        await publish(bus, *TWENTY)
        await until(lambda: len(merge.names) + len(emotion.names) == 40)
    assert sorted(merge.names) == sorted(emotion.names) == sorted(TWENTY)


async def test_key_headers_and_body_survive(bus: Bus) -> None:
    inbox = Inbox()
    listening(bus, inbox)
    headers = {"ce_id": "1", "traceparent": "00-ab-cd-01", "ce_subject": "Gespräch/3"}
    sent = Message(TOPIC, "job:3", b'\x00\xff{"text": "\xc3\xa4"}', headers)
    async with running(bus):
        await bus.publish(sent)
        await until(lambda: inbox.messages)
    (received,) = inbox.messages
    assert (received.topic, received.key, received.body) == (sent.topic, sent.key, sent.body)
    assert headers.items() <= dict(received.headers).items()


async def test_a_group_hears_all_its_topics(bus: Bus) -> None:
    inbox = Inbox()
    bus.subscribe([TOPIC, OTHER], group="merge", on_message=inbox, slots=Slots(4))
    async with running(bus):
        for topic in (TOPIC, OTHER):
            await bus.publish(Message(topic, "job", topic.encode()))
        await until(lambda: len(inbox.messages) == 2)
    assert all(message.topic == message.body.decode() for message in inbox.messages)
    assert sorted(inbox.names) == sorted([TOPIC, OTHER])


async def test_no_more_are_in_work_than_allowed(bus: Bus) -> None:
    desk = Desk()
    listening(bus, desk, concurrency=2)
    async with running(bus):
        await publish(bus, *FIVE)
        for done in range(5):
            await until(lambda done=done: len(desk.started) == min(done + 2, 5))
            desk.finish(next(name for name in desk.started if name not in desk.finished))
            await until(lambda done=done: len(desk.finished) == done + 1)
    assert sorted(desk.finished) == list(FIVE)
    assert desk.busiest == 2


async def test_a_reader_sees_what_comes_from_now_on(bus: Bus) -> None:
    listening(bus, Inbox())
    async with running(bus):
        await publish(bus, "before")
        async with bus.follow([TOPIC]) as messages:
            for name in ("first", "second"):
                await publish(bus, name)
                assert (await anext(messages)).body.decode() == name


async def test_a_reader_with_nothing_to_read_can_be_left(bus: Bus) -> None:
    listening(bus, Inbox())
    async with running(bus), bus.follow([TOPIC]) as messages:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(messages)


async def test_stopping_lets_work_end_and_begins_nothing_new(bus: Bus) -> None:
    desk = Desk()
    listening(bus, desk, concurrency=1)
    await bus.start()
    await publish(bus, "first", "second", "third", key="job")
    await until(lambda: desk.started)
    stopping = asyncio.ensure_future(bus.stop(grace_s=30))
    await asyncio.wait([stopping], timeout=0)
    desk.finish("first", "second", "third")
    await stopping
    assert desk.started == desk.finished == ["first"]


class TestBroker:
    """What only a broker can promise, which outlives the processes that use it."""

    async def test_what_is_published_before_anyone_listens_is_kept(self, connect: Connect) -> None:
        async with running(bus := connect()):
            await publish(bus, *FIVE)
        async with running(listening(connect(), late := Inbox())):
            await until(lambda: len(late.names) == 5)
        assert sorted(late.names) == list(FIVE)

    async def test_two_of_a_group_share_its_messages(self, connect: Connect) -> None:
        inboxes = [Inbox(), Inbox()]
        buses = [listening(connect(), inbox) for inbox in inboxes]
        async with running(*buses):
            await publish(buses[0], *TWENTY)
            await until(lambda: {*inboxes[0].names, *inboxes[1].names} == set(TWENTY))

    async def test_what_is_acknowledged_does_not_come_again(self, connect: Connect) -> None:
        first, second = (listening(connect(), inbox := Inbox()), connect())
        async with running(first, grace_s=30):
            await publish(first, *FIVE)
            await until(lambda: len(inbox.names) == 5)
        listening(second, after := Inbox())
        async with running(second):
            await publish(second, "new")
            await until(lambda: after.names)
        assert after.names == ["new"]

    async def test_what_a_handler_breaks_on_comes_again(self, connect: Connect) -> None:
        tried: list[str] = []

        async def breaks_twice(message: Message) -> None:
            tried.append(message.body.decode())
            if len(tried) < 3:
                raise RuntimeError("broken on purpose")

        async with running(first := listening(connect(), breaks_twice), grace_s=30):
            await publish(first, "hard")
            await until(lambda: len(tried) == 3)
        async with running(second := listening(connect(), inbox := Inbox())):
            await publish(second, "new")
            await until(lambda: inbox.names)
        assert tried == ["hard"] * 3
        assert inbox.names == ["new"]

    async def test_what_a_stop_cuts_off_goes_to_another_though_later_ones_are_done(
        self, connect: Connect
    ) -> None:
        desk = Desk()
        async with running(first := listening(connect(), desk)):
            await publish(first, "slow", "quick", key="job")
            desk.finish("quick")
            await until(lambda: "slow" in desk.started and "quick" in desk.finished)
        async with running(listening(connect(), inbox := Inbox())):
            await until(lambda: "slow" in inbox.names)

    async def test_prefixes_keep_meshes_apart(self, connect: Connect) -> None:
        blue, green = Inbox(), Inbox()
        buses = [listening(connect("blue."), blue), listening(connect("green."), green)]
        async with running(*buses):
            for bus, name in zip(buses, ("sky", "grass"), strict=True):
                await publish(bus, name)
            await until(lambda: blue.names and green.names)
        assert (blue.names, green.names) == (["sky"], ["grass"])
        assert blue.messages[0].topic == TOPIC


@pytest.mark.redis
async def test_redis_leaves_long_work_where_it_is(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        connect = redis_connect(redis_url)
        holder, other = listening(connect(), desk := Desk()), listening(connect(), Inbox())
        async with running(holder):
            await publish(holder, "long")
            await until(lambda: desk.started)
            async with running(other):
                # By then an untouched message would have been claimed twice over.
                await touches(redis, 12)
            ((_, _, _, deliveries),) = await pending(redis)
        assert (desk.started, deliveries) == (["long"], 1)


async def pending(redis: Redis) -> list[tuple[Any, ...]]:
    entries = await redis.xpending_range(TOPIC, "merge", "-", "+", 10)
    return [tuple(entry.values()) for entry in entries]


async def touches(redis: Redis, amount: int) -> None:
    """Wait until the message in work was touched so often: each time, it looks young again."""
    idle_ms = [0]

    async def touched() -> bool:
        ((_, _, now_ms, _),) = await pending(redis)
        idle_ms.append(now_ms)
        return idle_ms[-1] < idle_ms[-2]

    for _ in range(amount):
        await until(touched)


@pytest.mark.parametrize(
    "bus",
    [
        pytest.param(lambda: RedisBus("redis://127.0.0.1:1", prefix=""), id="redis"),
        pytest.param(
            lambda: KafkaBus("127.0.0.1:1", prefix="", shapes=Shapes(1), replication=1), id="kafka"
        ),
    ],
)
async def test_a_broker_that_is_not_there_is_a_passing_failure(bus: Callable[[], Bus]) -> None:
    absent = listening(bus(), Inbox())
    with pytest.raises(TransientError, match=r"no (Kafka|Redis) answers"):
        await absent.start()
    with pytest.raises(TransientError, match=r"no (Kafka|Redis) answers"):
        async with absent.follow([TOPIC]):
            pass
    await absent.stop(0)
