from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.diarize.features import CEPSTRA, Indices, Speech
from services.diarize.gaussians import fit_mixture
from services.diarize.resegmentation import resegment, viterbi


def test_a_mixture_finds_two_heaps_and_their_weights() -> None:
    rng = np.random.default_rng(1)
    frames = np.concatenate([rng.normal(-5, 1, (3_000, 2)), rng.normal(5, 2, (1_000, 2))])
    mixture = fit_mixture(frames, 2, iterations=20)
    assert mixture.weights == pytest.approx([0.75, 0.25], abs=0.02)
    assert mixture.means == pytest.approx(np.array([[-5, -5], [5, 5]]), abs=0.2)
    assert mixture.variances == pytest.approx(np.array([[1, 1], [4, 4]]), abs=0.4)


def test_a_mixture_of_one_is_a_gaussian() -> None:
    frames = np.array([[0.0, 1.0], [2.0, 1.5], [1.0, 3.0]])
    density = fit_mixture(frames, 1).log_likelihoods(frames)
    mean, variance = frames.mean(axis=0), frames.var(axis=0)
    expected = -((frames - mean) ** 2 / variance + np.log(2 * np.pi * variance)).sum(axis=1) / 2
    assert density == pytest.approx(expected, rel=1e-3)


def test_fewer_frames_than_components_are_no_trouble() -> None:
    assert np.isfinite(fit_mixture(np.ones((2, 3)), 4).log_likelihoods(np.zeros((1, 3)))).all()


@given(
    st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=6),
    st.integers(0, 10),
)
def test_no_sequence_is_better_than_viterbis(rows: list[tuple[int, ...]], penalty: int) -> None:
    scores = np.array(rows, dtype=float)
    penalties = np.full(len(scores), float(penalty))

    def total(path: tuple[int, ...]) -> float:
        switches = sum(one != other for one, other in pairwise(path))
        return float(sum(scores[step, state] for step, state in enumerate(path))) - (
            penalty * switches
        )

    best = max(total(path) for path in product(range(3), repeat=len(scores)))
    assert total(tuple(viterbi(scores, penalties).tolist())) == best


def two_voices(lengths: list[int], *, pause_after: int | None = None) -> tuple[Speech, Indices]:
    """Two voices in turn, and which is which."""
    rng = np.random.default_rng(1)
    truth = np.concatenate([np.full(size, turn % 2) for turn, size in enumerate(lengths)])
    cepstra = rng.normal(size=(len(truth), CEPSTRA)) + 2.0 * truth[:, None]
    cuts = [0, *([pause_after] if pause_after else []), len(truth)]
    regions = tuple(slice(a, b) for a, b in pairwise(cuts))
    return Speech(cepstra, np.arange(len(truth)), regions), truth


def test_a_border_that_is_off_by_half_a_second_is_put_right() -> None:
    speech, truth = two_voices([500, 500, 500, 500])
    labels = np.roll(truth, 50)
    assert (resegment(speech, labels) != truth).sum() <= 40


def test_a_change_of_voice_at_a_pause_falls_on_the_pause() -> None:
    speech, truth = two_voices([503, 700], pause_after=503)
    labels = np.roll(truth, 40)
    assert resegment(speech, labels).tolist() == truth.tolist()


def test_a_voice_of_less_than_a_second_is_given_to_the_others() -> None:
    speech, truth = two_voices([500, 500])
    labels = truth.copy()
    labels[:80] = 2
    assert set(resegment(speech, labels).tolist()) == {0, 1}


def test_one_voice_stays_one() -> None:
    speech, _ = two_voices([400])
    assert not resegment(speech, np.zeros(400, dtype=np.intp)).any()


def test_labels_of_very_little_speech_stay_as_they_are() -> None:
    speech, truth = two_voices([30, 40])
    assert resegment(speech, truth).tolist() == truth.tolist()
