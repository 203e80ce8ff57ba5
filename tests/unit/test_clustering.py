"""Embeddings told apart."""

import numpy as np
import pytest

from services.merge.clustering import Groups, calibrate, tell_apart


def voices(embeddings: list[list[float]], *, speech_ms: float = 10_000) -> Groups:
    """Each in a chunk of its own."""
    means = np.array(embeddings)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return Groups(means, np.full(len(means), speech_ms), np.eye(len(means), dtype=np.bool_))


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in labels}


NOTHING = np.array([])
TWO_PEOPLE = [[1, 0.1], [1, -0.1], [0.1, 1], [-0.1, 1]]


def test_before_anything_is_known_the_threshold_is_the_usual_one() -> None:
    assert calibrate(NOTHING, NOTHING).threshold == pytest.approx(0.46)


def test_the_threshold_lies_between_known_strangers_and_known_selves() -> None:
    crowded = calibrate(np.full(100, 0.8), np.full(100, 0.96))
    assert 0.85 < crowded.threshold < 0.9
    assert calibrate(np.full(100, 0.8), NOTHING).threshold > 0.85


def test_a_few_wrong_pairs_do_not_move_the_threshold() -> None:
    clean = calibrate(np.full(20, 0.1), np.full(20, 0.7))
    dirty = calibrate(np.r_[np.full(17, 0.1), np.ones(3)], np.r_[np.full(17, 0.7), -np.ones(3)])
    assert dirty == clean


def test_selves_less_alike_than_strangers_are_not_believed() -> None:
    assert calibrate(np.full(50, 0.5), np.full(50, 0.1)).threshold == pytest.approx(
        calibrate(np.full(50, 0.5), NOTHING).different
    )


def test_like_voices_are_one_person() -> None:
    labels = tell_apart(voices(TWO_PEOPLE), calibrate(NOTHING, NOTHING))
    assert partition(labels) == {frozenset({0, 1}), frozenset({2, 3})}


def test_two_voices_of_one_chunk_are_never_one_person() -> None:
    together = voices(TWO_PEOPLE[:2])
    in_one_chunk = Groups(together.means, together.weights, np.ones((2, 1), dtype=np.bool_))
    assert len(set(tell_apart(in_one_chunk, calibrate(NOTHING, NOTHING), at_most=1))) == 2


@pytest.mark.parametrize(("at_least", "at_most", "people"), [(1, 1, 1), (3, None, 3), (4, 4, 4)])
def test_the_number_of_people_can_be_bounded(
    at_least: int, at_most: int | None, people: int
) -> None:
    labels = tell_apart(
        voices(TWO_PEOPLE), calibrate(NOTHING, NOTHING), at_least=at_least, at_most=at_most
    )
    assert len(set(labels)) == people


def test_who_hardly_speaks_joins_the_most_alike_instead_of_being_new() -> None:
    some = voices([*TWO_PEOPLE, [1, 3]])
    weights = np.array([10_000.0] * 4 + [900.0])
    labels = tell_apart(Groups(some.means, weights, some.chunks), calibrate(NOTHING, NOTHING))
    assert partition(labels) == {frozenset({0, 1}), frozenset({2, 3, 4})}


def test_blocks_do_not_change_who_is_who() -> None:
    rng = np.random.default_rng(5)
    people = rng.normal(size=(7, 64))
    spoken = rng.integers(7, size=1000)
    labels = tell_apart(
        voices((people[spoken] + 0.5 * rng.normal(size=(1000, 64))).tolist()),
        calibrate(NOTHING, NOTHING),
    )
    assert partition(labels) == partition(spoken)
