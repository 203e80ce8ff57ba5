"""Text is measured and cut the way people see it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.subtitles.graphemes import (
    cells,
    graphemes,
    is_blank,
    is_right_to_left,
    is_spaced,
    visible,
)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("e\u0301", 1),
        ("日本", 4),
        ("한국", 4),
        ("\u1112\u1161\u11ab", 2),
        ("สวัสดี", 4),
        ("👩‍👩‍👧‍👦", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("می‌خواهم", 7),
    ],
)
def test_width_counts_cells(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("ab", ["a", "b"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("👩‍👧x", ["👩‍👧", "x"]),
        ("\u1112\u1161\u11ab\u1100\u1173", ["\u1112\u1161\u11ab", "\u1100\u1173"]),
        ("กำ", ["กำ"]),
        ("क्षि", ["क्षि"]),
        ("🏴\U000e0067\U000e007fx", ["🏴\U000e0067\U000e007f", "x"]),
    ],
)
def test_what_people_count_as_one_character_stays_whole(text: str, clusters: list[str]) -> None:
    assert list(graphemes(text)) == clusters


@given(st.text())
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  a \n\n b\u2028c ", "a b c"),
        ("a\x00\x1bb", "ab"),
        ("\u202eabc\u202c", "abc"),
        ("\u2067abc\u2069", "abc"),
        ("\ufeffabc\u200b", "abc"),
        ("40\u00a0km", "40\u00a0km"),
        ("a\u200fb", "a\u200fb"),
    ],
)
def test_only_what_shows_is_kept(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_visible_text_is_one_line_for_every_reader(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown


@pytest.mark.parametrize(
    ("left", "right", "spaced"),
    [
        ("a", "b", True),
        ("我", "们", False),
        ("2024", "年", False),
        ("love", "你", True),
        ("你", "(是)", False),
        ("สวัส", "ดี", False),
        ("안녕", "하세요", True),
    ],
)
def test_spaces_stand_where_the_script_has_them(left: str, right: str, spaced: bool) -> None:
    assert is_spaced(left, right) is spaced


def test_direction_and_blankness() -> None:
    assert is_right_to_left("1. שלום")
    assert not is_right_to_left("a שלום")
    assert is_blank("\u200d \u00a0")
    assert not is_blank("\u0301")
