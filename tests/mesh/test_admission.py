"""Jobs beside each other: a long one does not hold up short ones, and priorities count."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.ingest.settings import IngestSettings
from services.runtime.bus import Bus, MemoryBus
from services.runtime.bus.redis_streams import RedisBus
from tests.mesh.beeps import conversation, write_wav
from tests.mesh.running import request, running
from voxmesh_schemas import AudioChunked, Priority, SpeechTranscribed

LONG = conversation(300, loudest=(50, 120, 230))
"""Some 210 s in ten chunks."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "long.wav", LONG)


@pytest.fixture(params=["memory", "redis"])
def bus(request: pytest.FixtureRequest, redis_url: str) -> Bus:
    return MemoryBus() if request.param == "memory" else RedisBus(redis_url, prefix="")


async def test_no_more_chunks_of_a_job_are_in_flight_than_allowed(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    settings = IngestSettings(local_files=True, chunks_in_flight=2)
    async with running(bus, redis_url, tmp_path, ingest_settings=settings) as mesh:
        outcome = await mesh.completed(request("job", recording))
        assert not outcome.warnings
        most, published, done = 0, 0, dict[int, set[str]]()
        for event in mesh.events:
            if isinstance(event, AudioChunked):
                published += 1
            elif hasattr(event, "chunk"):
                done.setdefault(event.chunk.index, set()).add(f"{event.stage}")
            complete = sum(len(stages) == 4 for stages in done.values())
            most = max(most, published - complete)
    assert published >= 8
    assert most <= 2


async def test_a_job_of_high_priority_overtakes_one_of_low(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    short = write_wav(tmp_path / "short.wav", conversation(20))
    low = request("low", recording).model_copy(update={"priority": Priority.LOW})
    high = request("high", short).model_copy(update={"priority": Priority.HIGH})
    async with running(bus, redis_url, tmp_path, processes=1) as mesh:
        await mesh.submit(low)
        await mesh.until(lambda: any(isinstance(e, SpeechTranscribed) for e in mesh.events))
        await mesh.submit(high)
        await mesh.ended("high")
        ended = [event.job_id for event in mesh.events if event in mesh.ends(event.job_id)]
        await mesh.ended("low")
    assert ended == ["high"]
    topics = {e.topic_of(e.lane) for e in mesh.events if isinstance(e, AudioChunked)}
    assert topics == {"audio.chunked.high", "audio.chunked.low"}
