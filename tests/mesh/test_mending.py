"""What was lost is mended by a replay of its dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from services.cli.dead_letters import original_of
from services.runtime.bus import Bus
from services.runtime.bus.redis_streams import RedisBus
from tests.mesh.beeps import conversation, write_wav
from tests.mesh.running import Running, engines, request, running
from voxmesh_schemas import JobCompleted, JobFailed, OutputFormat, TranscriptMerged

TALK = conversation(110, loudest=(50,))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Four chunks."""
    return write_wav(tmp_path / "talk.wav", TALK)


@pytest.fixture
def bus(redis_url: str) -> Bus:
    return RedisBus(redis_url, prefix="")


async def replayed(mesh: Running) -> None:
    for letter in list(mesh.letters):
        await mesh.mesh.bus.publish(original_of(letter))


def revision(mesh: Running, number: int) -> Callable[[], bool]:
    def told() -> bool:
        ends = mesh.ends("job")
        return any(isinstance(end, JobCompleted) and end.revision == number for end in ends)

    return told


async def test_a_replay_completes_a_job_that_ended_without_a_stage(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    # It fails twice for each chunk: at the only try, and at the first replay.
    wanted = engines(diarize="beeps-flaky")
    async with running(bus, redis_url, tmp_path, attempts=1) as mesh:
        first = await mesh.completed(request("job", recording, engines=wanted))
        assert {notice.code for notice in first.warnings} == {"lost-stage"}
        assert not (await mesh.transcript(first)).speakers
        before = await mesh.files(first)
        await mesh.until(lambda: len(mesh.letters) == 4)
        await replayed(mesh)
        await mesh.until(lambda: len(mesh.letters) == 8)
        mesh.letters[4:] = []
        await replayed(mesh)
        await mesh.until(revision(mesh, 2))
        second = mesh.ends("job")[-1]
        assert isinstance(second, JobCompleted)
        assert not second.warnings
        assert len((await mesh.transcript(second)).speakers) == 2
        assert await mesh.client.outcome("job") == second
        assert await mesh.files(first) == before, "what the first revision told stays as it was"
        assert second.id != first.id
        merges = [event for event in mesh.events if isinstance(event, TranscriptMerged)]
        assert [merge.revision for merge in merges] == [1, 2], "one revision for all four chunks"
    assert not [*(tmp_path / "store/jobs/job").glob("audio/*")]


async def test_a_replay_completes_a_job_that_failed(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    wanted = engines(transcribe="beeps-flaky")
    async with running(bus, redis_url, tmp_path, attempts=1) as mesh:
        await mesh.submit(request("job", recording, engines=wanted))
        assert isinstance(await mesh.ended("job"), JobFailed)
        await mesh.until(lambda: len(mesh.letters) == 4)
        await replayed(mesh)
        await mesh.until(lambda: len(mesh.letters) == 8)
        mesh.letters[4:] = []
        await replayed(mesh)
        await mesh.until(lambda: isinstance(mesh.ends("job")[-1], JobCompleted))
        assert isinstance(await mesh.client.outcome("job"), JobCompleted)


async def test_what_a_replay_needs_is_not_kept_where_there_can_be_none(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    wanted = engines(diarize="beeps-broken")
    async with running(bus, redis_url, tmp_path, replay_within_s=0) as mesh:
        await mesh.completed(request("job", recording, engines=wanted))
    assert not [*(tmp_path / "store/jobs/job").glob("audio/*")]
    assert not [*(tmp_path / "store").glob("agenda/*/*")]


async def test_a_job_that_wants_everything_fresh_reuses_nothing_but_its_own(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    async with running(bus, redis_url, tmp_path) as mesh:
        await mesh.completed(request("first", recording))
        fresh = await mesh.completed(request("second", recording, fresh=True))
        assert [use.reused for use in fresh.engines] == [0, 0, 0, 0]
        reusing = await mesh.completed(request("third", recording))
        assert [use.reused for use in reusing.engines] == [4, 4, 4, 4]
        written = await mesh.files(fresh)
        assert json.loads(written["transcript.json"])["plan"]["fresh"]
        captions = [name for name in written if not name.endswith("json")]
        assert len(captions) == len(fresh.outputs) - 1
        assert OutputFormat.VTT in {output.format for output in fresh.outputs}
