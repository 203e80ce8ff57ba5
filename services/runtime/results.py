"""Results found by what they are made of, and computed once.

A result's address is the hash of its recipe: stage, engine, model, parameters and the input's own
hash. A repeated delivery, a resumed job and a second job on the same recording therefore find it.
While one worker computes, a lease in Redis keeps the others waiting for its result.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import structlog
from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from services.runtime.artifacts import Artifacts
from services.runtime.cancellation import raise_if_cancelled
from services.runtime.engines import Parameters
from services.runtime.errors import TransientError
from voxmesh_schemas import ArtifactRef, Stage

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/json"


@dataclass(frozen=True)
class Recipe:
    """All that a result depends on."""

    stage: Stage
    engine: str
    model: str
    parameters: Parameters
    input_sha256: str
    salt: str = ""
    """Of a job that wants everything computed anew."""

    @property
    def path(self) -> str:
        """Where the result is stored."""
        facts = {name: fact for name, fact in asdict(self).items() if name != "salt" or fact}
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return f"results/{self.stage}/{digest[:2]}/{digest}.json"


@dataclass(frozen=True)
class Computed:
    """A result, and what it cost."""

    artifact: ArtifactRef
    compute_ms: int
    """Time it took now; 0 when it was found."""
    reused: bool


class Results:
    """The store of results, shared by all jobs."""

    def __init__(self, artifacts: Artifacts, redis: Redis, *, lease_s: float, prefix: str) -> None:
        self._artifacts = artifacts
        self._redis = redis
        self._lease_s = lease_s
        self._prefix = prefix

    async def get_or_compute(
        self, recipe: Recipe, compute: Callable[[], Awaitable[bytes]]
    ) -> Computed:
        """The result of a recipe: found, waited for, or computed here.

        Raises:
            TransientError: when the store or Redis fails. Errors of `compute` come through.
        """
        found = await self._find(recipe)
        if found is not None:
            return found
        async with self.lease(recipe.path):
            # Whoever held the lease before may have stored it meanwhile.
            found = await self._find(recipe)
            if found is not None:
                return found
            started = time.monotonic()
            data = await compute()
            spent_ms = round((time.monotonic() - started) * 1000)
            # Not changed by one whose lease has lapsed: others may have read what is there.
            artifact = await self._artifacts.put_new(recipe.path, data, MEDIA_TYPE)
            return Computed(artifact, spent_ms, reused=False)

    async def _find(self, recipe: Recipe) -> Computed | None:
        data = await self._artifacts.read(recipe.path)
        if data is None:
            return None
        ref = ArtifactRef(
            uri=f"{self._artifacts.base}/{recipe.path}",
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            media_type=MEDIA_TYPE,
        )
        return Computed(ref, 0, reused=True)

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[None]:
        """Hold a name to oneself, renewed while the block runs; waits while another holds it.

        Raises:
            TransientError: when Redis does not answer.
        """
        lock = self._redis.lock(
            f"{self._prefix}lease:{name}", timeout=self._lease_s, sleep=0.1, thread_local=False
        )
        try:
            await lock.acquire()
        except RedisError as error:
            raise TransientError(f"Redis gives no lease: {error}") from error
        renewal = asyncio.create_task(self._renew(lock))
        try:
            yield
        finally:
            renewal.cancel()
            try:
                await lock.release()
            except (RedisError, LockError) as error:
                # It lapsed or Redis was wiped: at worst another worker computed the same result.
                log.warning("a lease was lost while it was held", lease=name, error=str(error))

    async def release_all(self) -> None:
        """Let go of every lease: for a Redis of one process, which holds those of its last life.

        Raises:
            TransientError: when Redis does not answer.
        """
        try:
            async for key in self._redis.scan_iter(f"{self._prefix}lease:*"):
                await self._redis.delete(key)
        except RedisError as error:
            raise TransientError(f"Redis gives no lease back: {error}") from error

    async def _renew(self, lock: Lock) -> None:
        while True:
            raise_if_cancelled()
            await asyncio.sleep(self._lease_s / 3)
            try:
                await lock.extend(self._lease_s, replace_ttl=True)
            except (RedisError, LockError) as error:
                log.warning("a lease could not be renewed", lease=str(lock.name), error=str(error))
