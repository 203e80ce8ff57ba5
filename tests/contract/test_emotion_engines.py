"""The bundled emotion engines: prosody and VADER."""

from __future__ import annotations

import numpy as np
import pytest

from services.emotion.engines import AUDIO, TEXT
from services.emotion.settings import EmotionSettings
from services.runtime.engines import AudioEmotionEngine, TextEmotionEngine
from services.runtime.errors import EngineUnusableError
from tests.contract.emotion_suite import (
    AudioEmotionContract,
    TextEmotionContract,
    buzz,
    recording,
    spoken,
)
from voxmesh_schemas import Emotion, Prosody


class TestProsody(AudioEmotionContract):
    @pytest.fixture
    def engine(self) -> AudioEmotionEngine:
        return AUDIO.make("prosody", EmotionSettings())

    @pytest.mark.parametrize(
        ("pitch_hz", "semitones"), [(82.5, 7.02), (110, 12), (165, 19.02), (220, 24), (440, 36)]
    )
    def test_pitch_is_in_semitones_above_55_hz(
        self, engine: AudioEmotionEngine, pitch_hz: float, semitones: float
    ) -> None:
        prosody = only_prosody(engine, buzz(pitch_hz, 3_000))
        assert prosody.pitch_st == pytest.approx(semitones, abs=0.05)
        assert prosody.pitch_range_st == pytest.approx(0, abs=0.2)

    def test_pitch_range_is_that_of_most_of_the_window(self, engine: AudioEmotionEngine) -> None:
        octave = np.concatenate([buzz(110, 1_500), buzz(220, 1_500)])
        assert only_prosody(engine, octave).pitch_range_st == pytest.approx(12, abs=0.1)

    def test_loudness_follows_the_level_and_leaves_the_rest_alone(
        self, engine: AudioEmotionEngine
    ) -> None:
        soft, loud = (only_prosody(engine, buzz(150, 3_000, level)) for level in (-40, -20))
        assert loud.loudness_db - soft.loudness_db == pytest.approx(20, abs=0.1)
        assert loud.pitch_st == pytest.approx(soft.pitch_st, abs=0.01)

    def test_noise_has_no_pitch(self, engine: AudioEmotionEngine) -> None:
        noise = np.random.default_rng(2).standard_normal(48_000) * buzz(150, 3_000)
        assert [w.prosody for w in engine.detect(noise.astype(np.float32)).windows] == [None]

    def test_hum_in_a_pause_is_no_voice(self, engine: AudioEmotionEngine) -> None:
        voice = buzz(200, 1_000)
        hum = 0.002 * np.sin(2 * np.pi * 100 * np.arange(32_000) / 16_000)
        samples = np.concatenate([voice, hum.astype(np.float32)])
        assert only_prosody(engine, samples).pitch_range_st < 1

    @pytest.mark.parametrize("name", ["jfk.flac", "librivox-0870.flac", "librivox-0920.flac"])
    def test_read_speech_has_prosody_in_the_range_of_voices(
        self, engine: AudioEmotionEngine, name: str
    ) -> None:
        for window in engine.detect(recording(name)).windows:
            assert window.prosody is not None
            assert 3 < window.prosody.pitch_st < 31
            assert window.prosody.pitch_range_st < 24
            assert window.prosody.voiced > 0.05
            assert -60 < window.prosody.loudness_db < 0


class TestVader(TextEmotionContract):
    @pytest.fixture
    def engine(self) -> TextEmotionEngine:
        pytest.importorskip("vaderSentiment")
        return TEXT.make("vader", EmotionSettings())

    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("What a wonderful, beautiful day, I love it!", Emotion.HAPPY),
            ("I am furious, I hate this terrible mess!", Emotion.ANGRY),
            ("She cried and cried, a horrible, lonely death.", Emotion.SAD),
            ("I am terribly scared of that horrible man.", Emotion.FEARFUL),
            ("That is disgusting, awful, horrible food.", Emotion.DISGUSTED),
            ("The meeting is okay I guess.", Emotion.NEUTRAL),
            ("I am not scared any more.", Emotion.NEUTRAL),
        ],
    )
    def test_finds_the_emotion_that_a_sentence_names(
        self, engine: TextEmotionEngine, text: str, label: Emotion
    ) -> None:
        (window,) = engine.detect(spoken(text)).windows
        assert window.probabilities is not None
        assert max(window.probabilities, key=window.probabilities.__getitem__) is label

    def test_splits_what_is_only_negative_evenly(self, engine: TextEmotionEngine) -> None:
        (window,) = engine.detect(spoken("The results were bad.")).windows
        assert window.probabilities is not None
        negative = (Emotion.SAD, Emotion.ANGRY, Emotion.FEARFUL, Emotion.DISGUSTED)
        assert len({window.probabilities[emotion] for emotion in negative}) == 1
        assert window.probabilities[Emotion.SAD] > 0 == window.probabilities[Emotion.HAPPY]

    def test_abstains_when_no_word_is_in_its_lexicon(self, engine: TextEmotionEngine) -> None:
        (window,) = engine.detect(spoken("The train leaves at nine.")).windows
        assert window.probabilities is None


def only_prosody(engine: AudioEmotionEngine, samples: np.ndarray) -> Prosody:
    (window,) = engine.detect(samples.astype(np.float32)).windows
    assert window.prosody is not None
    return window.prosody


def test_an_unknown_engine_is_refused_with_the_known_ones_named() -> None:
    with pytest.raises(EngineUnusableError, match="speechbrain, transformers, prosody"):
        AUDIO.make("crystal-ball", EmotionSettings())
    with pytest.raises(EngineUnusableError, match="transformers, vader"):
        TEXT.make("crystal-ball", EmotionSettings())


def test_every_registered_engine_is_made_without_heavy_imports_and_says_its_name() -> None:
    settings = EmotionSettings()
    assert [AUDIO.make(name, settings).name for name in AUDIO.names] == list(AUDIO.names)
    assert [TEXT.make(name, settings).name for name in TEXT.names] == list(TEXT.names)
    assert all(AUDIO.make(name, settings).model for name in AUDIO.names)
