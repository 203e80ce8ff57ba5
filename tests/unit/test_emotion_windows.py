"""Where audio windows lie, and which of them hold speech."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.emotion.windows import speech_threshold_db, speech_windows, window_spans
from services.runtime.audio import SAMPLE_RATE_HZ, Samples


def noise(duration_ms: int, level_db: float) -> Samples:
    count = duration_ms * SAMPLE_RATE_HZ // 1000
    wave = np.random.default_rng(3).standard_normal(count) * 10 ** (level_db / 20)
    return wave.astype(np.float32)


@given(st.integers(0, 100_000), st.integers(500, 5_000), st.integers(1, 10))
def test_windows_leave_no_gap_and_are_all_of_one_length(
    duration_ms: int, window_ms: int, tenths: int
) -> None:
    spans = window_spans(duration_ms, window_ms, hop_ms=window_ms * tenths // 10)
    assert spans == sorted(set(spans))
    covered = 0
    for start, end in spans:
        assert start <= covered
        assert end - start == min(window_ms, duration_ms)
        covered = end
    assert covered == duration_ms


def spoken(samples: Samples) -> list[bool]:
    return [window.content is not None for window in speech_windows(samples, 3_000, 2_500)]


@pytest.mark.parametrize("level_db", [-100, -70, -50, -40])
def test_steady_noise_is_no_speech_however_loud_the_room(level_db: float) -> None:
    assert spoken(noise(5_500, level_db)) == [False, False]


@pytest.mark.parametrize("floor_db", [-90, -60, -45])
def test_bursts_above_the_noise_floor_are_speech(floor_db: float) -> None:
    samples = noise(8_000, floor_db)
    samples[16_000:24_000] += noise(500, floor_db + 25)
    assert spoken(samples) == [True, False, False]


def test_a_click_is_no_speech() -> None:
    samples = noise(3_000, -70)
    samples[20_000:21_600] += noise(100, -20)
    assert spoken(samples) == [False]


def test_loud_audio_without_any_pause_is_not_lost() -> None:
    assert spoken(noise(3_000, -20)) == [True]


def test_a_window_holds_its_own_samples() -> None:
    samples = noise(5_500, -20)
    _, second = speech_windows(samples, 3_000, 2_500)
    assert second.content is not None
    assert np.array_equal(second.content, samples[40_000:])


def test_the_threshold_of_no_audio_is_the_least() -> None:
    assert speech_threshold_db(np.empty(0, np.float32)) == -65
