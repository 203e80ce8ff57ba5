"""Which engines are up: each worker announces its own in Redis, ingest plans jobs by it.

Soft state: an announcement lapses unless it is renewed, and after a wiped Redis all are back within
`ANNOUNCE_EVERY_S`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence

import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.runtime.breaker import BreakerState
from services.runtime.cancellation import raise_if_cancelled
from services.runtime.errors import TransientError
from voxmesh_schemas import Record, Stage

log = structlog.get_logger(__name__)

ANNOUNCE_EVERY_S = 5.0
LAPSES_AFTER_S = 20.0


class EngineStatus(Record):
    """An engine of a worker, as it stands there."""

    name: str
    model: str = ""
    usable: bool
    reason: str
    remedy: str = ""
    sends_audio_to: str | None = None
    """Who else gets to hear its audio; it is then used only when asked for by name."""
    breaker: str = BreakerState.CLOSED
    """closed, half-open or open: whether its worker asks it now."""


_STATUSES = TypeAdapter(tuple[EngineStatus, ...])


class Roster:
    """The announcements of all workers of a mesh."""

    def __init__(self, redis: Redis, *, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{prefix}roster"
        self._worker = f"{os.getpid()}-{os.urandom(4).hex()}"

    async def announce(
        self,
        engines: Mapping[Stage, Callable[[], Sequence[EngineStatus]]],
        breaker: Callable[[Stage, str], str] = lambda stage, engine: BreakerState.CLOSED,
    ) -> None:
        """Keep announcing this worker's engines, and how their breakers stand, until cancelled."""
        found = {stage: await asyncio.to_thread(look) for stage, look in engines.items()}
        while True:
            try:
                for stage, statuses in found.items():
                    key = f"{self._prefix}:{stage}:{self._worker}"
                    now = [
                        s.model_copy(update={"breaker": breaker(stage, s.name)}) for s in statuses
                    ]
                    await self._redis.set(
                        key, _STATUSES.dump_json(tuple(now)), px=int(LAPSES_AFTER_S * 1000)
                    )
            except RedisError as error:
                log.warning("engines could not be announced", error=str(error))
            raise_if_cancelled()
            await asyncio.sleep(ANNOUNCE_EVERY_S)

    async def engines(self, stage: Stage) -> tuple[EngineStatus, ...]:
        """Engines of a stage over all workers, one entry each, usable where any worker can use it.

        Raises:
            TransientError: when Redis does not answer.
        """
        try:
            keys = sorted([k async for k in self._redis.scan_iter(f"{self._prefix}:{stage}:*")])
            values = await self._redis.mget(keys) if keys else []
        except RedisError as error:
            raise TransientError(f"Redis does not tell which engines are up: {error}") from error
        best: dict[str, EngineStatus] = {}
        for value in (value for value in values if value is not None):
            for status in _STATUSES.validate_json(value):
                if status.name not in best or _rank(status) > _rank(best[status.name]):
                    best[status.name] = status
        return tuple(best.values())

    async def wait_for(self, stages: Sequence[Stage], *, within_s: float) -> None:
        """Return when a worker of every stage is up.

        Raises:
            TransientError: when one is missing after `within_s`.
        """
        deadline = asyncio.get_running_loop().time() + within_s
        for stage in stages:
            while not await self.engines(stage):
                if asyncio.get_running_loop().time() > deadline:
                    raise TransientError(f"no {stage} service is running")
                await asyncio.sleep(0.05)


def _rank(status: EngineStatus) -> tuple[bool, bool]:
    return status.usable, status.breaker != BreakerState.OPEN
