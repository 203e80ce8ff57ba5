"""Prosody judged against the speaker's own baseline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.merge.prosody import judge_prosody
from voxmesh_schemas import Emotion, EmotionWindow, Prosody, Utterance, Word

USUAL = Prosody(pitch_st=20, pitch_range_st=6, loudness_db=-25, voiced=0.6)
EXCITED = Prosody(pitch_st=28, pitch_range_st=14, loudness_db=-13, voiced=0.6)
SUBDUED = Prosody(pitch_st=14, pitch_range_st=1, loudness_db=-37, voiced=0.6)


def windows(*prosodies: Prosody | None) -> list[EmotionWindow]:
    return [
        EmotionWindow(start_ms=1000 * n, end_ms=1000 * (n + 1), prosody=prosody)
        for n, prosody in enumerate(prosodies)
    ]


def utterance(start_ms: int, end_ms: int, speaker: str | None) -> Utterance:
    word = Word(start_ms=start_ms, end_ms=end_ms, text="word")
    return Utterance(start_ms=start_ms, end_ms=end_ms, speaker=speaker, text="word", words=(word,))


def judgements(*prosodies: Prosody | None) -> list[dict[Emotion, float] | None]:
    judged = judge_prosody(windows(*prosodies), [utterance(0, 1000 * len(prosodies), "S1")])
    return [window.probabilities for window in judged]


def likeliest(probabilities: dict[Emotion, float] | None) -> Emotion:
    assert probabilities is not None
    return max(probabilities, key=probabilities.__getitem__)


def test_what_is_usual_for_the_speaker_is_neutral() -> None:
    assert likeliest(judgements(*[USUAL] * 20)[0]) is Emotion.NEUTRAL


def test_raised_pitch_range_and_loudness_are_aroused_but_not_told_apart_for_sure() -> None:
    excited = judgements(*[USUAL] * 30, EXCITED)[-1]
    assert likeliest(excited) is Emotion.ANGRY
    assert excited is not None
    assert excited[Emotion.ANGRY] < 0.6
    assert excited[Emotion.HAPPY] > 0.2


def test_lowered_pitch_range_and_loudness_are_sad() -> None:
    assert likeliest(judgements(*[USUAL] * 30, SUBDUED)[-1]) is Emotion.SAD


def test_two_windows_are_too_few_for_anything_but_neutral() -> None:
    assert {likeliest(p) for p in judgements(USUAL, EXCITED)} == {Emotion.NEUTRAL}


def test_each_speaker_has_a_baseline_of_their_own() -> None:
    deep = Prosody(pitch_st=10, pitch_range_st=6, loudness_db=-25, voiced=0.6)
    high = Prosody(pitch_st=24, pitch_range_st=6, loudness_db=-25, voiced=0.6)
    spoken = [utterance(0, 20_000, "S1"), utterance(20_000, 23_000, "S2")]
    judged = judge_prosody(windows(*[deep] * 20, *[high] * 3), spoken)
    assert {likeliest(window.probabilities) for window in judged} == {Emotion.NEUTRAL}


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(EmotionWindow(start_ms=0, end_ms=1000), id="no prosody"),
        pytest.param(
            EmotionWindow(
                start_ms=0, end_ms=1000, prosody=USUAL.model_copy(update={"voiced": 0.1})
            ),
            id="hardly voiced",
        ),
        pytest.param(EmotionWindow(start_ms=4500, end_ms=5500, prosody=USUAL), id="two speakers"),
        pytest.param(EmotionWindow(start_ms=20_000, end_ms=21_000, prosody=USUAL), id="no speech"),
    ],
)
def test_a_window_is_not_judged_without_one_voice_to_judge(window: EmotionWindow) -> None:
    spoken = [utterance(0, 5000, "S1"), utterance(5000, 10_000, "S2")]
    assert judge_prosody([window], spoken) == (window,)


def test_an_engine_s_own_probabilities_stay_as_they_are() -> None:
    window = EmotionWindow(start_ms=0, end_ms=1000, probabilities={Emotion.SAD: 1.0})
    assert judge_prosody([window], [utterance(0, 1000, "S1")]) == (window,)


@given(
    st.lists(
        st.builds(
            Prosody,
            pitch_st=st.floats(-10, 60),
            pitch_range_st=st.floats(0, 40),
            loudness_db=st.floats(-90, 0),
            voiced=st.floats(0, 1),
        ),
        max_size=20,
    )
)
def test_judgements_are_distributions_over_all_labels(prosodies: list[Prosody]) -> None:
    for probabilities in judgements(*prosodies):
        if probabilities is not None:
            assert list(probabilities) == list(Emotion)
            assert sum(probabilities.values()) == pytest.approx(1)
            assert min(probabilities.values()) >= 0
