"""What becomes of a message when handlers fail and processes die, on every broker alike."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from services.runtime.artifacts import Artifacts
from services.runtime.bus import Bus, Message, Slots
from services.runtime.bus.kafka import KafkaBus
from services.runtime.delivery import Delivery
from services.runtime.envelope import to_event, to_message
from services.runtime.errors import PermanentError, TransientError, VoxmeshError
from services.runtime.results import Recipe, Results
from services.runtime.retry import RetryPolicy
from services.runtime.service import Service
from services.runtime.topics import Shapes
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
    bus: Bus, handler: Handler | Maker, *, delays_s: tuple[float, ...] = (), grace_s: float = 0
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


class Maker:
    """Stores a result for each job, computed once, and tells of it."""

    def __init__(self, results: Results, *, seconds: float = 0) -> None:
        self._results = results
        self._seconds = seconds
        self.computed: list[str] = []
        self.told: list[tuple[str, bool]] = []

    async def __call__(self, event: JobRequested) -> AsyncIterator[Event]:
        async def compute() -> bytes:
            self.computed.append(event.job_id)
            await asyncio.sleep(self._seconds)  # what takes its time
            return b"{}"

        recipe = Recipe(Stage.TRANSCRIBE, "maker", "1", {}, event.job_id)
        made = await self._results.get_or_compute(recipe, compute)
        yield JobProgressed(job_id=event.job_id, stage=Stage.INGEST, done=1)
        self.told.append((event.job_id, made.reused))


def told_by(makers: Iterable[Maker]) -> set[str]:
    return {job for maker in makers for job, _ in maker.told}


@pytest.fixture
async def results(redis_url: str, tmp_path: Path) -> AsyncIterator[Results]:
    async with Redis.from_url(redis_url) as redis:
        store = Artifacts.at(str(tmp_path / "store"))
        yield Results(store, redis, lease_s=3, prefix="results:")


class MuteBus:
    """A broker connection that takes nothing, as when the process dies before it could tell."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.tried = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def publish(self, message: Message) -> None:
        self.tried.set()
        await asyncio.Event().wait()


async def test_a_crash_between_storing_and_telling_computes_nothing_again(
    connect: Connect, results: Results
) -> None:
    mute = MuteBus(connect())
    async with serving(mute, first := Maker(results)):  # type: ignore[arg-type]
        await mute._bus.publish(asked())
        await asyncio.wait_for(mute.tried.wait(), 30)
    async with serving(connect(), after := Maker(results)):
        await until(lambda: after.told)
    assert (first.computed, first.told) == (["job"], [])
    assert (after.computed, after.told) == ([], [("job", True)])


async def test_processes_that_come_and_go_compute_nothing_twice(
    connect: Connect, results: Results
) -> None:
    names = [f"job-{number}" for number in range(8)]
    makers = [Maker(results, seconds=1) for _ in range(3)]
    async with serving(bus := connect(), makers[0], grace_s=30):
        for name in names:
            message = asked(name)
            await bus.publish(Message(message.topic, name, message.body, message.headers))
        await until(lambda: makers[0].computed)
        async with serving(connect(), makers[1], grace_s=30):
            await until(lambda: len(makers[0].computed + makers[1].computed) >= 4)
            async with serving(connect(), makers[2], grace_s=30):
                await until(
                    lambda: {job for maker in makers for job, _ in maker.told} == set(names)
                )
    assert sorted(job for maker in makers for job in maker.computed) == names


@pytest.mark.kafka
async def test_a_rebalance_in_work_that_outlasts_the_poll_interval_is_harmless(
    kafka_url: str, results: Results
) -> None:
    prefix = f"test-{uuid4().hex}."

    def process() -> Bus:
        servers = kafka_url.removeprefix("kafka://")
        shapes = Shapes(partitions=2)
        return KafkaBus(
            servers, prefix=prefix, shapes=shapes, replication=1, max_poll_interval_ms=1000
        )

    names = [f"job-{number}" for number in range(6)]
    slow = [Maker(results, seconds=4), Maker(results, seconds=4)]
    async with serving(bus := process(), slow[0]):
        # Two are in work and a third waits for a slot: the consumer is not polled meanwhile.
        for name in names:
            message = asked(name)
            await bus.publish(Message(message.topic, name, message.body, message.headers))
        await until(lambda: len(slow[0].computed) == 2)
        async with serving(process(), slow[1]):
            await until(lambda: told_by(slow) == set(names), within_s=60)
    assert sorted(job for maker in slow for job in maker.computed) == names
    async with serving(process(), after := Maker(results)):
        await process_has_caught_up(prefix, kafka_url)
    assert not after.computed


async def process_has_caught_up(prefix: str, kafka_url: str) -> None:
    """Wait until the group has nothing left to do."""
    servers = kafka_url.removeprefix("kafka://")
    bus = KafkaBus(servers, prefix=prefix, shapes=Shapes(partitions=2), replication=1)
    bus.subscribe([REQUESTS], group="ingest", on_message=_nothing, slots=Slots(1))
    await bus.start()

    async def caught_up() -> bool:
        return not sum((await bus.lag()).values())

    await until(caught_up)
    await bus.stop(0)


async def _nothing(message: Message) -> None:
    """Acknowledge."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("no small disk: mounting one takes root")
    yield folder
    subprocess.run(["umount", folder], check=True)


async def test_a_full_disk_is_waited_out(connect: Connect, redis_url: str, disk: Path) -> None:
    async with Redis.from_url(redis_url) as redis:
        maker = Maker(Results(Artifacts.at(str(disk)), redis, lease_s=3, prefix="full:"))
        filler = disk / "filler"
        with suppress(OSError):
            filler.write_bytes(b"x" * 65536)
        async with serving(bus := connect(), maker, delays_s=(DELAY_S,) * 20):
            await bus.publish(asked())
            await until(lambda: some_postponed(bus))
            assert not maker.told
            filler.unlink()
            await until(lambda: maker.told)
            assert not await letters(bus)


async def some_postponed(bus: Bus) -> bool:
    return bool(await kept(bus, "ingest.retry-1"))
