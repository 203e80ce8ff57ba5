"""Jobs that are called off or run out of time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from services.cli.cancel import cancel
from services.cli.exits import SUCCESS
from services.runtime.bus import Bus, MemoryBus, make_bus
from services.runtime.bus.redis_streams import RedisBus
from services.runtime.errors import BadInputError
from services.runtime.settings import MeshSettings
from services.runtime.workers import WorkerThreads
from tests.integration.brokers import BROKERS
from tests.mesh.beeps import conversation, write_wav
from tests.mesh.running import engines, running
from tests.mesh.running import request as asked_for
from tests.polling import until
from voxmesh_schemas import (
    AudioIngested,
    JobCompleted,
    JobFailed,
    SpeakersDiarized,
    SpeechTranscribed,
    TranscriptMerged,
)

TALK = conversation(110, loudest=(50,))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Four chunks."""
    return write_wav(tmp_path / "talk.wav", TALK)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXMESH_TEST_DELAY_S", "1")


@pytest.fixture(params=["memory", "redis"])
def bus(request: pytest.FixtureRequest, redis_url: str) -> Bus:
    return MemoryBus() if request.param == "memory" else RedisBus(redis_url, prefix="")


@pytest.mark.usefixtures("slow")
async def test_a_job_that_is_cancelled_ends_soon_and_leaves_nothing(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    wanted = asked_for("job", recording, engines=engines(transcribe="beeps-slow"))
    async with running(bus, redis_url, tmp_path) as mesh:
        await mesh.submit(wanted)
        await mesh.until(lambda: any(isinstance(e, SpeakersDiarized) for e in mesh.events))
        await mesh.client.cancel("job")
        outcome = await mesh.ended("job")
        assert isinstance(outcome, JobFailed)
        assert outcome.reason == "cancelled"
        assert not outcome.bad_input
        # Another job is not held up by what the first one would still have to do.
        after = await mesh.completed(asked_for("after", recording))
        assert not after.warnings
        assert {end.id for end in mesh.ends("job")} == {outcome.id}
        assert await mesh.client.outcome("job") == outcome
        # Asked for again, it is not begun again.
        await mesh.submit(wanted)
        await mesh.completed(asked_for("last", recording))
    heard = [e for e in mesh.events if isinstance(e, SpeechTranscribed) and e.job_id == "job"]
    assert len(heard) < 4
    assert not mesh.letters
    assert not [*(tmp_path / "store/jobs/job").glob("audio/*")]
    assert not [*(tmp_path / "store/jobs/job").glob("receipts/*/*")]


async def test_a_job_that_has_ended_cannot_be_cancelled(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    async with running(bus, redis_url, tmp_path) as mesh:
        outcome = await mesh.completed(asked_for("job", recording))
        await mesh.client.cancel("job")
        await mesh.completed(asked_for("after", recording))
        assert await mesh.client.outcome("job") == outcome
    assert len(mesh.ends("job")) == 1


async def test_at_its_deadline_a_job_ends_with_what_there_is(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXMESH_TEST_DELAY_S", "8")
    wanted = asked_for("job", recording, engines=engines(diarize="beeps-slow"), deadline_s=5)
    async with running(bus, redis_url, tmp_path, WorkerThreads(8)) as mesh:
        outcome = await mesh.completed(wanted)
        transcript = await mesh.transcript(outcome)
    words = sum(len(utterance.words) for utterance in transcript.utterances)
    assert words == len(TALK)
    (notice,) = [notice for notice in outcome.warnings if notice.code == "deadline"]
    assert notice.message == "The deadline of 5 s passed with 4 of 16 results outstanding."
    assert notice in transcript.warnings
    assert not [*(tmp_path / "store/jobs/job").glob("audio/*")]


async def test_a_deadline_before_anything_is_heard_fails_the_job(
    redis_url: str, tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXMESH_TEST_DELAY_S", "3")
    wanted = asked_for("job", recording, engines=engines(transcribe="beeps-slow"), deadline_s=1)
    async with running(MemoryBus(), redis_url, tmp_path) as mesh:
        await mesh.submit(wanted)
        outcome = await mesh.ended("job")
    assert isinstance(outcome, JobFailed)
    assert outcome.reason == "the deadline passed before anything was transcribed"


async def test_a_deadline_outlives_the_processes(
    redis_url: str, tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXMESH_TEST_DELAY_S", "2")
    wanted = asked_for("job", recording, engines=engines(diarize="beeps-slow"), deadline_s=1)
    async with running(RedisBus(redis_url, prefix=""), redis_url, tmp_path) as mesh:
        await mesh.submit(wanted)
        await mesh.until(lambda: any(isinstance(e, AudioIngested) for e in mesh.events))
        noted = tmp_path / "store/agenda/deadline"
        await until(lambda: list(noted.glob("*.job")))
    if any(isinstance(event, TranscriptMerged) for event in mesh.events):
        pytest.fail("it ended before the restart, which this is about")
    async with running(RedisBus(redis_url, prefix=""), redis_url, tmp_path) as mesh:
        await until(lambda: ended(tmp_path) and not list(noted.glob("*.job")))
        outcome = await mesh.client.outcome("job")
    assert isinstance(outcome, JobCompleted | JobFailed)


def ended(folder: Path) -> bool:
    job = folder / "store/jobs/job"
    return any((job / f"{name}.json").exists() for name in ("completed", "failed"))


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.usefixtures("slow")
async def test_the_command_cancels_a_job_and_refuses_one_that_has_ended(
    broker: str,
    request: pytest.FixtureRequest,
    redis_url: str,
    tmp_path: Path,
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, prefix = request.getfixturevalue(f"{broker}_url"), f"test-{uuid4().hex}."
    monkeypatch.setenv("VOXMESH_TOPIC_PREFIX", prefix)
    monkeypatch.setenv("VOXMESH_TOPIC_PARTITIONS", "2")
    monkeypatch.setenv("VOXMESH_STORE", str(tmp_path / "store"))
    bus = make_bus(MeshSettings(broker=url))
    wanted = asked_for("job", recording, engines=engines(transcribe="beeps-slow"))
    async with running(bus, redis_url, tmp_path) as mesh:
        await mesh.submit(wanted)
        await mesh.until(lambda: any(isinstance(e, SpeakersDiarized) for e in mesh.events))
        assert await asyncio.to_thread(cancel, "job", url) == SUCCESS
        assert {end.id for end in mesh.ends("job")} == {(await mesh.ended("job")).id}
        await mesh.completed(asked_for("after", recording))
        with pytest.raises(BadInputError, match="the job after has ended already: completed"):
            await asyncio.to_thread(cancel, "after", url)
