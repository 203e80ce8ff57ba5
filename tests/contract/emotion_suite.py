"""What every emotion engine has to do: a test class names its engine and inherits this."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import AudioEmotionEngine, Engine, TextEmotionEngine
from voxmesh_schemas import Emotion, EmotionTrack, Hypothesis, HypothesisWord

DATA = Path(__file__).resolve().parents[2] / "../shared/data"


def buzz(pitch_hz: float, duration_ms: int, level_db: float = -20.0) -> Samples:
    """A voice-like sound: harmonics that fall off, in syllables of 200 ms with gaps of 50 ms."""
    time_s = np.arange(duration_ms * SAMPLE_RATE_HZ // 1000) / SAMPLE_RATE_HZ
    harmonics = range(1, 1 + int(4000 // pitch_hz))
    wave = np.sum([np.sin(2 * np.pi * pitch_hz * k * time_s + k) / k for k in harmonics], axis=0)
    wave *= 10 ** (level_db / 20) / np.sqrt(np.mean(np.square(wave)))
    samples: Samples = (wave * (time_s % 0.25 < 0.2)).astype(np.float32)
    return samples


def recording(name: str) -> Samples:
    """A recording of the shared data; skips the test where that folder is absent."""
    path = DATA / "asr" / name
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in ../shared/data/asr")
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    pcm = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    samples: Samples = pcm.astype(np.float32) / np.float32(32768)
    return samples


def spoken(text: str, language: str | None = "en", start_ms: int = 0) -> Hypothesis:
    """Words of 300 ms each, with 50 ms between them and no other pause."""
    words = tuple(
        HypothesisWord(
            start_ms=start_ms + 350 * index, end_ms=start_ms + 350 * index + 300, text=word
        )
        for index, word in enumerate(text.split())
    )
    return Hypothesis(engine="fake", model="fake", language=language, words=words)


class EngineContract:
    """Holds for engines of both modalities."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    def test_is_usable_here_and_says_why(self, engine: Engine) -> None:
        usability = engine.usability()
        assert usability.usable, usability.reason
        assert usability.reason
        assert usability.remedy == ""


class AudioEmotionContract(EngineContract):
    """Holds for every audio engine with windows of 3 s that start 2.5 s apart."""

    @pytest.mark.parametrize(
        ("duration_ms", "spans"),
        [
            (1_200, [(0, 1_200)]),
            (3_000, [(0, 3_000)]),
            (5_500, [(0, 3_000), (2_500, 5_500)]),
            (6_100, [(0, 3_000), (2_500, 5_500), (3_100, 6_100)]),
        ],
    )
    def test_windows_overlap_by_half_a_second_and_reach_the_end(
        self, engine: AudioEmotionEngine, duration_ms: int, spans: list[tuple[int, int]]
    ) -> None:
        track = engine.detect(buzz(150, duration_ms))
        assert [(window.start_ms, window.end_ms) for window in track.windows] == spans
        assert_track(track, engine, "audio")

    def test_hears_something_in_a_voice(self, engine: AudioEmotionEngine) -> None:
        assert all(
            window.probabilities or window.prosody
            for window in engine.detect(buzz(150, 5_500)).windows
        )

    def test_abstains_where_nobody_speaks(self, engine: AudioEmotionEngine) -> None:
        pause = np.zeros(8 * SAMPLE_RATE_HZ, np.float32)
        samples = np.concatenate([buzz(150, 3_000), pause])
        track = engine.detect(samples)
        opinions = [w for w in track.windows if w.start_ms >= 3_000 and has_opinion(w)]
        assert len(track.windows) == 5
        assert opinions == []

    @pytest.mark.parametrize("level", [0.0, 1e-4])
    def test_abstains_from_silence_and_faint_noise(
        self, engine: AudioEmotionEngine, level: float
    ) -> None:
        noise = np.random.default_rng(1).standard_normal(5 * SAMPLE_RATE_HZ) * level
        track = engine.detect(noise.astype(np.float32))
        assert len(track.windows) == 2
        assert not any(has_opinion(window) for window in track.windows)

    def test_no_audio_has_no_windows(self, engine: AudioEmotionEngine) -> None:
        assert engine.detect(np.empty(0, np.float32)).windows == ()

    def test_a_click_of_audio_is_no_error(self, engine: AudioEmotionEngine) -> None:
        assert not any(has_opinion(w) for w in engine.detect(np.ones(40, np.float32)).windows)

    def test_the_same_audio_gives_the_same_bytes(self, engine: AudioEmotionEngine) -> None:
        samples = buzz(150, 6_100)
        before = samples.copy()
        assert engine.detect(samples).model_dump_json() == engine.detect(samples).model_dump_json()
        assert np.array_equal(samples, before)

    @pytest.mark.parametrize("name", ["jfk.flac", "librivox-0920.flac"])
    def test_keeps_its_promises_on_a_recording(self, engine: AudioEmotionEngine, name: str) -> None:
        samples = recording(name)
        track = engine.detect(samples)
        assert_track(track, engine, "audio")
        assert track.windows[-1].end_ms == len(samples) * 1000 // SAMPLE_RATE_HZ


