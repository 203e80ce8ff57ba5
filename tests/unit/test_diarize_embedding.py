from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.diarize.embedding import DIMENSIONS, voice_embedding
from services.diarize.features import CEPSTRA

seeds = st.integers(0, 1_000)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.dot(voice_embedding(one), voice_embedding(other)))


def frames(seed: int, spread: float = 15.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (1, CEPSTRA))


@given(seeds)
def test_it_is_of_unit_length(seed: int) -> None:
    embedding = voice_embedding(frames(seed))
    assert len(embedding) == DIMENSIONS
    assert np.linalg.norm(embedding) == pytest.approx(1.0)


@given(seeds, seeds)
def test_a_channel_that_is_the_same_for_both_does_not_matter(seed: int, channel: int) -> None:
    one, other, shift = frames(seed), frames(seed + 1), frames(channel, spread=40.0)
    assert cosine(one + shift, other + shift) == pytest.approx(cosine(one, other), abs=1e-9)


def test_the_further_apart_two_voices_are_the_smaller_is_their_cosine() -> None:
    step = np.full((1, CEPSTRA), 3.0)
    cosines = [cosine(0 * step, times * step) for times in range(4)]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] == pytest.approx(1.0)
    assert cosines[3] < 0.2


@given(seeds)
def test_unrelated_voices_are_nearly_orthogonal(seed: int) -> None:
    assert abs(cosine(frames(2 * seed), frames(2 * seed + 1))) < 0.5
