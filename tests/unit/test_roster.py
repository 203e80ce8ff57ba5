"""Which engines are up, by what workers announce."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from services.runtime.errors import TransientError
from services.runtime.roster import EngineStatus, Roster
from tests.polling import until
from voxmesh_schemas import Stage

WHISPER = EngineStatus(name="faster-whisper", usable=False, reason="no model", remedy="fetch one")
WHISPER_READY = EngineStatus(name="faster-whisper", model="large-v3", usable=True, reason="a GPU")
SPHINX = EngineStatus(name="pocketsphinx", usable=True, reason="it is bundled")


@asynccontextmanager
async def announcing(roster: Roster, stage: Stage, *statuses: EngineStatus) -> AsyncIterator[None]:
    task = asyncio.create_task(roster.announce({stage: lambda: statuses}))
    try:
        await roster.wait_for([stage], within_s=30)
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_workers_engines_are_known_in_its_order(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        roster = Roster(redis, prefix="voxmesh:")
        async with announcing(roster, Stage.TRANSCRIBE, WHISPER, SPHINX):
            assert await roster.engines(Stage.TRANSCRIBE) == (WHISPER, SPHINX)
            assert await roster.engines(Stage.DIARIZE) == ()


async def test_an_engine_is_usable_when_any_worker_can_use_it(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        cpu, gpu = Roster(redis, prefix="voxmesh:"), Roster(redis, prefix="voxmesh:")
        async with (
            announcing(cpu, Stage.TRANSCRIBE, WHISPER, SPHINX),
            announcing(gpu, Stage.TRANSCRIBE, WHISPER_READY),
        ):

            async def all_known() -> bool:
                found = await cpu.engines(Stage.TRANSCRIBE)
                return set(found) == {WHISPER_READY, SPHINX}

            await until(all_known)


async def test_meshes_with_different_prefixes_do_not_see_each_other(redis_url: str) -> None:
    async with (
        Redis.from_url(redis_url) as redis,
        announcing(Roster(redis, prefix="blue:"), Stage.TRANSCRIBE, SPHINX),
    ):
        assert await Roster(redis, prefix="green:").engines(Stage.TRANSCRIBE) == ()


async def test_an_announcement_lapses_when_its_worker_is_gone(redis_url: str) -> None:
    async with (
        Redis.from_url(redis_url) as redis,
        announcing(Roster(redis, prefix="voxmesh:"), Stage.TRANSCRIBE, SPHINX),
    ):
        keys = [key async for key in redis.scan_iter("voxmesh:roster:*")]
        lifetimes = [await redis.pttl(key) for key in keys]
    assert len(keys) == 1
    assert 0 < lifetimes[0] <= 20_000


async def test_a_stage_without_a_worker_is_named(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        with pytest.raises(TransientError, match="no diarize service is running"):
            await Roster(redis, prefix="voxmesh:").wait_for([Stage.DIARIZE], within_s=0)


async def test_without_redis_it_is_a_passing_failure() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as redis:
        with pytest.raises(TransientError, match="does not tell which engines are up"):
            await Roster(redis, prefix="").engines(Stage.DIARIZE)
