"""What may be committed while messages of a partition end in any order."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.runtime.bus.watermark import Watermark


def committed(watermark: Watermark, offsets: Sequence[int]) -> list[int | None]:
    return [watermark.finished(offset) for offset in offsets]


def test_in_order_every_end_commits_the_next_offset() -> None:
    watermark = Watermark()
    for offset in (5, 6, 7):
        watermark.started(offset)
    assert committed(watermark, (5, 6, 7)) == [6, 7, 8]


def test_out_of_order_the_first_in_work_holds_the_rest_back() -> None:
    watermark = Watermark()
    for offset in (5, 6, 7):
        watermark.started(offset)
    assert committed(watermark, (7, 6, 5)) == [5, None, 8]


def test_offsets_may_skip_as_after_compaction() -> None:
    watermark = Watermark()
    watermark.started(5)
    watermark.started(90)
    assert committed(watermark, (5, 90)) == [90, 91]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Starts in rising order and some of the ends, each somewhere after its start."""
    offsets = sorted(draw(st.sets(st.integers(0, 200), min_size=1, max_size=30)))
    waiting, in_work, history = list(offsets), [], []
    for starts in draw(st.lists(st.booleans(), max_size=2 * len(offsets))):
        if starts and waiting:
            in_work.append(waiting.pop(0))
            history.append(("start", in_work[-1]))
        elif in_work:
            ended = in_work.pop(draw(st.integers(0, len(in_work) - 1)))
            history.append(("end", ended))
    return history


@given(histories())
def test_a_commit_covers_all_that_is_done_and_nothing_that_is_not(
    history: list[tuple[str, int]],
) -> None:
    watermark, in_work, done, last = Watermark(), set[int](), set[int](), -1
    for event, offset in history:
        if event == "start":
            watermark.started(offset)
            in_work.add(offset)
            continue
        in_work.remove(offset)
        done.add(offset)
        commit = watermark.finished(offset)
        if commit is not None:
            assert commit > last
            last = commit
        assert all(working >= last for working in in_work)
        if not in_work:
            assert last == max(done) + 1
