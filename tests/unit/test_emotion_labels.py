"""Models' own labels onto the seven of voxmesh."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.emotion.labels import distribution, emotion_of
from voxmesh_schemas import Emotion

LABEL_SETS: dict[str, dict[str, str | None]] = {
    "IEMOCAP": {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad", "exc": "happy"},
    "Ekman nouns": {
        "anger": "angry",
        "disgust": "disgusted",
        "fear": "fearful",
        "joy": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprise": "surprised",
    },
    "RAVDESS": {
        "neutral": "neutral",
        "calm": "neutral",
        "happy": "happy",
        "sad": "sad",
        "angry": "angry",
        "fearful": "fearful",
        "disgust": "disgusted",
        "surprised": "surprised",
    },
    "CREMA-D": {"ANG": "angry", "DIS": "disgusted", "FEA": "fearful", "HAP": "happy"},
    "TESS": {"ps": "surprised", "Pleasant_surprise": "surprised"},
    "emotion2vec": {"生气/angry": "angry", "难过/sad": "sad", "其他/other": None, "<unk>": None},
    "sentiment": {"positive": None, "negative": None, "LABEL_0": None},
}


@pytest.mark.parametrize(
    ("label", "emotion"),
    [
        pytest.param(label, emotion, id=f"{family}: {label}")
        for family, labels in LABEL_SETS.items()
        for label, emotion in labels.items()
    ],
)
def test_a_label_of_a_common_model_stands_for_its_emotion(label: str, emotion: str | None) -> None:
    assert emotion_of(label) == emotion


def test_what_an_engine_does_not_know_is_left_out_and_the_rest_in_the_order_of_the_enum() -> None:
    found = distribution(("ang", "sad", "neu", "hap"), (0.1, 0.2, 0.6, 0.1))
    assert found is not None
    assert list(found.items()) == [
        (Emotion.NEUTRAL, 0.6),
        (Emotion.HAPPY, 0.1),
        (Emotion.SAD, 0.2),
        (Emotion.ANGRY, 0.1),
    ]


def test_labels_of_one_emotion_are_added_up() -> None:
    assert distribution(("calm", "neutral", "sad"), (0.4, 0.4, 0.2)) == {
        Emotion.NEUTRAL: 0.8,
        Emotion.SAD: 0.2,
    }


def test_an_unknown_label_is_dropped_and_the_rest_scaled_up() -> None:
    assert distribution(("happy", "sad", "other"), (0.6, 0.2, 0.2)) == {
        Emotion.HAPPY: 0.75,
        Emotion.SAD: 0.25,
    }


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        pytest.param(("happy", "sad", "other"), (0.3, 0.1, 0.6), id="mostly unknown labels"),
        pytest.param(("happy", "sad", "angry"), (0.34, 0.33, 0.33), id="flat"),
        pytest.param(("happy", "other"), (0.9, 0.1), id="a single emotion"),
        pytest.param(("happy", "sad"), (0.0, 0.0), id="no mass"),
        pytest.param(("LABEL_0", "LABEL_1"), (0.9, 0.1), id="labels without meaning"),
        pytest.param((), (), id="no labels"),
    ],
)
def test_there_is_no_opinion_on(labels: tuple[str, ...], scores: tuple[float, ...]) -> None:
    assert distribution(labels, scores) is None


names = st.sampled_from(["neu", "hap", "ang", "sad", "fear", "disgust", "surprise", "other"])


@given(st.dictionaries(names, st.floats(0, 1e6)))
def test_any_scores_give_a_distribution_or_no_opinion(scores: dict[str, float]) -> None:
    found = distribution(tuple(scores), tuple(scores.values()))
    if found is not None:
        assert sum(found.values()) == pytest.approx(1, abs=1e-3)
        assert all(0 <= value <= 1 for value in found.values())
        assert list(found) == [emotion for emotion in Emotion if emotion in found]
