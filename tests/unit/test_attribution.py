"""Words get speakers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.merge.attribution import attribute_words
from voxmesh_schemas import HypothesisWord, Turn


def word(start_ms: int, end_ms: int, text: str = "word") -> HypothesisWord:
    return HypothesisWord(start_ms=start_ms, end_ms=end_ms, text=text)


def turn(start_ms: int, end_ms: int, speaker: str) -> Turn:
    return Turn(start_ms=start_ms, end_ms=end_ms, speaker=speaker)


A_THEN_B = [turn(0, 1000, "A"), turn(1000, 2000, "B")]


@pytest.mark.parametrize(
    ("words", "turns", "speakers"),
    [
        pytest.param([word(100, 400), word(1200, 1500)], A_THEN_B, "AB", id="inside a turn"),
        pytest.param([word(700, 1100, "one.")], A_THEN_B, "A", id="more of it in A"),
        pytest.param([word(900, 1300, "one.")], A_THEN_B, "B", id="more of it in B"),
        pytest.param(
            [word(600, 900, "to"), word(900, 1150, "you."), word(1200, 1500, "Thanks")],
            A_THEN_B,
            "AAB",
            id="a word that the edge cuts closes its sentence",
        ),
        pytest.param(
            [word(600, 880, "you."), word(880, 1100, "Thanks"), word(1110, 1500, "a")],
            A_THEN_B,
            "ABB",
            id="a word that the edge cuts opens its sentence",
        ),
        pytest.param(
            [word(300, 600, "you."), word(650, 950, "Thanks"), word(1010, 1300), word(1300, 1500)],
            A_THEN_B,
            "ABBB",
            id="a turn that ends late does not keep the next one's first word",
        ),
        pytest.param(
            [word(300, 600, "to"), word(650, 980), word(1010, 1300, "you."), word(1300, 1500)],
            A_THEN_B,
            "AAAB",
            id="a turn that ends early does not lose its last word",
        ),
        pytest.param(
            [word(300, 600, "you."), word(610, 990, "So"), word(1010, 1990, "no")],
            [turn(600, 1000, "A"), turn(1000, 2000, "B")],
            "AAB",
            id="a long or last word stays where it is",
        ),
        pytest.param(
            [word(0, 300), word(300, 600), word(600, 900)],
            [turn(0, 400, "A"), turn(400, 600, "B"), turn(560, 900, "A")],
            "AAA",
            id="a flip of one word by a small margin is smoothed",
        ),
        pytest.param(
            [word(0, 300), word(310, 600, "Yes."), word(610, 900)],
            [turn(0, 305, "A"), turn(305, 605, "B"), turn(605, 900, "A")],
            "ABA",
            id="one word that clearly is another's stays theirs",
        ),
        pytest.param(
            [word(0, 300), word(300, 600), word(600, 900)],
            [turn(0, 900, "A"), turn(250, 700, "B")],
            "AAA",
            id="of two voices at once, whoever was speaking goes on",
        ),
        pytest.param([word(1500, 1700)], [turn(0, 1000, "A")], "A", id="near a turn"),
        pytest.param(
            [word(1100, 1200)],
            [turn(0, 1000, "A"), turn(1800, 2000, "B")],
            "A",
            id="between turns, the nearer one",
        ),
        pytest.param(
            [word(1500, 1600)],
            [turn(0, 1400, "A"), turn(100, 200, "B"), turn(2400, 2500, "C")],
            "A",
            id="a long turn counts until it ends",
        ),
        pytest.param([word(500, 500)], A_THEN_B, "A", id="a word without length"),
    ],
)
def test_words_follow_turns_and_sentences(
    words: list[HypothesisWord], turns: list[Turn], speakers: str
) -> None:
    assert "".join(s or "-" for s in attribute_words(words, turns)) == speakers


def test_a_word_far_from_every_turn_has_no_speaker() -> None:
    words = [word(100, 400), word(2001, 2300), word(9000, 9100)]
    assert attribute_words(words, A_THEN_B[:1]) == ("A", None, None)


def test_without_turns_nobody_speaks() -> None:
    assert attribute_words([word(0, 100), word(100, 200)], []) == (None, None)


@st.composite
def words(draw: st.DrawFn) -> list[HypothesisWord]:
    start, result = 0, []
    for gap, length, text in draw(
        st.lists(
            st.tuples(
                st.integers(0, 1500), st.integers(0, 900), st.sampled_from(["so", "yes.", "no"])
            ),
            max_size=30,
        )
    ):
        start += gap
        result.append(word(start, start + length, text))
    return result


@st.composite
def turns(draw: st.DrawFn) -> list[Turn]:
    found = draw(
        st.lists(
            st.tuples(st.integers(0, 20_000), st.integers(1, 4000), st.sampled_from("ABC")),
            max_size=20,
        )
    )
    return sorted(
        (turn(start, start + length, speaker) for start, length, speaker in found),
        key=lambda t: t.start_ms,
    )


@given(words(), turns())
def test_each_word_gets_one_answer_and_only_from_turns_in_reach(
    some: list[HypothesisWord], spoken: list[Turn]
) -> None:
    speakers = attribute_words(some, spoken)
    assert len(speakers) == len(some)
    for heard, speaker in zip(some, speakers, strict=True):
        distances = [
            (max(t.start_ms - heard.end_ms, heard.start_ms - t.end_ms), t.speaker) for t in spoken
        ]
        assert (speaker is None) == all(distance > 1000 for distance, _ in distances)
        assert speaker is None or speaker in {name for ms, name in distances if ms <= 2000}


@given(words())
def test_one_speaker_all_along_has_all_words(some: list[HypothesisWord]) -> None:
    assert set(attribute_words(some, [turn(0, 100_000, "A")])) <= {"A"}
