"""Audio and text emotion taken together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.merge.fusion import audio_weight, average, fuse, fuse_emotions
from voxmesh_schemas import Emotion, EmotionWindow, Utterance, Word

ANGRY, HAPPY, NEUTRAL, SAD = Emotion.ANGRY, Emotion.HAPPY, Emotion.NEUTRAL, Emotion.SAD
SURPRISED = Emotion.SURPRISED
ALL = tuple(Emotion)


def window(start_ms: int, end_ms: int, probabilities: dict[Emotion, float] | None) -> EmotionWindow:
    return EmotionWindow(start_ms=start_ms, end_ms=end_ms, probabilities=probabilities)


def utterance(start_ms: int, end_ms: int, speaker: str | None = "S1") -> Utterance:
    word = Word(start_ms=start_ms, end_ms=end_ms, text="word")
    return Utterance(start_ms=start_ms, end_ms=end_ms, speaker=speaker, text="word", words=(word,))


def peaked(emotion: Emotion, probability: float) -> dict[Emotion, float]:
    rest = (1 - probability) / (len(ALL) - 1)
    return {label: probability if label is emotion else rest for label in ALL}


@pytest.mark.parametrize(
    ("audio", "text", "weight"),
    [
        pytest.param(0.6, 0.6, 0.7, id="neither very sure"),
        pytest.param(0.4, 0.3, 0.7, id="neither sure"),
        pytest.param(0.9, 0.95, 0.7, id="both sure"),
        pytest.param(0.85, 0.4, 0.9, id="only audio sure"),
        pytest.param(0.4, 0.85, 0.3, id="only text sure"),
        pytest.param(0.65, 0.5, 0.8, id="audio half sure"),
    ],
)
def test_audio_weighs_more_unless_only_the_text_is_sure(
    audio: float, text: float, weight: float
) -> None:
    assert audio_weight(audio, text) == pytest.approx(weight, abs=0.05)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.01))
def test_weights_never_jump(audio: float, text: float, step: float) -> None:
    here, there = audio_weight(audio, text), audio_weight(min(audio + step, 1), text)
    assert 0.3 <= here <= 0.9
    assert abs(here - there) <= 2 * step + 1e-9


def test_windows_count_by_the_time_they_share() -> None:
    windows = [window(0, 1000, {ANGRY: 1.0}), window(1000, 4000, {SAD: 0.5, ANGRY: 0.5})]
    assert average([utterance(500, 2500)], windows) == [{ANGRY: 0.625, SAD: 0.375}]


def test_nothing_is_known_of_an_utterance_that_was_hardly_judged() -> None:
    windows = [window(0, 1000, {ANGRY: 1.0}), window(1000, 9000, None)]
    assert average([utterance(0, 9000), utterance(9000, 9500)], windows) == [None, None]


def test_a_label_that_one_engine_lacks_is_left_to_the_other() -> None:
    fused = fuse(
        {NEUTRAL: 0.6, ANGRY: 0.4}, dict.fromkeys(ALL, 0.0) | {SURPRISED: 0.8, NEUTRAL: 0.2}
    )
    assert fused is not None
    assert fused[SURPRISED] == pytest.approx(0.8)


def test_agreement_is_kept_and_disagreement_follows_the_weights() -> None:
    same = peaked(SAD, 0.7)
    assert fuse(same, same) == pytest.approx(same)
    fused = fuse(peaked(NEUTRAL, 0.4), peaked(HAPPY, 0.9))
    assert fused is not None
    assert fused[HAPPY] == pytest.approx(0.3 * 0.1 + 0.7 * 0.9)


def test_one_modality_alone_must_be_the_surer_to_be_believed() -> None:
    spoken = [utterance(0, 1000), utterance(2000, 3000, "S2")]
    read = [window(0, 1000, peaked(HAPPY, 0.95)), window(2000, 3000, peaked(HAPPY, 0.5))]
    sure, unsure = fuse_emotions(spoken, [], read)
    assert sure is not None
    assert (sure.label, sure.modalities) == (HAPPY, ("text",))
    assert 0.5 < sure.confidence < 0.95
    assert unsure is None


def test_nothing_known_or_nothing_probable_is_no_emotion() -> None:
    flat = dict.fromkeys(ALL, 1 / 7)
    spoken = [utterance(0, 1000), utterance(1000, 2000)]
    assert fuse_emotions(spoken, [window(1000, 2000, flat)], []) == (None, None)


def test_an_utterance_leans_a_little_towards_its_own_speaker_s_last_ones() -> None:
    near_tie = {SAD: 0.46, NEUTRAL: 0.54}
    heard = [window(1000 * n, 1000 * n + 1000, peaked(SAD, 0.9)) for n in range(5)]
    spoken = [utterance(1000 * n, 1000 * n + 1000) for n in range(6)]
    labels = [
        emotion and emotion.label
        for emotion in fuse_emotions(spoken, [*heard, window(5000, 6000, near_tie)], [])
    ]
    assert labels == [SAD] * 6
    other = [*spoken[:5], utterance(5000, 6000, "S2")]
    last = fuse_emotions(other, [*heard, window(5000, 6000, near_tie)], [])[-1]
    assert last is not None
    assert last.label is NEUTRAL


def test_a_clear_change_of_emotion_shows_at_once() -> None:
    heard = [window(1000 * n, 1000 * n + 1000, peaked(SAD, 0.9)) for n in range(5)]
    heard.append(window(5000, 6000, peaked(HAPPY, 0.9)))
    emotions = fuse_emotions([utterance(1000 * n, 1000 * n + 1000) for n in range(6)], heard, [])
    assert emotions[-1] is not None
    assert emotions[-1].label is HAPPY


distributions = st.dictionaries(st.sampled_from(ALL), st.floats(0.01, 1), min_size=1).map(
    lambda odds: {emotion: odd / sum(odds.values()) for emotion, odd in odds.items()}
)


@given(st.none() | distributions, st.none() | distributions)
def test_what_is_told_is_a_distribution_over_all_labels(
    heard: dict[Emotion, float] | None, read: dict[Emotion, float] | None
) -> None:
    (emotion,) = fuse_emotions(
        [utterance(0, 1000)], [window(0, 1000, heard)], [window(0, 1000, read)]
    )
    if emotion is None:
        return
    assert tuple(emotion.probabilities) == ALL
    assert sum(emotion.probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert emotion.confidence == max(emotion.probabilities.values()) >= 0.4
    assert emotion.probabilities[emotion.label] == emotion.confidence
    assert ("audio" in emotion.modalities) == (heard is not None)
