"""Jobs on which no more work is wanted, as every process knows them.

Soft state in Redis: whoever does not hear of it works in vain, and merge drops the result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.runtime.cancellation import raise_if_cancelled
from services.runtime.errors import TransientError

log = structlog.get_logger(__name__)

CANCELLED = "cancelled"
"""Why a job has failed that was called off."""
LOOK_EVERY_S = 0.5
KNOWN_FOR_S = 24 * 3600


class EndedJobs:
    """The jobs that were cancelled, or ended before all their work was done."""

    def __init__(self, redis: Redis, *, prefix: str) -> None:
        self._redis = redis
        self._key = f"{prefix}ended"
        self._known: set[str] = set()

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._known

    async def add(self, job_id: str) -> None:
        """Have all processes stop working on a job.

        Raises:
            TransientError: when Redis does not answer.
        """
        now = time.time()
        try:
            async with self._redis.pipeline() as pipe:
                pipe.zadd(self._key, {job_id: now})
                pipe.zremrangebyscore(self._key, 0, now - KNOWN_FOR_S)
                await pipe.execute()
        except RedisError as error:
            raise TransientError(f"Redis does not tell that a job has ended: {error}") from error
        self._known.add(job_id)

    async def watch(self, on_ended: Callable[[str], None]) -> None:
        """Hear of jobs that end, until cancelled."""
        heard: set[str] = set()
        while True:
            raise_if_cancelled()
            try:
                members: list[Any] = await self._redis.zrange(self._key, 0, -1)
            except RedisError as error:
                log.warning("ended jobs are not known", error=str(error))
            else:
                self._known |= {member.decode() for member in members}
            for job_id in self._known - heard:
                on_ended(job_id)
            heard |= self._known
            await asyncio.sleep(LOOK_EVERY_S)
