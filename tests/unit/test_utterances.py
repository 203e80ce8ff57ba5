"""Words become utterances."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.merge.utterances import LONGEST_MS, PAUSE_MS, cut_utterances
from voxmesh_schemas import HypothesisWord, Utterance


def spoken(*words: tuple[int, int, str]) -> list[HypothesisWord]:
    return [HypothesisWord(start_ms=s, end_ms=e, text=t, confidence=0.5) for s, e, t in words]


def texts(utterances: tuple[Utterance, ...]) -> list[str]:
    return [utterance.text for utterance in utterances]


def test_a_change_of_speaker_ends_an_utterance() -> None:
    words = spoken((0, 200, "Hello."), (210, 400, "Hi"), (410, 600, "there."))
    assert texts(cut_utterances(words, ["S1", "S2", "S2"])) == ["Hello.", "Hi there."]


def test_a_long_pause_ends_an_utterance_and_a_short_one_does_not() -> None:
    words = spoken((0, 200, "well"), (999, 1200, "then"), (2000, 2200, "so"))
    assert texts(cut_utterances(words, [None] * 3)) == ["well then", "so"]


def test_sentences_end_utterances_only_once_there_is_something_to_read() -> None:
    words = spoken((0, 500, "Yes."), (600, 2000, "I"), (2000, 3500, "do."), (3600, 4000, "You?"))
    assert texts(cut_utterances(words, ["S1"] * 4)) == ["Yes. I do.", "You?"]


def test_what_is_too_long_is_cut_at_its_longest_late_pause() -> None:
    starts = [0, 5000, 10_000, 16_000, 20_300, 26_000, 31_000]
    ends = [4900, 9500, 15_900, 20_000, 25_900, 30_900, 36_000]
    words = spoken(*((s, e, f"w{n}") for n, (s, e) in enumerate(zip(starts, ends, strict=True))))
    assert texts(cut_utterances(words, ["S1"] * 7)) == ["w0 w1 w2 w3", "w4 w5 w6"]


def test_a_single_word_is_never_cut() -> None:
    words = spoken((0, 40_000, "Ooooh"), (40_000, 40_200, "no"))
    assert texts(cut_utterances(words, ["S1"] * 2)) == ["Ooooh", "no"]


def test_an_utterance_keeps_times_confidences_channel_and_speaker() -> None:
    (utterance,) = cut_utterances(spoken((50, 90, "a"), (90, 140, "b")), ["S2"] * 2, channel=1)
    assert (utterance.start_ms, utterance.end_ms) == (50, 140)
    assert (utterance.speaker, utterance.channel) == ("S2", 1)
    assert [word.confidence for word in utterance.words] == [0.5, 0.5]


def test_the_language_is_that_of_most_words_with_the_job_s_for_those_without() -> None:
    french = HypothesisWord(start_ms=0, end_ms=10, text="oui", language="fr")
    words = [french, *spoken((10, 20, "I"), (20, 30, "said"))]
    (utterance,) = cut_utterances(words, ["S1"] * 3, language="en")
    assert utterance.language == "en"
    (utterance,) = cut_utterances(words, ["S1"] * 3)
    assert utterance.language == "fr"


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[HypothesisWord], list[str | None]]:
    start, words, speakers = 0, [], []
    for gap, length, text, speaker in draw(
        st.lists(
            st.tuples(
                st.integers(0, 1200),
                st.integers(0, 9000),
                st.sampled_from(["so", "yes.", "好", "。", "Dr."]),
                st.sampled_from([None, "S1", "S2"]),
            ),
            max_size=40,
        )
    ):
        words.append(HypothesisWord(start_ms=start + gap, end_ms=start + gap + length, text=text))
        speakers.append(speaker)
        start += gap + length
    return words, speakers


@given(recordings())
def test_utterances_have_every_word_once_and_in_order(
    recording: tuple[list[HypothesisWord], list[str | None]],
) -> None:
    words, speakers = recording
    utterances = cut_utterances(words, speakers)
    kept = [(u.speaker, w.start_ms, w.end_ms, w.text) for u in utterances for w in u.words]
    assert kept == [(s, w.start_ms, w.end_ms, w.text) for s, w in zip(speakers, words, strict=True)]
    for utterance in utterances:
        assert len(utterance.words) == 1 or utterance.duration_ms <= LONGEST_MS
        for before, after in pairwise(utterance.words):
            assert after.start_ms - before.end_ms < PAUSE_MS
