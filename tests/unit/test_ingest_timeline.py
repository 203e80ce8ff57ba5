from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.timeline import Timeline

PER_MS = 16
FRAME_MS = 20


def place(timeline: Timeline, pts_ms: int | None, length_ms: int = FRAME_MS) -> int | None:
    """Where a frame lands, in milliseconds; None when it is left out."""
    if timeline.advance(pts_ms) is None:
        return None
    position = timeline.position
    timeline.append(length_ms * 48, 48_000)
    return position // PER_MS


def milliseconds(end_ms: int | None = None, origin_s: float = 0.0) -> Timeline:
    return Timeline(0.001, origin_s, end_ms)


def test_frames_without_timestamps_follow_each_other() -> None:
    timeline = milliseconds()
    assert [place(timeline, None) for _ in range(3)] == [0, 20, 40]


def test_the_clock_may_begin_anywhere() -> None:
    timeline = milliseconds(origin_s=95_443.7)
    assert [place(timeline, 95_443_700 + 1_000), place(timeline, 95_443_700 + 1_020)] == [
        1000,
        1020,
    ]


def test_jitter_is_ignored() -> None:
    timeline = milliseconds()
    assert [place(timeline, pts) for pts in (0, 25, 31, 100, 79)] == [0, 20, 40, 60, 80]


def test_a_gap_is_kept() -> None:
    timeline = milliseconds()
    assert [place(timeline, pts) for pts in (0, 520, 540)] == [0, 520, 540]


def test_audio_that_repeats_is_left_out_until_time_goes_on() -> None:
    timeline = milliseconds()
    assert place(timeline, 0, length_ms=1000) == 0
    assert [place(timeline, pts) for pts in (500, 900, 990)] == [None, None, 1000]


def test_a_restarted_clock_goes_on_where_the_old_one_was() -> None:
    timeline = milliseconds()
    assert place(timeline, 0, length_ms=60_000) == 0
    assert [place(timeline, pts) for pts in (0, 20, 540)] == [60_000, 60_020, 60_540]


def test_a_leap_into_nowhere_is_not_believed() -> None:
    timeline = milliseconds(end_ms=5_000)
    assert [place(timeline, pts) for pts in (0, 10**12, 10**12 + 20)] == [0, 20, 40]


def test_a_long_pause_within_the_declared_length_is_believed() -> None:
    timeline = milliseconds(end_ms=10_000_000)
    assert [place(timeline, pts) for pts in (0, 7_200_000)] == [0, 7_200_000]


def test_after_a_loss_even_a_small_gap_is_kept() -> None:
    timeline = milliseconds()
    assert place(timeline, 0) == 0
    timeline.lose()
    assert [place(timeline, 40), place(timeline, 85)] == [40, 60]


@given(
    drift=st.floats(-0.002, 0.002),
    jitter_ms=st.lists(st.integers(-15, 15), min_size=50, max_size=50),
)
def test_a_clock_that_runs_differently_never_gets_far_away(
    drift: float, jitter_ms: list[int]
) -> None:
    timeline = milliseconds()
    for frame in range(10_000):
        true_ms = frame * FRAME_MS * (1 + drift)
        landed = place(timeline, round(true_ms) + jitter_ms[frame % 50])
        if landed is not None:
            assert abs(landed - true_ms) <= 50 + 15 + FRAME_MS
