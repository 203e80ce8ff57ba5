"""YIN finds the pitch of sounds whose pitch is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.emotion.pitch import pitch_hz
from services.emotion.prosody import measured_prosody
from services.runtime.audio import SAMPLE_RATE_HZ, Samples


def tone(pitch: float, harmonics: tuple[float, ...] = (1,), duration_s: float = 0.5) -> Samples:
    time_s = np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    parts = [
        level * np.sin(2 * np.pi * pitch * (number + 1) * time_s)
        for number, level in enumerate(harmonics)
    ]
    samples: Samples = (0.1 * np.sum(parts, axis=0)).astype(np.float32)
    return samples


@settings(deadline=None)
@given(st.floats(65, 480))
def test_a_pure_tone_has_its_own_frequency(pitch: float) -> None:
    found, _ = pitch_hz(tone(pitch))
    assert found == pytest.approx(pitch, rel=0.005)


@pytest.mark.parametrize("pitch", [80, 120, 210, 330])
@pytest.mark.parametrize(
    "harmonics", [(1, 0.5, 0.3, 0.2), (0.2, 1, 0.4), (0, 1, 1, 1)], ids=["usual", "weak", "missing"]
)
def test_harmonics_do_not_lead_it_to_an_octave(pitch: float, harmonics: tuple[float, ...]) -> None:
    found, _ = pitch_hz(tone(pitch, harmonics))
    assert np.nanmedian(found) == pytest.approx(pitch, rel=0.01)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.zeros(8_000, np.float32), id="silence"),
        pytest.param(np.ones(8_000, np.float32), id="direct current"),
        pytest.param(
            np.random.default_rng(4).standard_normal(8_000).astype(np.float32), id="white noise"
        ),
    ],
)
def test_what_is_not_periodic_has_no_pitch(samples: Samples) -> None:
    found, _ = pitch_hz(samples)
    assert np.isnan(found).all()


def test_power_is_the_mean_square_of_a_frame() -> None:
    _, power = pitch_hz(tone(200))
    assert power == pytest.approx(0.1**2 / 2, rel=0.01)


@pytest.mark.parametrize(("length", "frames"), [(0, 0), (666, 0), (667, 1), (827, 2)])
def test_there_is_a_frame_every_ten_milliseconds(length: int, frames: int) -> None:
    found, power = pitch_hz(np.zeros(length, np.float32))
    assert found.shape == power.shape == (frames,)


def test_prosody_of_a_steady_tone_is_what_was_played() -> None:
    prosody = measured_prosody(tone(110, duration_s=3), threshold_db=-60)
    assert prosody is not None
    assert prosody.pitch_st == pytest.approx(12, abs=0.01)
    assert prosody.pitch_range_st == pytest.approx(0, abs=0.01)
    assert prosody.loudness_db == pytest.approx(-23.01, abs=0.05)
    assert prosody.voiced == 1


def test_there_is_no_prosody_in_less_than_a_vowel() -> None:
    assert measured_prosody(tone(110, duration_s=0.1), threshold_db=-60) is None
    assert measured_prosody(tone(110, duration_s=0.3), threshold_db=-10) is None
