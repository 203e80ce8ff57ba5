from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.diarize.features import CEPSTRA, Speech
from services.diarize.turns import local_label, named, turns_of_frames
from voxmesh_schemas import Turn


def said(*stretches: tuple[int, str]) -> tuple[Speech, np.ndarray]:
    """Speech of voices 0 to 9 at 10 ms a character; a blank is silence."""
    text = "".join(character * count for count, character in stretches)
    frames = np.array([at for at, character in enumerate(text) if character != " "], dtype=np.intp)
    labels = np.array([int(text[at]) for at in frames], dtype=np.intp)
    cuts = [0, *(np.flatnonzero(np.diff(frames) > 1) + 1).tolist(), len(frames)]
    regions = tuple(slice(a, b) for a, b in pairwise(cuts))
    return Speech(np.zeros((len(frames), CEPSTRA)), frames, regions), labels


def turn(start_ms: int, end_ms: int, speaker: str) -> Turn:
    return Turn(start_ms=start_ms, end_ms=end_ms, speaker=speaker)


@pytest.mark.parametrize(
    ("number", "label"), [(0, "A"), (1, "B"), (25, "Z"), (26, "AA"), (27, "AB"), (702, "AAA")]
)
def test_labels_count_in_letters(number: int, label: str) -> None:
    assert local_label(number) == label


def test_speakers_are_named_in_order_of_first_appearance() -> None:
    turns, names = named([turn(500, 900, "x"), turn(0, 400, "y"), turn(950, 990, "x")])
    assert [(one.start_ms, one.speaker) for one in turns] == [(0, "A"), (500, "B"), (950, "B")]
    assert names == {"y": "A", "x": "B"}


@pytest.mark.parametrize(
    ("stretches", "turns"),
    [
        ([(100, "0")], [(0, 1000, "0")]),
        ([(10, " "), (50, "3"), (60, "1")], [(100, 600, "3"), (600, 1200, "1")]),
        # A short pause of one voice does not end its turn, a long one does.
        ([(50, "0"), (30, " "), (50, "0")], [(0, 1300, "0")]),
        ([(50, "0"), (31, " "), (50, "0")], [(0, 500, "0"), (810, 1310, "0")]),
        # Nor does one that another voice fills.
        ([(50, "0"), (25, "1"), (50, "0")], [(0, 500, "0"), (500, 750, "1"), (750, 1250, "0")]),
        # What is too short to be a turn goes to the voice beside it.
        ([(50, "0"), (20, "1"), (50, "0")], [(0, 1200, "0")]),
        ([(20, "1"), (50, "0")], [(0, 700, "0")]),
        ([(50, "0"), (9, "1"), (9, "2"), (50, "3")], [(0, 680, "0"), (680, 1180, "3")]),
        # Alone between pauses it has nobody to go to.
        ([(50, "0"), (40, " "), (20, "1")], [(0, 500, "0"), (900, 1100, "1")]),
    ],
)
def test_frames_become_turns(
    stretches: list[tuple[int, str]], turns: list[tuple[int, int, str]]
) -> None:
    assert turns_of_frames(*said(*stretches)) == [turn(*expected) for expected in turns]


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.sampled_from(" 0123")), min_size=1, max_size=12
    ).filter(lambda stretches: any(character != " " for _, character in stretches))
)
def test_turns_cover_all_speech_and_never_overlap(stretches: list[tuple[int, str]]) -> None:
    speech, labels = said(*stretches)
    turns = turns_of_frames(speech, labels)
    covered = [at // 10 for one in turns for at in range(one.start_ms, one.end_ms, 10)]
    assert len(covered) == len(set(covered))
    assert set(speech.frames.tolist()) <= set(covered)
    assert {one.speaker for one in turns} <= {str(label) for label in labels.tolist()}
