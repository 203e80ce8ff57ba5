"""The whole mesh in one process, on recordings whose every word is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.runtime.bus import Bus, MemoryBus
from services.runtime.bus.redis_streams import RedisBus
from tests.mesh.beeps import BEEP_MS, conversation, write_wav
from tests.mesh.running import MeddledBus, Running, Shuffle, request, running, twice
from voxmesh_schemas import JobCompleted, Transcript

LONG = conversation(110, loudest=(50,))
"""77 s: three chunks. Only the second has a beep of the highest level."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "talk.wav", LONG)


@pytest.fixture(params=["memory", "redis"])
def bus(request: pytest.FixtureRequest, redis_url: str) -> Bus:
    return MemoryBus() if request.param == "memory" else RedisBus(redis_url, prefix="")


def said(transcript: Transcript) -> list[tuple[str, int, int]]:
    return [
        (word.text.lower().strip(".,"), word.start_ms, word.end_ms)
        for utterance in transcript.utterances
        for word in utterance.words
    ]


EVERYTHING = [(spoken.word, spoken.start_ms, spoken.start_ms + BEEP_MS) for spoken in LONG]


async def test_a_job_completes_with_every_word_once_and_its_speaker(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    async with running(bus, redis_url, tmp_path) as mesh:
        outcome = await mesh.completed(request("job", recording))
        transcript = await mesh.transcript(outcome)
        files = await mesh.files(outcome)
    assert said(transcript) == EVERYTHING
    print(files["captions.vtt"][:800], outcome.warnings)
    assert [u.speaker for u in transcript.utterances for _ in u.words] == [
        "S2" if spoken.high else "S1" for spoken in LONG
    ]
