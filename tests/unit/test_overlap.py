"""Spans that overlap spans."""

from hypothesis import given
from hypothesis import strategies as st

from services.merge.overlap import overlaps
from voxmesh_schemas import Span


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    pairs = draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), max_size=25))
    return sorted(
        (Span(start_ms=start, end_ms=start + length) for start, length in pairs),
        key=lambda span: span.start_ms,
    )


@given(spans(), spans())
def test_the_sweep_finds_what_comparing_all_pairs_finds(
    some: list[Span], others: list[Span]
) -> None:
    expected = []
    for span in some:
        end = max(span.end_ms, span.start_ms + 1)
        shared = [min(end, other.end_ms) - max(span.start_ms, other.start_ms) for other in others]
        expected.append([(index, ms) for index, ms in enumerate(shared) if ms > 0])
    assert list(overlaps(some, others)) == expected
