"""What becomes of a message when handlers fail and processes die, on every broker alike."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from services.runtime.bus import Bus, Message
from services.runtime.delivery import Delivery
from services.runtime.envelope import to_event, to_message
from services.runtime.errors import PermanentError, TransientError, VoxmeshError
from services.runtime.retry import RetryPolicy
from services.runtime.service import Service
from tests.integration.brokers import BROKERS, Connect, connect_to
from tests.polling import until
from voxmesh_schemas import DeadLetter, Event, JobFailed, JobProgressed, JobRequested, Source, Stage

REQUESTS = JobRequested.topic
DELAY_S = 0.4


@pytest.fixture(params=BROKERS)
def connect(request: pytest.FixtureRequest) -> Connect:
    """A broker, which keeps what it is given."""
    return connect_to(request.param, request.getfixturevalue(f"{request.param}_url"))


def asked(job_id: str = "job") -> Message:
    message = to_message(JobRequested(job_id=job_id, source=Source(uri="/a")), producer="client")
    return Message(message.topic, "one-partition", message.body, message.headers)


class Handler:
    """Tells of progress, fails with the given errors in turn, and then succeeds when it is let.

    Only the job named `hard` fails, when there is one of that name.
    """

    def __init__(
        self, errors: Iterable[Exception] = (), *, hard: str = "", at_once: bool = True
    ) -> None:
        self._errors = iter(errors)
        self._hard = hard
        self.started: list[tuple[datetime, str]] = []
        self.done: list[str] = []
        self.let = asyncio.Event()
        if at_once:
            self.let.set()

    async def __call__(self, event: JobRequested) -> AsyncIterator[Event]:
        self.started.append((datetime.now(UTC), event.job_id))
        yield JobProgressed(job_id=event.job_id, stage=Stage.INGEST, done=1)
        if event.job_id.startswith(self._hard) and (error := next(self._errors, None)):
            raise error
        await self.let.wait()
        self.done.append(event.job_id)


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    yield JobFailed(job_id=event.job_id, stage=Stage.INGEST, reason=str(error))


@asynccontextmanager
async def serving(
    bus: Bus, handler: Handler, *, delays_s: tuple[float, ...] = (), grace_s: float = 0
) -> AsyncIterator[None]:
    """A process that runs one service."""
    service = Service("ingest", {JobRequested: handler}, on_failure, concurrency=2)
    delivery = Delivery(service, bus, RetryPolicy(2, 0.001), delays_s=delays_s)
    delivery.subscribe()
    await bus.start()
    try:
        yield
    finally:
        delivery.stop_waiting()
        await bus.stop(grace_s)


async def kept(bus: Bus, topic: str) -> list[Message]:
    return [message async for message in bus.kept(topic)]


async def letters(bus: Bus) -> list[DeadLetter]:
    return [DeadLetter.model_validate_json(m.body) for m in await kept(bus, DeadLetter.topic)]


async def test_what_a_broker_has_of_a_topic_can_be_read(connect: Connect) -> None:
    bus = connect()
    await bus.start()
    assert await kept(bus, REQUESTS) == []
    names = {f"job-{number}" for number in range(700)}
    await asyncio.gather(*(bus.publish(asked(name)) for name in names))
    for _ in range(2):
        assert {to_event(message).job_id for message in await kept(bus, REQUESTS)} == names
    await bus.stop(0)


async def test_what_fails_in_place_comes_again_after_each_delay_and_then_dies(
    connect: Connect,
) -> None:
    sent = asked()
    handler = Handler(TransientError(f"busy {number}") for number in range(99))
    async with serving(bus := connect(), handler, delays_s=(DELAY_S, 2 * DELAY_S)):
        await bus.publish(sent)
        await until(lambda: failed(bus))
        (letter,) = await letters(bus)
        (end,) = [to_event(m) for m in await kept(bus, JobFailed.topic)]
        first, second = await kept(bus, "ingest.retry-1"), await kept(bus, "ingest.retry-2")
    times = [at for at, _ in handler.started]
    assert len(times) == 6, "twice in place, and likewise after each of two delays"
    assert (times[2] - times[1]).total_seconds() >= DELAY_S
    assert (times[4] - times[3]).total_seconds() >= 2 * DELAY_S
    assert [len(first), len(second)] == [1, 1]
    assert (first[0].key, first[0].body) == (sent.key, sent.body)
    assert sent.headers.items() <= first[0].headers.items()
    assert first[0].headers["voxmesh-retry-topic"] == REQUESTS
    assert second[0].headers["voxmesh-retry-attempt"] == "3"
    assert (letter.original_topic, letter.original_key) == (REQUESTS, sent.key)
    assert base64.b64decode(letter.body_base64) == sent.body
    assert sent.headers.items() <= letter.headers.items()
    assert not [name for name in letter.headers if name.startswith("voxmesh-retry")]
    assert [failure.error for failure in letter.history] == ["busy 1", "busy 3", "busy 5"]
    assert (letter.error, letter.attempts) == ("busy 5", 6)
    assert isinstance(end, JobFailed)
    assert end.reason == "busy 5"


async def failed(bus: Bus) -> bool:
    return bool(await kept(bus, JobFailed.topic))


async def letters_are(bus: Bus, count: int) -> bool:
    return len(await letters(bus)) == count


async def test_what_waits_holds_up_nothing_and_goes_well_when_it_is_due(connect: Connect) -> None:
    handler = Handler([TransientError("busy")] * 2, hard="first")
    async with serving(bus := connect(), handler, delays_s=(DELAY_S,)):
        for name in ("first", "second", "third"):
            await bus.publish(asked(name))
        await until(lambda: len(handler.done) == 3)
        assert not await letters(bus)
    assert sorted(handler.done[:2]) == ["second", "third"]


async def test_what_waits_outlives_its_process_and_does_not_keep_it_from_stopping(
    connect: Connect,
) -> None:
    handler = Handler([TransientError("busy")] * 2)
    async with serving(bus := connect(), handler, delays_s=(2.0,), grace_s=600):
        await bus.publish(asked())
        await until(lambda: postponed(bus))
    async with serving(connect(), after := Handler(), delays_s=(2.0,)):
        await until(lambda: after.done)
    assert (after.started[0][0] - handler.started[-1][0]).total_seconds() >= 2.0


async def postponed(bus: Bus) -> bool:
    return len(await kept(bus, "ingest.retry-1")) == 1


async def test_a_failure_that_cannot_pass_dies_at_once(connect: Connect) -> None:
    handler = Handler([PermanentError("the chunk is damaged")] * 9)
    async with serving(bus := connect(), handler, delays_s=(DELAY_S,)):
        await bus.publish(asked())
        await until(lambda: letters_are(bus, 1))
        (letter,) = await letters(bus)
    assert (len(handler.started), letter.attempts) == (1, 1)
    assert [failure.error for failure in letter.history] == ["the chunk is damaged"]


async def test_poison_does_not_stop_its_partition(connect: Connect) -> None:
    poison = Message(REQUESTS, "one-partition", b"\xff\x00", {"ce_id": "1"})
    async with serving(bus := connect(), handler := Handler(), delays_s=(DELAY_S,)):
        for message in (asked("before"), poison, asked("after")):
            await bus.publish(message)
        await until(lambda: sorted(handler.done) == ["after", "before"])
        await until(lambda: letters_are(bus, 1))
        (letter,) = await letters(bus)
    assert base64.b64decode(letter.body_base64) == poison.body


async def test_poison_in_a_retry_topic_dies_too(connect: Connect) -> None:
    async with serving(bus := connect(), handler := Handler(), delays_s=(DELAY_S,)):
        await bus.publish(Message("ingest.retry-1", "", b"rubbish", {}))
        await until(lambda: letters_are(bus, 1))
    assert not handler.started


async def test_a_crash_between_telling_and_acknowledging_tells_the_same_again(
    connect: Connect,
) -> None:
    async with serving(bus := connect(), cut_off := Handler(at_once=False)):
        await bus.publish(asked())
        await until(lambda: cut_off.started)
        await until(lambda: told(bus, 1))
    async with serving(bus := connect(), after := Handler()):
        await until(lambda: after.done)
        events = await kept(bus, JobProgressed.topic)
    assert len(events) == 2
    assert len({event.headers["ce_id"] for event in events}) == 1


async def told(bus: Bus, count: int) -> bool:
    return len(await kept(bus, JobProgressed.topic)) == count
