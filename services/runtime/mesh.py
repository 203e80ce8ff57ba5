"""The one place where a process of the mesh is put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from services.runtime.artifacts import Artifacts
from services.runtime.breaker import Breakers
from services.runtime.bus import Bus, make_bus
from services.runtime.delivery import Delivery, OnHandedBack
from services.runtime.ended_jobs import EndedJobs
from services.runtime.errors import PermanentError
from services.runtime.inference import Inference
from services.runtime.results import Results
from services.runtime.retry import RetryPolicy
from services.runtime.roster import Roster
from services.runtime.service import Service
from services.runtime.settings import EMBEDDED, MeshSettings
from services.runtime.telemetry import watch_lag
from services.runtime.workers import WorkerProcesses, Workers


@dataclass(frozen=True)
class Mesh:
    """What a service is wired with."""

    settings: MeshSettings
    bus: Bus
    redis: Redis
    artifacts: Artifacts
    results: Results
    ended: EndedJobs
    roster: Roster
    workers: Workers
    retry: RetryPolicy
    breakers: Breakers

    @property
    def inference(self) -> Inference:
        """What a stage with engines needs."""
        return Inference(self.artifacts, self.results, self.workers, self.retry, self.breakers)

    @classmethod
    def joined(cls, settings: MeshSettings, *, bus: Bus, redis: Redis, workers: Workers) -> Mesh:
        """A mesh on a bus and a Redis that are there already."""
        artifacts = Artifacts.at(settings.store or str(settings.state_dir / "store"))
        prefix = f"{settings.topic_prefix}voxmesh:"
        return cls(
            settings=settings,
            bus=bus,
            redis=redis,
            artifacts=artifacts,
            results=Results(artifacts, redis, lease_s=settings.lease_s, prefix=prefix),
            ended=EndedJobs(redis, prefix=prefix),
            roster=Roster(redis, prefix=prefix),
            workers=workers,
            retry=RetryPolicy(settings.attempts, settings.backoff_s),
            breakers=Breakers(
                settings.breaker_failures,
                settings.breaker_rest_s,
                patient=not settings.retry_delays_s,
            ),
        )

    @asynccontextmanager
    async def serving(
        self, services: Sequence[Service], on_handed_back: OnHandedBack | None = None
    ) -> AsyncIterator[None]:
        """Run services until the block ends, then let what they have in work end."""
        delays_s = self.settings.retry_delays_s
        deliveries = [
            Delivery(
                service,
                self.bus,
                self.retry,
                on_handed_back,
                delays_s=delays_s,
                ended=self.ended,
            )
            for service in services
        ]
        for delivery in deliveries:
            delivery.subscribe()
        await self.bus.start()

        def drop(job_id: str) -> None:
            for delivery in deliveries:
                delivery.drop(job_id)

        beside = [
            self.ended.watch(drop),
            *(
                self.roster.announce(service.engines, self.breakers.state)
                for service in services
                if service.engines
            ),
            *(delivery.do_chores() for delivery in deliveries),
            *([watch_lag(self.bus)] if self.settings.health_port is not None else []),
        ]
        tasks = [asyncio.create_task(work) for work in beside]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for delivery in deliveries:
                delivery.stop_waiting()
            await self.bus.stop(self.settings.grace_s)


@asynccontextmanager
async def connected(settings: MeshSettings) -> AsyncIterator[Mesh]:
    """A mesh on the broker that the settings name, with worker processes of its own.

    Raises:
        PermanentError: when the settings name no broker, or no Redis beside Kafka.
    """
    if settings.broker == EMBEDDED:
        raise PermanentError("name a broker: --broker kafka://host:port or redis://host:port")
    url = settings.redis_url.get_secret_value() if settings.redis_url else ""
    if not url and settings.broker.startswith(("redis://", "rediss://", "unix://")):
        url = settings.broker
    bus = make_bus(settings)
    if not url:
        raise PermanentError("Kafka needs a Redis beside it for leases: set VOXMESH_REDIS_URL")
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(url))
        workers = WorkerProcesses(settings.cores)
        stack.push_async_callback(workers.aclose)
        yield Mesh.joined(settings, bus=bus, redis=redis, workers=workers)
