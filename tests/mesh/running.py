"""The whole mesh in this process, and buses that misbehave in the ways that brokers do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis

from services.cli.mesh_services import NAMES, wired
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from services.runtime.bus import Bus, Message, Slots
from services.runtime.bus.base import OnMessage
from services.runtime.client import Client
from services.runtime.envelope import to_event
from services.runtime.errors import PermanentError
from services.runtime.mesh import Mesh
from services.runtime.settings import MeshSettings
from services.runtime.workers import Workers, WorkerThreads
from voxmesh_schemas import (
    ENGINE_STAGES,
    EVENTS,
    DeadLetter,
    Event,
    JobCompleted,
    JobFailed,
    JobOptions,
    JobRequested,
    Source,
    Stage,
    Transcript,
)

WITHIN_S = 60.0
TOPICS = [*(topic for event in EVENTS for topic in event.topics()), DeadLetter.topic]
BEEPS = dict.fromkeys(ENGINE_STAGES, ("beeps",))


def engines(**chosen: str) -> dict[Stage, tuple[str, ...]]:
    """The test engines, others by stage where they are given as `emotion_text="beeps-flaky"`."""
    others = {Stage(stage.replace("_", "-")): tuple(n.split(",")) for stage, n in chosen.items()}
    return BEEPS | others


def request(job_id: str, recording: Path | str, **options: object) -> JobRequested:
    """A job for the test engines."""
    wanted = JobOptions.model_validate({"engines": BEEPS} | options)
    return JobRequested(job_id=job_id, source=Source(uri=str(recording)), options=wanted)


@dataclass
class Running:
    """A mesh that runs, and all that it said."""

    mesh: Mesh
    client: Client
    events: list[Event] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    poison: list[Message] = field(default_factory=list)
    _heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def submit(self, wanted: JobRequested) -> None:
        await self.client.submit(wanted)

    async def until(self, condition: Callable[[], object]) -> None:
        """Return when the condition, which events can change, holds."""
        async with asyncio.timeout(WITHIN_S), self._heard:
            await self._heard.wait_for(lambda: bool(condition()))

    async def ended(self, job_id: str, *, times: int = 1) -> JobCompleted | JobFailed:
        """How a job has ended, once that has been told so often."""
        await self.until(lambda: len(self.ends(job_id)) >= times)
        return self.ends(job_id)[-1]

    def ends(self, job_id: str) -> list[JobCompleted | JobFailed]:
        """Every time that the end of a job was told."""
        return [
            event
            for event in self.events
            if event.job_id == job_id and isinstance(event, JobCompleted | JobFailed)
        ]

    async def completed(self, wanted: JobRequested) -> JobCompleted:
        """Do a job that must not fail."""
        await self.submit(wanted)
        outcome = await self.ended(wanted.job_id)
        assert isinstance(outcome, JobCompleted), outcome
        return outcome

    async def transcript(self, outcome: JobCompleted) -> Transcript:
        return await self.client.transcript(outcome)

    async def files(self, outcome: JobCompleted) -> dict[str, str]:
        """The job's files, without what tells it from another job on the same recording."""
        transcript = await self.transcript(outcome)
        found = {}
        for output in outcome.outputs:
            text = (await self.mesh.artifacts.get(output.artifact)).decode()
            for own in (transcript.job_id, transcript.created_at):
                text = text.replace(own, "")
            found[output.name] = text
        return found

    async def listen(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            async with self._heard:
                if message.topic == DeadLetter.topic:
                    self.letters.append(DeadLetter.model_validate_json(message.body))
                else:
                    try:
                        self.events.append(to_event(message))
                    except PermanentError:
                        self.poison.append(message)
                self._heard.notify_all()


@asynccontextmanager
async def running(
    bus: Bus,
    redis_url: str,
    folder: Path,
    workers: Workers | None = None,
    ingest_settings: IngestSettings = IngestSettings(local_files=True),  # noqa: B008 -- it is frozen
    **settings: object,
) -> AsyncIterator[Running]:
    """All six services on a bus, with Redis for leases, until the block ends."""
    own = {
        "store": str(folder / "store"),
        "backoff_s": 0.01,
        "grace_s": 5.0,
        "processes": 2,
        "retry_delays_s": (),
        "breaker_failures": 1000,
    }
    workers = workers or WorkerThreads(2)
    async with Redis.from_url(redis_url) as redis:
        made = MeshSettings.model_validate({"state_dir": folder} | own | settings)
        mesh = Mesh.joined(made, bus=bus, redis=redis, workers=workers)
        services = [
            ingest.service(mesh, ingest_settings),
            *wired(mesh, NAMES[1:]),
        ]
        found = Running(mesh, Client(bus, mesh.artifacts))
        async with mesh.serving(services), bus.follow(TOPICS) as messages:
            listening = asyncio.create_task(found.listen(messages))
            try:
                yield found
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening
        await workers.aclose()


Meddle = Callable[[Message], Awaitable[Iterable[Message]]]
"""What is published in a message's place."""


class MeddledBus:
    """A bus whose messages go through someone's hands on their way in."""

    def __init__(self, bus: Bus, meddle: Meddle) -> None:
        self._bus = bus
        self._meddle = meddle

    async def publish(self, message: Message) -> None:
        for passed_on in await self._meddle(message):
            await self._bus.publish(passed_on)

    def subscribe(
        self,
        topics: Sequence[str],
        *,
        group: str,
        on_message: OnMessage,
        slots: Slots,
        weight: int = 1,
    ) -> None:
        self._bus.subscribe(topics, group=group, on_message=on_message, slots=slots, weight=weight)

    def kept(self, topic: str) -> AsyncIterator[Message]:
        return self._bus.kept(topic)

    def follow(self, topics: Sequence[str]) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        return self._bus.follow(topics)

    async def start(self) -> None:
        await self._bus.start()

    async def stop(self, grace_s: float) -> None:
        await self._bus.stop(grace_s)


async def twice(message: Message) -> Iterable[Message]:
    """Everything is published twice."""
    return (message, message)


class Shuffle:
    """Holds messages back and lets them go in a random order, some only when all else is quiet."""

    def __init__(self, bus: Bus, seed: int, *, hold: int = 8) -> None:
        self._bus = bus
        self._random = random.Random(seed)  # noqa: S311 -- an order, not a secret
        self._held: list[Message] = []
        self._hold = hold

    async def __call__(self, message: Message) -> Iterable[Message]:
        self._held.append(message)
        if len(self._held) > self._hold:
            return (self._any(),)
        asyncio.get_running_loop().call_later(self._random.uniform(0.05, 0.2), self._let_one_go)
        return ()

    def _any(self) -> Message:
        return self._held.pop(self._random.randrange(len(self._held)))

    def _let_one_go(self) -> None:
        if self._held:
            self._going = asyncio.ensure_future(self._bus.publish(self._any()))
