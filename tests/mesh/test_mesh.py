"""The whole mesh in one process, on recordings whose every word is known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from services.runtime.bus import Bus, MemoryBus, Message
from services.runtime.bus.redis_streams import RedisBus
from services.runtime.workers import WorkerProcesses
from tests.mesh.beeps import BEEP_MS, Spoken, conversation, write_wav
from tests.mesh.running import (
    MeddledBus,
    Shuffle,
    engines,
    request,
    running,
    twice,
)
from voxmesh_schemas import (
    EVENTS,
    AudioIngested,
    Emotion,
    JobCompleted,
    JobFailed,
    OutputFormat,
    Stage,
    Transcript,
)

TALK = conversation(110, loudest=(50,))
"""77 s in four chunks, of which only the second has a beep of the highest level."""
SECOND_CHUNK = (23_050, 50_450)

Words = list[tuple[str, int, int]]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "talk.wav", TALK)


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """One chunk."""
    return write_wav(tmp_path / "short.wav", TALK[:24])


@pytest.fixture(params=["memory", "redis"])
def bus(request: pytest.FixtureRequest, redis_url: str) -> Bus:
    return MemoryBus() if request.param == "memory" else RedisBus(redis_url, prefix="")


def said(transcript: Transcript, *, channel: int = 0) -> Words:
    return [
        (word.text.lower().strip(".,"), word.start_ms, word.end_ms)
        for utterance in transcript.utterances
        if utterance.channel == channel
        for word in utterance.words
    ]


def spoken(beeps: Iterable[Spoken]) -> Words:
    return [(beep.word, beep.start_ms, beep.start_ms + BEEP_MS) for beep in beeps]


def codes(outcome: JobCompleted) -> set[str]:
    return {notice.code for notice in outcome.warnings}


async def test_a_job_completes_with_every_word_once_its_speaker_and_mood(
    bus: Bus, redis_url: str, tmp_path: Path, recording: Path
) -> None:
    async with running(bus, redis_url, tmp_path) as mesh:
        outcome = await mesh.completed(request("job", recording))
        transcript, files = await mesh.transcript(outcome), await mesh.files(outcome)
    assert said(transcript) == spoken(TALK)
    assert [utterance.speaker for utterance in transcript.utterances for _ in utterance.words] == [
        "S2" if beep.high else "S1" for beep in TALK
    ]
    assert {u.speaker: u.emotion.label for u in transcript.utterances if u.emotion} == {
        "S1": Emotion.NEUTRAL,
        "S2": Emotion.HAPPY,
    }
    assert not outcome.warnings
    assert set(files) == {"captions.vtt", "captions.srt", "transcript.json", "transcript.md"}
    assert not mesh.letters
    assert [event for event in mesh.events if isinstance(event, AudioIngested)]


async def test_a_job_leaves_nothing_in_the_store_that_only_its_making_needed(
    bus: Bus, redis_url: str, tmp_path: Path, short: Path
) -> None:
    async with running(bus, redis_url, tmp_path) as mesh:
        await mesh.completed(request("job", short))
    left = {path.parent.name for path in (tmp_path / "store/jobs").rglob("*") if path.is_file()}
    assert left == {"job", "outputs"}


class TestDelivery:
    """Whatever a broker does to messages, a job ends once and with the same captions."""

    async def test_every_event_twice(
        self, bus: Bus, redis_url: str, tmp_path: Path, recording: Path
    ) -> None:
        async with running(MeddledBus(bus, twice), redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", recording))
            await mesh.ended("job", times=2)
            transcript = await mesh.transcript(outcome)
        assert said(transcript) == spoken(TALK)
        assert len({end.id for end in mesh.ends("job")}) == 1
        assert [use.chunks for use in outcome.engines] == [4, 4, 4, 4]

    @pytest.mark.parametrize("seed", range(4))
    async def test_events_in_any_order(
        self, redis_url: str, tmp_path: Path, recording: Path, seed: int
    ) -> None:
        bus = MemoryBus()
        shuffled = MeddledBus(bus, Shuffle(bus, seed))
        async with running(shuffled, redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", recording))
            assert said(await mesh.transcript(outcome)) == spoken(TALK)
        assert not outcome.warnings

    async def test_poison_is_buried_and_stops_nothing(
        self, bus: Bus, redis_url: str, tmp_path: Path, short: Path
    ) -> None:
        consumers = {
            "jobs.requested": 2,
            "audio.chunked": 3,
            "speech.transcribed": 2,
            "subtitles.rendered": 0,
            "jobs.progressed": 0,
            "jobs.completed": 0,
        }
        poison = (b"", b"not json", b'{"job_id": 3}', b"\xff\x00")
        expected = len(poison) * sum(consumers.get(event.topic, 1) for event in EVENTS)
        async with running(bus, redis_url, tmp_path) as mesh:
            for event in EVENTS:
                for body in poison:
                    await mesh.mesh.bus.publish(Message(event.topic, "key", body))
            outcome = await mesh.completed(request("job", short))
            await mesh.until(lambda: len(mesh.letters) == expected)
            assert said(await mesh.transcript(outcome)) == spoken(TALK[:24])
        assert {letter.original_key for letter in mesh.letters} == {"key"}
        assert "ingest" in {letter.group for letter in mesh.letters}
        assert all(letter.error.startswith("not a ") for letter in mesh.letters)

    async def test_a_wiped_redis_loses_nothing(
        self, redis_url: str, tmp_path: Path, recording: Path
    ) -> None:
        async with Redis.from_url(redis_url) as redis:

            async def wipe(message: Message) -> Iterable[Message]:
                await redis.flushall()
                return (message,)

            async with running(MeddledBus(MemoryBus(), wipe), redis_url, tmp_path) as mesh:
                outcome = await mesh.completed(request("job", recording))
                assert said(await mesh.transcript(outcome)) == spoken(TALK)
        assert not outcome.warnings

    async def test_a_request_that_comes_again_after_the_end_is_told_the_same_end(
        self, bus: Bus, redis_url: str, tmp_path: Path, recording: Path
    ) -> None:
        async with running(bus, redis_url, tmp_path) as mesh:
            upload = (await mesh.client.upload("job", recording)).uri
            first = await mesh.completed(request("job", upload))
            files = await mesh.files(first)
            await mesh.submit(request("job", upload))
            second = await mesh.ended("job", times=2)
            assert second == first
            assert await mesh.files(first) == files
        assert not mesh.letters
        assert not [*(tmp_path / "store/jobs/job").glob("audio/*")]

    async def test_a_failed_job_that_is_asked_for_again_fails_for_the_same_reason(
        self, bus: Bus, redis_url: str, tmp_path: Path
    ) -> None:
        text = tmp_path / "text.mp4"
        text.write_text("no video " * 99)
        async with running(bus, redis_url, tmp_path) as mesh:
            upload = (await mesh.client.upload("job", text)).uri
            await mesh.submit(request("job", upload))
            first = await mesh.ended("job")
            await mesh.submit(request("job", upload))
            assert await mesh.ended("job", times=2) == first
            assert await mesh.client.outcome("job") == first

    async def test_a_second_job_on_a_recording_reuses_its_results(
        self, bus: Bus, redis_url: str, tmp_path: Path, recording: Path
    ) -> None:
        async with running(bus, redis_url, tmp_path) as mesh:
            first = await mesh.completed(request("first", recording))
            second = await mesh.completed(request("second", recording))
            assert [use.reused for use in first.engines] == [0, 0, 0, 0]
            assert [use.reused for use in second.engines] == [4, 4, 4, 4]
            assert await mesh.files(first) == await mesh.files(second)


class TestLosses:
    """An engine that fails never shortens captions silently, and never hangs a job."""

    @pytest.mark.parametrize("stage", ["diarize", "emotion-audio", "emotion-text"])
    async def test_a_job_without_a_lost_stage_completes_and_says_so(
        self, bus: Bus, redis_url: str, tmp_path: Path, short: Path, stage: str
    ) -> None:
        wanted = engines(**{stage.replace("-", "_"): "beeps-broken"})
        async with running(bus, redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", short, engines=wanted))
            transcript = await mesh.transcript(outcome)
        assert said(transcript) == spoken(TALK[:24])
        (notice,) = outcome.warnings
        assert notice.code == "lost-stage"
        assert "the device is broken" in notice.message
        lost = next(use for use in outcome.engines if use.stage == stage)
        assert (lost.chunks, lost.failed) == (0, 1)

    async def test_a_chunk_that_no_recogniser_hears_is_a_gap_that_the_captions_tell_of(
        self, bus: Bus, redis_url: str, tmp_path: Path, recording: Path
    ) -> None:
        wanted = engines(transcribe="beeps-deaf")
        async with running(bus, redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", recording, engines=wanted))
            transcript, files = await mesh.transcript(outcome), await mesh.files(outcome)
        (gap,) = [notice for notice in outcome.warnings if notice.code == "lost-chunk"]
        assert (gap.start_ms, gap.end_ms) == SECOND_CHUNK
        start_ms, end_ms = SECOND_CHUNK
        outside = [b for b in TALK if b.start_ms < start_ms or b.start_ms >= end_ms]
        assert [word for word in said(transcript) if word in spoken(outside)] == spoken(outside)
        assert "this is too loud" in files["captions.vtt"]
        assert "this is too loud" in files["transcript.md"]

    async def test_a_second_recogniser_stands_in_for_the_first(
        self, redis_url: str, tmp_path: Path, recording: Path
    ) -> None:
        wanted = engines(transcribe="beeps-deaf,beeps-too")
        async with running(MemoryBus(), redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", recording, engines=wanted))
            assert said(await mesh.transcript(outcome)) == spoken(TALK)
        assert "lost-chunk" not in codes(outcome)
        assert "lost-stage" in codes(outcome)

    async def test_a_job_that_nothing_hears_fails_with_the_reason(
        self, bus: Bus, redis_url: str, tmp_path: Path, short: Path
    ) -> None:
        wanted = engines(transcribe="beeps-broken")
        async with running(bus, redis_url, tmp_path) as mesh:
            await mesh.submit(request("job", short, engines=wanted))
            outcome = await mesh.ended("job")
        assert isinstance(outcome, JobFailed)
        assert outcome.stage is Stage.TRANSCRIBE
        assert "the device is broken" in outcome.reason
        assert not outcome.bad_input

    async def test_passing_failures_cost_nothing_but_time(
        self, bus: Bus, redis_url: str, tmp_path: Path, short: Path
    ) -> None:
        flaky = dict.fromkeys(engines(), ("beeps-flaky",))
        async with running(bus, redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", short, engines=flaky))
            assert said(await mesh.transcript(outcome)) == spoken(TALK[:24])
        assert not outcome.warnings
        assert not mesh.letters

    @pytest.mark.parametrize("engine", ["beeps-rubbish", "beeps-nonsense"])
    @pytest.mark.parametrize("stage", ["transcribe", "diarize", "emotion-audio", "emotion-text"])
    async def test_an_engine_that_returns_rubbish_is_lost_and_nothing_else(
        self, redis_url: str, tmp_path: Path, short: Path, stage: str, engine: str
    ) -> None:
        beside = "beeps," if stage == "transcribe" else ""
        wanted = engines(**{stage.replace("-", "_"): beside + engine})
        async with running(MemoryBus(), redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", short, engines=wanted))
            assert said(await mesh.transcript(outcome)) == spoken(TALK[:24])
            after = await mesh.completed(request("after", short))
        assert codes(outcome) == {"lost-stage"}
        assert engine in outcome.warnings[0].message
        assert not after.warnings

    async def test_a_worker_process_that_dies_costs_nothing_but_time(
        self, redis_url: str, tmp_path: Path, short: Path
    ) -> None:
        workers = WorkerProcesses(2)
        wanted = engines(transcribe="beeps-deadly")
        async with running(MemoryBus(), redis_url, tmp_path, workers) as mesh:
            outcome = await mesh.completed(request("job", short, engines=wanted))
            assert said(await mesh.transcript(outcome)) == spoken(TALK[:24])
        assert not outcome.warnings

    async def test_a_chunk_that_kills_every_process_is_lost_alone(
        self, redis_url: str, tmp_path: Path, recording: Path
    ) -> None:
        workers = WorkerProcesses(2)
        wanted = engines(transcribe="beeps-murderous")
        async with running(MemoryBus(), redis_url, tmp_path, workers) as mesh:
            outcome = await mesh.completed(request("job", recording, engines=wanted))
        lost = [n for n in outcome.warnings if (n.start_ms, n.end_ms) != SECOND_CHUNK]
        assert not lost
        assert codes(outcome) == {"lost-chunk", "lost-stage"}


class TestRequests:
    """What cannot be done is refused with a sentence that says what to do."""

    @pytest.mark.parametrize(
        ("engine", "sentence"),
        [
            ("beeps-unusable", "Switch it on."),
            ("beeps-nowhere", "beeps-too"),
            ("beeps-missing", ""),
        ],
    )
    async def test_an_engine_that_cannot_be_used(
        self, bus: Bus, redis_url: str, tmp_path: Path, short: Path, engine: str, sentence: str
    ) -> None:
        async with running(bus, redis_url, tmp_path) as mesh:
            await mesh.submit(request("job", short, engines=engines(diarize=engine)))
            outcome = await mesh.ended("job")
        assert isinstance(outcome, JobFailed)
        assert outcome.bad_input
        assert engine in outcome.reason
        assert sentence in outcome.reason

    async def test_stages_that_are_switched_off_are_not_missed(
        self, bus: Bus, redis_url: str, tmp_path: Path, short: Path
    ) -> None:
        off = engines(diarize="none", emotion_audio="none", emotion_text="none")
        wanted = request("job", short, engines=off, formats=(OutputFormat.SRT,))
        async with running(bus, redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(wanted)
            transcript = await mesh.transcript(outcome)
        assert said(transcript) == spoken(TALK[:24])
        assert not transcript.speakers
        assert not outcome.warnings
        assert [output.name for output in outcome.outputs] == ["captions.srt"]

    async def test_channels_kept_apart_have_their_own_words_and_speakers(
        self, bus: Bus, redis_url: str, tmp_path: Path
    ) -> None:
        left, right = conversation(5), conversation(6, after_ms=4_500)
        stereo = write_wav(tmp_path / "stereo.wav", left, right)
        wanted = request("job", stereo, channels="split", engines=engines(diarize="none"))
        async with running(bus, redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(wanted)
            transcript = await mesh.transcript(outcome)
        assert said(transcript, channel=0) == spoken(left)
        assert said(transcript, channel=1) == spoken(right)
        assert {(u.channel, u.speaker) for u in transcript.utterances} == {(0, "S1"), (1, "S2")}

    async def test_silence_completes_without_words_and_says_so(
        self, bus: Bus, redis_url: str, tmp_path: Path
    ) -> None:
        silence = write_wav(tmp_path / "silence.wav", [], length_ms=3_000)
        async with running(bus, redis_url, tmp_path) as mesh:
            outcome = await mesh.completed(request("job", silence))
            files = await mesh.files(outcome)
        assert codes(outcome) == {"no-speech"}
        assert "-->" not in files["captions.vtt"]
