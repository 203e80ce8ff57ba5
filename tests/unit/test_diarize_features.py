from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.diarize.features import (
    CEPSTRA,
    CORRELATED,
    Speech,
    mfcc,
    nearest_window,
    select_speech,
    sliding_windows,
    standardized_means,
)

lengths = st.lists(st.integers(1, 400), min_size=1, max_size=6)


def regions_of(sizes: list[int]) -> tuple[slice, ...]:
    edges = np.cumsum([0, *sizes]).tolist()
    return tuple(slice(first, last) for first, last in pairwise(edges))


def speech_of(cepstra: np.ndarray) -> Speech:
    return Speech(cepstra, np.arange(len(cepstra)), (slice(0, len(cepstra)),))


def test_there_is_a_frame_every_ten_milliseconds() -> None:
    pytest.importorskip("kaldi_native_fbank")
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    assert mfcc(noise).shape == (100, CEPSTRA)


def test_cepstra_do_not_depend_on_the_level() -> None:
    pytest.importorskip("kaldi_native_fbank")
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    assert np.allclose(mfcc(noise), mfcc(noise * np.float32(0.125)), atol=0.05)


def test_only_frames_inside_the_regions_are_kept() -> None:
    cepstra = np.arange(100.0)[:, None] * np.ones(CEPSTRA)
    speech = select_speech(cepstra, [(100, 200), (505, 605), (990, 2_000)])
    assert speech.frames.tolist() == [*range(10, 20), *range(50, 60), 99]
    assert speech.cepstra[:, 0].tolist() == speech.frames.tolist()
    assert speech.regions == (slice(0, 10), slice(10, 20), slice(20, 21))


def test_regions_too_short_for_a_frame_leave_no_speech() -> None:
    speech = select_speech(np.ones((10, CEPSTRA)), [(12, 19)])
    assert len(speech.frames) == 0
    assert speech.regions == ()


@given(lengths)
def test_windows_cover_every_row_and_stay_in_their_region(sizes: list[int]) -> None:
    regions = regions_of(sizes)
    windows = sliding_windows(regions, length=150, hop=75)
    covered = np.concatenate([np.arange(window.start, window.stop) for window in windows])
    assert set(covered.tolist()) == set(range(sum(sizes)))
    for window in windows:
        assert 0 < window.stop - window.start <= 150
        assert any(
            region.start <= window.start and window.stop <= region.stop for region in regions
        )


@given(lengths)
def test_every_row_gets_a_window_that_holds_it_and_every_window_a_row(sizes: list[int]) -> None:
    regions = regions_of(sizes)
    windows = sliding_windows(regions, length=150, hop=75)
    owners = nearest_window(windows, regions).tolist()
    assert all(
        windows[owner].start <= row < windows[owner].stop for row, owner in enumerate(owners)
    )
    assert sorted(set(owners)) == list(range(len(windows)))


def test_means_of_one_voice_vary_by_about_one() -> None:
    rng = np.random.default_rng(1)
    independent = rng.normal(size=(4_000, CEPSTRA)) @ rng.normal(size=(CEPSTRA, CEPSTRA))
    speech = speech_of(np.repeat(independent, CORRELATED, axis=0))
    windows = sliding_windows(speech.regions, length=150, hop=150)
    variances = standardized_means(speech, windows).var(axis=0)
    assert np.all((variances > 0.7) & (variances < 1.6))


def test_a_constant_channel_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    cepstra = rng.normal(size=(900, CEPSTRA))
    windows = sliding_windows((slice(0, 900),), length=150, hop=75)
    shifted = standardized_means(speech_of(cepstra + 5 * rng.normal(size=CEPSTRA)), windows)
    assert np.allclose(shifted, standardized_means(speech_of(cepstra), windows))


def test_frames_without_any_variation_are_no_trouble() -> None:
    speech = speech_of(np.ones((300, CEPSTRA)))
    assert np.isfinite(standardized_means(speech, [slice(0, 150), slice(150, 300)])).all()
