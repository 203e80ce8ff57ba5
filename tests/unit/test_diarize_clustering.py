from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.diarize.clustering import cluster
from services.diarize.features import Floats

pytest.importorskip("scipy")


def voices(*sizes: int, apart: float = 3.0, seed: int = 1) -> Floats:
    """Points of unit variance around centres `apart` standard deviations apart per dimension."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-0.5, 0.5], size=(len(sizes), 15))
    return np.concatenate(
        [
            rng.normal(size=(size, 15)) + apart * sign
            for size, sign in zip(sizes, signs, strict=True)
        ]
    )


@pytest.mark.parametrize(
    "sizes", [(40,), (400,), (20, 20), (40, 6), (200, 200), (30, 20, 10), (60, 50, 40, 30, 20)]
)
def test_finds_how_many_voices_there_are(sizes: tuple[int, ...]) -> None:
    labels = cluster(voices(*sizes))
    truth = np.repeat(np.arange(len(sizes)), sizes)
    assert labels.max() + 1 == len(sizes)
    assert len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == len(sizes)


def test_does_not_split_a_voice_that_drifts_for_long() -> None:
    points = voices(600)
    points[:, 0] += np.linspace(-2, 2, 600)
    assert cluster(points).max() == 0


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 4), st.integers(0, 99))
def test_number_of_labels_is_within_the_bounds(
    count: int, at_least: int, more: int, seed: int
) -> None:
    points = voices(count, seed=seed)
    labels = cluster(points, at_least=at_least, at_most=at_least + more)
    assert min(at_least, count) <= labels.max() + 1 <= at_least + more
    assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))


def test_too_many_voices_are_merged_with_the_closest() -> None:
    near = np.concatenate([voices(30), voices(30) + 1.5, voices(30) + 9.0])
    labels = cluster(near, at_most=2)
    assert set(labels[:60].tolist()) != set(labels[60:].tolist())
    assert len(set(labels[:60].tolist())) == 1


def with_mixtures(in_a_row: int) -> Floats:
    """Twenty changes between two voices, each with so many windows that lie between them."""
    rng = np.random.default_rng(1)
    middle = np.full(15, 1.5)
    turns = [rng.normal(size=(10, 15)) + 2 * middle * (turn % 2) for turn in range(20)]
    changes = [rng.normal(size=(in_a_row, 15)) * 0.7 + middle for _ in turns]
    return np.concatenate([part for pair in zip(turns, changes, strict=True) for part in pair])


def test_windows_over_changes_of_voice_are_no_voice_of_their_own() -> None:
    assert cluster(with_mixtures(1)).max() + 1 == 2


def test_a_voice_between_two_others_is_kept_where_it_speaks_for_itself() -> None:
    assert cluster(with_mixtures(6)).max() + 1 == 3


def test_a_voice_off_the_line_between_two_others_is_kept() -> None:
    third = voices(30) + 1.5 + np.resize([1.5, -1.5], 15)
    labels = cluster(np.concatenate([voices(150), voices(150) + 3.0, third]))
    assert labels.max() == 2


def test_a_single_point_is_one_voice() -> None:
    assert cluster(np.zeros((1, 15)), at_least=3).tolist() == [0]


def test_equal_points_are_one_voice() -> None:
    assert cluster(np.zeros((20, 15))).tolist() == [0] * 20
