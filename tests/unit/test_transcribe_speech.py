"""Stretches of speech are put together for a recogniser that hears 30 s at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcribe.speech import Stretch, packed

SECOND = 16_000


def seconds(*stretches: tuple[float, float]) -> list[Stretch]:
    return [(round(start * SECOND), round(end * SECOND)) for start, end in stretches]


@pytest.mark.parametrize(
    ("stretches", "clips"),
    [
        ([], []),
        ([(1, 2)], [(1, 2)]),
        ([(1, 2), (3, 4), (5.5, 6)], [(1, 6)]),
        ([(1, 2), (4.1, 5)], [(1, 2), (4.1, 5)]),
        ([(0, 20), (21, 30), (30, 31)], [(0, 30), (30, 31)]),
        ([(0, 20), (20, 31)], [(0, 20), (20, 31)]),
    ],
    ids=["nothing", "one", "short pauses", "long pause", "up to 30 s", "more than 30 s"],
)
def test_neighbours_are_put_together(
    stretches: list[tuple[float, float]], clips: list[tuple[float, float]]
) -> None:
    assert packed(seconds(*stretches)) == seconds(*clips)


@st.composite
def _stretches(draw: st.DrawFn) -> list[Stretch]:
    stretches, at = [], 0
    for gap, length in draw(
        st.lists(st.tuples(st.integers(0, 4 * SECOND), st.integers(1, 30 * SECOND)))
    ):
        stretches.append((at + gap, at + gap + length))
        at += gap + length
    return stretches


@given(_stretches())
def test_clips_hold_all_speech_in_at_most_30_seconds_each(stretches: list[Stretch]) -> None:
    clips = packed(stretches)
    assert all(end - start <= 30 * SECOND for start, end in clips)
    for start, end in stretches:
        assert any(first <= start and end <= last for first, last in clips)
