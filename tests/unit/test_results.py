"""Results are computed once, however many ask and however often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from services.runtime.artifacts import Artifacts
from services.runtime.errors import PermanentError, TransientError
from services.runtime.results import Recipe, Results
from tests.polling import until
from voxmesh_schemas import Stage

RECIPE = Recipe(Stage.TRANSCRIBE, "pocketsphinx", "en-us", {"language": "en"}, "0" * 64)


class Engine:
    """Counts what it is asked to compute, and computes when it is let."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.calls = 0
        self.let = asyncio.Event()
        if at_once:
            self.let.set()

    async def __call__(self) -> bytes:
        self.calls += 1
        await self.let.wait()
        return f"result {self.calls}".encode()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts.at(str(tmp_path / "store"))


@pytest.fixture
def results(artifacts: Artifacts, redis: Redis) -> Results:
    return Results(artifacts, redis, lease_s=30, prefix="voxmesh:")


async def test_a_result_is_computed_and_then_found(results: Results, artifacts: Artifacts) -> None:
    engine = Engine()
    first = await results.get_or_compute(RECIPE, engine)
    second = await results.get_or_compute(RECIPE, engine)
    assert (first.reused, second.reused, engine.calls) == (False, True, 1)
    assert second.compute_ms == 0
    assert first.artifact == second.artifact
    assert await artifacts.get(second.artifact) == b"result 1"


async def test_of_many_who_ask_at_once_one_computes(artifacts: Artifacts, redis: Redis) -> None:
    engine = Engine(at_once=False)
    workers = [Results(artifacts, redis, lease_s=30, prefix="voxmesh:") for _ in range(8)]
    asked = [asyncio.create_task(w.get_or_compute(RECIPE, engine)) for w in workers]
    await until(lambda: engine.calls)
    engine.let.set()
    answers = await asyncio.gather(*asked)
    assert engine.calls == 1
    assert sorted(answer.reused for answer in answers) == [False] + [True] * 7
    assert len({answer.artifact for answer in answers}) == 1


async def test_a_lease_is_kept_for_longer_than_it_lasts(artifacts: Artifacts, redis: Redis) -> None:
    results = Results(artifacts, redis, lease_s=0.3, prefix="voxmesh:")
    engine = Engine(at_once=False)
    asked = [asyncio.create_task(results.get_or_compute(RECIPE, engine)) for _ in range(2)]
    await until(lambda: engine.calls)
    (lease,) = [key async for key in redis.scan_iter("voxmesh:lease:*")]
    for _ in range(4):
        await renewed(redis, lease)
    engine.let.set()
    await asyncio.gather(*asked)
    assert engine.calls == 1


async def renewed(redis: Redis, lease: Any) -> None:
    """Wait until a lease has more time left than it had a moment ago."""
    left = [await redis.pttl(lease)]

    async def has_grown() -> bool:
        left.append(await redis.pttl(lease))
        return left[-1] > left[-2]

    await until(has_grown)


async def test_when_the_one_who_computes_dies_another_does(
    artifacts: Artifacts, redis: Redis
) -> None:
    results = Results(artifacts, redis, lease_s=0.3, prefix="voxmesh:")
    # What a killed process leaves: a lease that nobody renews.
    await redis.set(f"voxmesh:lease:{RECIPE.path}", "gone", px=300)
    engine = Engine()
    answer = await results.get_or_compute(RECIPE, engine)
    assert (answer.reused, engine.calls) == (False, 1)


async def test_a_failure_is_told_and_frees_the_lease(results: Results) -> None:
    async def fails() -> bytes:
        raise PermanentError("it cannot be done")

    with pytest.raises(PermanentError, match="it cannot be done"):
        await results.get_or_compute(RECIPE, fails)
    answer = await results.get_or_compute(RECIPE, Engine())
    assert not answer.reused


async def test_redis_may_be_wiped_while_a_result_is_made(results: Results, redis: Redis) -> None:
    engine = Engine(at_once=False)
    asked = asyncio.create_task(results.get_or_compute(RECIPE, engine))
    await until(lambda: engine.calls)
    await redis.flushall()
    engine.let.set()
    assert not (await asked).reused
    assert (await results.get_or_compute(RECIPE, engine)).reused


async def test_without_redis_it_is_a_passing_failure(artifacts: Artifacts) -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as absent:
        results = Results(artifacts, absent, lease_s=30, prefix="voxmesh:")
        with pytest.raises(TransientError, match="Redis gives no lease"):
            await results.get_or_compute(RECIPE, Engine())


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, stage=Stage.DIARIZE),
        replace(RECIPE, engine="faster-whisper"),
        replace(RECIPE, model="en-gb"),
        replace(RECIPE, parameters={"language": None}),
        replace(RECIPE, input_sha256="1" * 64),
    ],
)
def test_whatever_a_result_depends_on_is_part_of_its_address(other: Recipe) -> None:
    assert other.path != RECIPE.path


def test_the_order_of_parameters_is_not() -> None:
    one, other = {"a": 1, "b": "x"}, {"b": "x", "a": 1}
    assert replace(RECIPE, parameters=one).path == replace(RECIPE, parameters=other).path


async def test_who_comes_late_changes_nothing_that_others_have_read(
    results: Results, artifacts: Artifacts, redis: Redis
) -> None:
    late = Engine(at_once=False)
    asked = asyncio.create_task(results.get_or_compute(RECIPE, late))
    await until(lambda: late.calls)
    await redis.flushall()  # as when the holder slept for longer than its lease

    async def other() -> bytes:
        return b"another result"

    first = await results.get_or_compute(RECIPE, other)
    late.let.set()
    assert (await asked).artifact == first.artifact
    assert await artifacts.get(first.artifact) == b"another result"
