"""Cues keep the rules where they can, and the words always."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given

from services.subtitles.cues import Cue, bent_rules, build_cues
from services.subtitles.graphemes import cells
from services.subtitles.passages import Labels
from services.subtitles.profiles import WEB, frame_rate_of
from services.subtitles.rules import Rule
from services.subtitles.units import word_units
from tests.subtitle_transcripts import any_transcript, feeling, said, transcript
from voxmesh_schemas import Emotion, Transcript, Utterance, Word


def _texts(cues: tuple[Cue, ...]) -> list[list[str]]:
    return [list(cue.lines) for cue in cues]


def _solid(text: str) -> str:
    """The text without the spaces that lines are broken at."""
    return "".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Yes, of course.", [["Yes, of course."]], id="one line while it fits"),
        pytest.param(
            "Did you have a quiet weekend? I painted the kitchen.",
            [["Did you have a quiet weekend?", "I painted the kitchen."]],
            id="after a sentence",
        ),
        pytest.param(
            "We walked along the river for hours, talking about the old house.",
            [["We walked along the river for hours,", "talking about the old house."]],
            id="after a comma",
        ),
        pytest.param(
            "She kept the letters in a drawer and never told anyone.",
            [["She kept the letters in a drawer", "and never told anyone."]],
            id="before a conjunction",
        ),
        pytest.param(
            "Everyone complained bitterly about the terrible parking.",
            [["Everyone complained bitterly", "about the terrible parking."]],
            id="before a preposition",
        ),
        pytest.param(
            "Nobody remembered afterwards what Doctor Elena Marsh said.",
            [["Nobody remembered afterwards", "what Doctor Elena Marsh said."]],
            id="never inside a name",
        ),
        pytest.param(
            "Together these machines consume roughly 40 megawatts daily.",
            [["Together these machines consume", "roughly 40 megawatts daily."]],
            id="never between number and unit",
        ),
        pytest.param(
            "I stayed late on Friday. No.",
            [["I stayed late on Friday. No."]],
            id="a whole sentence of one word is no orphan",
        ),
    ],
)
def test_lines_break_where_a_reader_would_pause(text: str, expected: list[list[str]]) -> None:
    assert _texts(build_cues(transcript(said(text, word_ms=350)))) == expected


def test_whole_sentences_are_preferred_to_full_cues() -> None:
    """Greedy filling would end the first cue in the middle of the second sentence."""
    text = (
        "The first train leaves the station at nine thirty."
        " The second one follows it after twenty minutes and is usually empty."
    )
    first, second = build_cues(transcript(said(text)))
    assert " ".join(first.lines).endswith("thirty.")
    assert " ".join(second.lines).startswith("The second one")


def test_a_new_speaker_is_a_new_cue_and_follows_after_two_frames() -> None:
    first, second = build_cues(transcript(said("Hello there."), said("Hi.", 1100, speaker="S2")))
    assert (first.speaker, second.speaker) == ("S1", "S2")
    assert second.start_ms - first.end_ms == 80


@pytest.mark.parametrize(
    ("answer_ms", "out_ms", "below"),
    [
        pytest.param(1400, 833, 0, id="nothing"),
        pytest.param(1000, 920, 0, id="a gap that would flicker"),
        pytest.param(850, 850, 0, id="the gap, for the shortest duration"),
        pytest.param(600, 600, 0, id="the shortest duration, while it is no flash"),
        pytest.param(300, 833, 1, id="the place at the bottom, for a flash"),
    ],
)
def test_what_gives_way_to_a_quick_answer(answer_ms: int, out_ms: int, below: int) -> None:
    first, second = build_cues(
        transcript(said("No.", word_ms=250), said("Oh yes.", answer_ms, speaker="S2"))
    )
    assert (first.end_ms, second.lines_below) == (out_ms, below)


@pytest.mark.parametrize(("rate", "gap"), [("25/1", 80), ("30000/1001", 67), ("60/1", 34)])
def test_the_gap_is_two_frames_of_the_recording(rate: str, gap: int) -> None:
    words = said("One two three four five. " * 8)
    cues = build_cues(transcript(words, frame_rate=rate))
    assert len(cues) > 1
    assert {after.start_ms - cue.end_ms for cue, after in pairwise(cues)} == {gap}


@pytest.mark.parametrize("rate", [None, "0/0", "90000/1", "1/1"])
def test_an_impossible_frame_rate_counts_as_25(rate: str | None) -> None:
    assert frame_rate_of(rate) is None


def test_a_cue_stays_for_reading_but_at_most_half_a_second() -> None:
    slow = build_cues(transcript(said("Unbelievable circumstances notwithstanding.", word_ms=600)))
    assert slow[0].end_ms == 43 * 50  # 43 characters at 20 a second
    fast = build_cues(transcript(said("Unbelievable circumstances notwithstanding.", word_ms=300)))
    assert fast[0].end_ms == 900 + 500
    assert fast[0].bent == (Rule.TOO_FAST,)


def test_a_short_word_is_shown_for_the_shortest_duration() -> None:
    (cue,) = build_cues(transcript(said("No.", word_ms=100)))
    assert cue.end_ms - cue.start_ms == 833


def test_a_word_that_never_ends_leaves_the_screen_after_seven_seconds() -> None:
    (cue,) = build_cues(transcript(said("Aaah", word_ms=60_000)))
    assert cue.end_ms - cue.start_ms == 7000


def test_a_long_pause_ends_a_cue_even_within_a_sentence() -> None:
    words = (*said("I will").words, *said("tell you tomorrow.", 3800).words)
    utterance = said("I will tell you tomorrow.").model_copy(update={"words": words})
    assert _texts(build_cues(transcript(utterance))) == [["I will"], ["tell you tomorrow."]]


def test_speech_at_the_same_time_stands_above_the_other() -> None:
    long = said("I complained to the man at the desk and he was rude.", word_ms=300)
    other = said("That is just wrong and they should know it.", 1500, speaker="S2")
    cues = build_cues(transcript(long, other))
    assert [(cue.speaker, cue.lines_below) for cue in cues] == [("S1", 0), ("S2", 2)]
    assert cues[0].end_ms > cues[1].start_ms


def test_turns_that_touch_by_less_than_their_boundaries_are_sure_do_not_overlap() -> None:
    cues = build_cues(
        transcript(said("Well, that is how it was."), said("Really? Why?", 2200, speaker="S2"))
    )
    assert [cue.lines_below for cue in cues] == [0, 0]
    assert cues[0].end_ms == 2200 - 80


@pytest.mark.parametrize(
    ("emotion", "language", "line"),
    [
        (feeling(Emotion.ANGRY, 0.9), "en", "[angrily] Go away!"),
        (feeling(Emotion.ANGRY, 0.5), "en", "Go away!"),
        (feeling(Emotion.NEUTRAL, 0.9), "en", "Go away!"),
        (feeling(Emotion.HAPPY, 0.9), "de-AT", "[fröhlich] Go away!"),
        (feeling(Emotion.SURPRISED, 0.9), "xx", "[in surprise] Go away!"),
    ],
)
def test_a_strong_emotion_is_noted(emotion: object, language: str, line: str) -> None:
    utterance = said("Go away!", language=language).model_copy(update={"emotion": emotion})
    assert _texts(build_cues(transcript(utterance))) == [[line]]


def test_an_emotion_that_lasts_is_noted_once() -> None:
    angry = feeling(Emotion.ANGRY, 0.9)
    cues = build_cues(
        transcript(said("Go away!", emotion=angry), said("Go now!", 5000, emotion=angry))
    )
    assert _texts(cues) == [["[angrily] Go away!"], ["Go now!"]]
    assert [cue.emotion for cue in cues] == [Emotion.ANGRY, Emotion.ANGRY]


def test_a_note_before_arabic_keeps_the_line_right_to_left() -> None:
    (cue,) = build_cues(transcript(said("مرحبا بكم", emotion=feeling(Emotion.HAPPY, 0.9))))
    assert cue.lines == ("\u200f[happily] مرحبا بكم",)


def test_chinese_is_set_without_spaces_and_never_begins_a_line_with_a_stop() -> None:
    (cue,) = build_cues(transcript(said("我 们 昨天 去 了 北京, 然后 回 家。 " * 2, language="zh")))
    assert " " not in "".join(cue.lines).replace(", ", ",")
    assert all(cells(line) <= 42 and line[0] not in "。," for line in cue.lines)


def test_a_word_longer_than_a_line_is_split_between_graphemes() -> None:
    family = "👩‍👩‍👧‍👦"
    cues = build_cues(transcript(said(family * 50)))
    assert all(set(line.split(family)) == {""} for cue in cues for line in cue.lines)
    assert sum(line.count(family) for cue in cues for line in cue.lines) == 50


def test_one_line_profiles_make_one_line_cues() -> None:
    cues = build_cues(transcript(said("one two three four " * 10)), replace(WEB, max_lines=1))
    assert all(len(cue.lines) == 1 for cue in cues)


def test_bent_rules_are_counted() -> None:
    fast = said("Unbelievably extraordinary!", word_ms=100)
    answer = said("What?", 600, speaker="S2")
    cues = build_cues(transcript(fast, answer))
    assert bent_rules(cues) == {Rule.TOO_FAST: 1, Rule.TOO_SHORT: 1}


def _shown_words(utterances: list[Utterance]) -> str:
    units = word_units((word for u in utterances for word in u.words), WEB.line_cells)
    return _solid("".join(unit.text for unit in units))


@given(any_transcript())
def test_no_word_is_lost_or_moved(made: Transcript) -> None:
    """Per voice, the text of its cues is the text of its utterances."""
    neutral = made.model_copy(
        update={
            "utterances": tuple(u.model_copy(update={"emotion": None}) for u in made.utterances)
        }
    )
    cues = build_cues(neutral)
    for voice in {(u.channel, u.speaker) for u in neutral.utterances}:
        own = [u for u in neutral.utterances if (u.channel, u.speaker) == voice]
        shown = "".join("".join(cue.lines) for cue in cues if cue.voice == voice)
        assert _solid(shown) == _shown_words(own)


@given(any_transcript())
def test_lines_fit_and_times_rise(made: Transcript) -> None:
    """Widths, line counts and durations hold; one voice's cues never overlap."""
    for labels in Labels:
        cues = build_cues(made, labels=labels)
        assert [cue.start_ms for cue in cues] == sorted(cue.start_ms for cue in cues)
        for cue in cues:
            assert 0 < cue.end_ms - cue.start_ms <= WEB.max_duration_ms
            assert 1 <= len(cue.lines) <= WEB.max_lines
            assert all(line.strip() and cells(line) <= WEB.line_cells for line in cue.lines)
        for voice in {cue.voice for cue in cues}:
            own = [cue for cue in cues if cue.voice == voice]
            assert all(cue.end_ms <= after.start_ms for cue, after in pairwise(own))


@given(any_transcript())
def test_cues_on_the_screen_together_stand_apart(made: Transcript) -> None:
    cues = build_cues(made)
    for at, cue in enumerate(cues):
        for other in cues[at + 1 :]:
            if other.start_ms < cue.end_ms:
                low, high = sorted((cue, other), key=lambda one: one.lines_below)
                assert low.lines_below + len(low.lines) <= high.lines_below


def test_words_stacked_on_one_instant_follow_each_other() -> None:
    """Recognisers pile words up where they lose track; each cue still comes after the other."""
    words = tuple(Word(text="again,", start_ms=500, end_ms=500) for _ in range(60))
    utterance = said("again").model_copy(update={"words": words})
    cues = build_cues(transcript(utterance))
    assert sum(line.count("again,") for cue in cues for line in cue.lines) == 60
    assert all(cue.end_ms <= after.start_ms for cue, after in pairwise(cues))
