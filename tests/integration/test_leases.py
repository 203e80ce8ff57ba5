"""A lease whose holder dies is taken over, and not before."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from services.runtime.artifacts import Artifacts
from services.runtime.results import Recipe, Results
from tests.polling import until
from voxmesh_schemas import Stage

LEASE_S = 0.9
RECIPE = Recipe(Stage.TRANSCRIBE, "slow", "1", {}, "0" * 64)
HOLDER = """
import asyncio, sys
from redis.asyncio import Redis
from services.runtime.artifacts import Artifacts
from services.runtime.results import Results
from tests.integration.test_leases import LEASE_S, RECIPE

async def compute() -> bytes:
    print("computing", flush=True)
    await asyncio.Event().wait()

async def main() -> None:
    async with Redis.from_url(sys.argv[1]) as redis:
        results = Results(Artifacts.at(sys.argv[2]), redis, lease_s=LEASE_S, prefix="")
        await results.get_or_compute(RECIPE, compute)

asyncio.run(main())
"""


@pytest.mark.redis
async def test_a_process_that_is_killed_in_its_work_is_relieved(
    redis_url: str, tmp_path: Path
) -> None:
    store = str(tmp_path / "store")
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, redis_url, store), stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout
    assert await holder.stdout.readline() == b"computing\n"
    computed: list[str] = []

    async def compute() -> bytes:
        computed.append("here")
        return b"done"

    async with Redis.from_url(redis_url) as redis:
        results = Results(Artifacts.at(store), redis, lease_s=LEASE_S, prefix="")
        waiting = asyncio.create_task(results.get_or_compute(RECIPE, compute))
        await renewals(redis, 3)
        assert not computed, "a holder that lives keeps its lease for longer than it lasts"
        holder.send_signal(signal.SIGKILL)
        await holder.wait()
        assert not (await waiting).reused
    assert computed == ["here"]


async def renewals(redis: Redis, count: int) -> None:
    """Wait until the lease was renewed so often."""
    left_ms = [0]

    async def renewed() -> bool:
        left_ms.append(await redis.pttl(f"lease:{RECIPE.path}"))
        return left_ms[-1] > left_ms[-2]

    for _ in range(count):
        await until(renewed)
