"""What recognisers say becomes words that keep the contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcribe.words import Heard, duration_ms, in_order, joined

TIMES = st.floats(min_value=-2_000, max_value=9_000)
HEARD = st.builds(
    Heard,
    text=st.text(alphabet=" ab,é", max_size=4),
    start_ms=TIMES,
    end_ms=TIMES,
    confidence=st.none() | st.floats(min_value=-0.5, max_value=1.5),
)


@given(st.lists(HEARD), st.integers(min_value=0, max_value=7_000))
def test_words_never_overlap_and_never_leave_the_chunk(heard: list[Heard], within_ms: int) -> None:
    words = in_order(heard, within_ms)
    edges = [edge for word in words for edge in (word.start_ms, word.end_ms)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= within_ms for edge in edges)


@given(st.lists(HEARD))
def test_no_word_is_lost_or_moved_and_blank_ones_are_left_out(heard: list[Heard]) -> None:
    texts = [word.text.strip() for word in heard]
    assert [word.text for word in in_order(heard, 5_000)] == [text for text in texts if text]


def test_good_times_stay_as_they_are() -> None:
    heard = [Heard("one", 10, 20, 0.5), Heard("two", 20, 29.6, None), Heard("three", 40, 50, 1.0)]
    assert [(word.start_ms, word.end_ms) for word in in_order(heard, 100)] == [
        (10, 20),
        (20, 30),
        (40, 50),
    ]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([" Ask", " not"], [" Ask", " not"]),
        ([" well", "-", "known"], [" well-known"]),
        (["The", " 50", "%"], ["The", " 50%"]),
        ([], []),
    ],
)
def test_a_piece_without_a_space_belongs_to_the_word_before(
    pieces: list[str], words: list[str]
) -> None:
    heard = [Heard(text, 10 * i, 10 * i + 10, None) for i, text in enumerate(pieces)]
    assert [word.text for word in joined(heard)] == words


def test_a_joined_word_spans_its_pieces_and_is_as_sure_as_the_least_sure() -> None:
    pieces = [Heard(" 50", 0, 10, 0.9), Heard("%", 10, 30, 0.4), Heard(".", 30, 30, None)]
    assert list(joined(pieces)) == [Heard(" 50%.", 0, 30, 0.4)]


@pytest.mark.parametrize(("count", "expected_ms"), [(0, 0), (15, 0), (16, 1), (16_000, 1_000)])
def test_a_chunk_is_as_long_as_the_milliseconds_it_fills(count: int, expected_ms: int) -> None:
    assert duration_ms(np.zeros(count, dtype=np.float32)) == expected_ms