class TextEmotionContract(EngineContract):
    """Holds for every text engine."""

    joy_and_rage = "I am so happy today, this is wonderful! You are a furious, hateful, angry man."

    def test_reads_sentence_by_sentence_with_the_words_times(
        self, engine: TextEmotionEngine
    ) -> None:
        track = engine.detect(spoken(self.joy_and_rage, start_ms=1_000))
        assert [(w.start_ms, w.end_ms) for w in track.windows] == [(1_000, 3_750), (3_800, 6_200)]
        assert_track(track, engine, "text")
        assert all(window.probabilities for window in track.windows)

    def test_no_words_have_no_windows(self, engine: TextEmotionEngine) -> None:
        assert engine.detect(spoken("")).windows == ()

    @pytest.mark.parametrize("language", ["de", "es-MX"])
    def test_abstains_from_languages_it_does_not_read(
        self, engine: TextEmotionEngine, language: str
    ) -> None:
        track = engine.detect(spoken(self.joy_and_rage, language))
        assert len(track.windows) == 2
        assert not any(has_opinion(window) for window in track.windows)

    @pytest.mark.parametrize("language", ["en-US", "EN", None])
    def test_reads_english_by_any_tag_and_words_of_unknown_language(
        self, engine: TextEmotionEngine, language: str | None
    ) -> None:
        track = engine.detect(spoken(self.joy_and_rage, language))
        assert all(window.probabilities for window in track.windows)

    def test_the_same_words_give_the_same_bytes(self, engine: TextEmotionEngine) -> None:
        words = spoken(self.joy_and_rage)
        assert engine.detect(words).model_dump_json() == engine.detect(words).model_dump_json()

    def test_a_very_long_sentence_is_no_error(self, engine: TextEmotionEngine) -> None:
        assert_track(engine.detect(spoken("wonderful " * 3_000)), engine, "text")


def has_opinion(window: object) -> bool:
    """Whether an engine says anything of a window."""
    return bool(getattr(window, "probabilities", None) or getattr(window, "prosody", None))


def assert_track(track: EmotionTrack, engine: Engine, modality: str) -> None:
    """What holds for every track: who made it, order, and distributions over the one label set."""
    assert (track.engine, track.model, track.modality) == (engine.name, engine.model, modality)
    starts = [window.start_ms for window in track.windows]
    assert starts == sorted(starts)
    order = list(Emotion)
    for window in track.windows:
        assert window.end_ms > window.start_ms
        if window.probabilities is not None:
            labels = list(window.probabilities)
            assert labels == sorted(labels, key=order.index)
            assert sum(window.probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert EmotionTrack.model_validate_json(track.model_dump_json()) == track
    assert "NaN" not in json.dumps(track.model_dump(mode="json"))
