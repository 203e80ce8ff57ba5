"""What failed in a way that may pass is done later, and what was lost is mended by a replay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.runtime.bus import MemoryBus
from tests.mesh.beeps import conversation, write_wav
from tests.mesh.running import engines, request, running
from voxmesh_schemas import SpeakersDiarized, SpeechTranscribed, Stage

TALK = conversation(24)


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """One chunk."""
    return write_wav(tmp_path / "short.wav", TALK)


@pytest.mark.parametrize("stage", ["transcribe", "diarize", "emotion-audio", "emotion-text"])
async def test_an_engine_that_is_busy_is_asked_again_later_and_holds_up_no_other(
    redis_url: str, tmp_path: Path, short: Path, stage: str
) -> None:
    wanted = engines(**{stage.replace("-", "_"): "beeps,beeps-flaky"})
    settings = {"attempts": 1, "retry_delays_s": (0.1, 0.1)}
    async with running(MemoryBus(), redis_url, tmp_path, **settings) as mesh:
        outcome = await mesh.completed(request("job", short, engines=wanted))
    assert not outcome.warnings
    assert not mesh.letters
    uses = {use.engine: use for use in outcome.engines if use.stage == stage}
    assert [use.chunks for use in uses.values()] == [1, 1]


async def test_an_engine_that_stays_busy_is_lost_when_the_last_delay_is_used_up(
    redis_url: str, tmp_path: Path, short: Path
) -> None:
    wanted = engines(diarize="beeps,beeps-flaky")
    settings = {"attempts": 1, "retry_delays_s": (0.1,)}
    async with running(MemoryBus(), redis_url, tmp_path, **settings) as mesh:
        outcome = await mesh.completed(request("job", short, engines=wanted))
        (letter,) = mesh.letters
    (notice,) = outcome.warnings
    assert notice.code == "lost-stage"
    assert "beeps-flaky: the device is busy" in notice.message
    assert [failure.error for failure in letter.history] == ["beeps-flaky: the device is busy"] * 2
    lost = {use.engine: use.failed for use in outcome.engines if use.stage is Stage.DIARIZE}
    assert lost == {"beeps": 0, "beeps-flaky": 1}
    first = next(
        event
        for event in mesh.events
        if isinstance(event, SpeakersDiarized | SpeechTranscribed) and event.stage is Stage.DIARIZE
    )
    assert first.engine == "beeps"


async def test_an_engine_that_keeps_failing_is_not_asked_and_the_others_stand_in(
    redis_url: str, tmp_path: Path
) -> None:
    recording = write_wav(tmp_path / "talk.wav", conversation(110, loudest=(50,)))
    wanted = engines(diarize="beeps-flaky,beeps")
    settings = {"attempts": 1, "processes": 1, "breaker_failures": 2, "retry_delays_s": (0.05,)}
    async with running(MemoryBus(), redis_url, tmp_path, **settings) as mesh:
        outcome = await mesh.completed(request("job", recording, engines=wanted))
        (status,) = [
            status
            for status in await mesh.mesh.roster.engines(Stage.DIARIZE)
            if status.name == "beeps-flaky"
        ]
        assert len((await mesh.transcript(outcome)).speakers) == 2
    assert status.usable
    reasons = " ".join(notice.message for notice in outcome.warnings)
    assert re.search(r"the engine beeps-flaky failed \d+ times in a row and rests", reasons)
